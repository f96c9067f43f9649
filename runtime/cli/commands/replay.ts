import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { groups } from '../groups.ts';
import type { ReplayFlags } from '../replay/replay.ts';

const help = `
Times are compared with the engine time at which messages were accepted (in a simulation: the simulated time): --from takes the first
message accepted then or later, --until the last one accepted before. A whole number is a sequence of the input stream, both included.

Exit codes: 0 done, 2 the command line is wrong, 3 failed (start it again: it goes on into the same shadow), 130 interrupted.`;

export function register(program: Command, context: CommandContext): void {
  program
    .command('replay')
    .helpGroup(groups.look)
    .summary('run the past through a topology, into shadow tables')
    .description(
      'Runs what the sources of a topology accepted through it again, or through a changed one, as fast as this machine can, while the live one goes on untouched. Results go to shadow tables beside the live ones (ed_status__NAME); `mach diff` says which rows differ.\nSinks that do not write to tables are not spoken to. Nothing is appended to the log, and no source is opened.',
    )
    .argument('[file]', 'topology file whose log is read')
    .option(
      '--from <time>',
      'first message: a time with its offset, or a sequence (default: as far back as the log goes)',
    )
    .option('--until <time>', 'last message: a time with its offset, or a sequence (default: the newest)')
    .option('--into <shadow>', 'name of the shadow (default: replay_ and the time)')
    .option('--with <file>', 'run this topology in place of the first one')
    .option('--redecode', 'decode anew the texts of senders that lie in the log')
    .option('--ask-again', 'ask look-ups that are new or changed now; answers of unchanged ones come from the log')
    .option('--list', 'list the shadows that there are')
    .option('--drop <shadow>', 'remove a shadow and its tables')
    .option('--data <folder>', 'data folder of the engine', '.mach/data')
    .option('--json', 'progress as JSON lines, the result last')
    .addHelpText('after', help)
    .action(async (file: string | undefined, flags: ReplayFlags) => {
      const { replayCommand } = await import('../replay/replay.ts');
      await replayCommand(file, flags, context);
    });
}
