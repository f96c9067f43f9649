import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { groups } from '../groups.ts';
import type { RescaleFlags } from '../rescale.ts';

export function register(program: Command, context: CommandContext): void {
  program
    .command('rescale')
    .helpGroup(groups.run)
    .summary('cut the state of a stopped topology for another number of partitions')
    .description(
      'Gives a topology another number of partitions without losing what it knows. It must have been stopped with Ctrl-C or SIGTERM, so that everything accepted is handled and written. Its checkpoints are cut anew, and take the place of those before in one step: a command that was broken off has changed nothing, or the next start completes it. Nothing is written to the sinks.',
    )
    .argument('<file>', 'topology file')
    .requiredOption('--partitions <count>', 'the new number of partitions')
    .option('--data <folder>', 'data folder of the engine', '.mach/data')
    .option('--json', 'print {"topology","before","partitions","sequence","checkpoints"}')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 2 the command line is wrong, 3 refused or failed; nothing has changed then, or the next start completes it.',
    )
    .action(async (file: string, flags: RescaleFlags) => {
      const { rescaleCommand } = await import('../rescale.ts');
      await rescaleCommand(file, flags, context);
    });
}
