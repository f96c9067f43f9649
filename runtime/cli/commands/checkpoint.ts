import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { groups } from '../groups.ts';
import type { CheckpointFlags } from '../replay/checkpoint.ts';

export function register(program: Command, context: CommandContext): void {
  const checkpoint = program
    .command('checkpoint')
    .helpGroup(groups.run)
    .summary('named copies of the state: save, list, restore, delete')
    .description(
      'An engine keeps its newest checkpoints and a thinned history of the last day by itself. One with a name is kept until it is deleted.\nThe log is that of NATS_URL, or that of the data folder, whether an engine runs or not.',
    )
    .helpCommand(false);
  withOptions(checkpoint.command('save'))
    .summary('keep the state as it is now under a name')
    .description(
      'Copies the newest checkpoint of every stage and partition. An engine that runs on the data folder takes one first.',
    )
    .argument('<file>', 'topology file')
    .argument('<name>', 'name of the checkpoint')
    .action(async (file: string, name: string, flags: CheckpointFlags) => {
      const { saveCheckpoint } = await import('../replay/checkpoint.ts');
      const { asUsage } = await import('../replay/open.ts');
      await asUsage(() => saveCheckpoint({ file, name, flags, context }));
    });
  withOptions(checkpoint.command('list'))
    .summary('the named checkpoints, and whether the topology fits them')
    .description(
      'Lists the named checkpoints: when each was saved, its place in the log, its size, the version of the engine and of the topology that took it, and whether the topology as it is now can start from it.',
    )
    .argument('<file>', 'topology file')
    .action(async (file: string, flags: CheckpointFlags) => {
      const { listNamedCheckpoints } = await import('../replay/checkpoint.ts');
      await listNamedCheckpoints({ file, flags, context });
    });
  withOptions(checkpoint.command('restore'))
    .summary('let the engine start from a named checkpoint')
    .description(
      'Puts a named checkpoint in the place of the newest ones, while no engine runs the topology. The next start goes on from its state: everything accepted since then is handled again, by the topology as it is then. Results that are out already are neither written again nor changed; what comes after them comes from the restored state. What was newest before is kept under the name before-restore-TIME.',
    )
    .argument('<file>', 'topology file')
    .argument('<name>', 'name of the checkpoint')
    .action(async (file: string, name: string, flags: CheckpointFlags) => {
      const { restoreCheckpoint } = await import('../replay/checkpoint.ts');
      const { asUsage } = await import('../replay/open.ts');
      await asUsage(() => restoreCheckpoint({ file, name, flags, context }));
    });
  withOptions(checkpoint.command('delete'))
    .summary('remove a named checkpoint')
    .description('Removes a named checkpoint. Those that the engine keeps by itself stay.')
    .argument('<file>', 'topology file')
    .argument('<name>', 'name of the checkpoint')
    .action(async (file: string, name: string, flags: CheckpointFlags) => {
      const { deleteCheckpoint } = await import('../replay/checkpoint.ts');
      const { asUsage } = await import('../replay/open.ts');
      await asUsage(() => deleteCheckpoint({ file, name, flags, context }));
    });
}

function withOptions(command: Command): Command {
  return command
    .option('--data <folder>', 'data folder of the engine', '.mach/data')
    .option('--json', 'print the result as JSON');
}
