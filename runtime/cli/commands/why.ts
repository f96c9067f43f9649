import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { groups } from '../groups.ts';
import type { OpenFlags } from '../why/open.ts';
import type { ResultFlags } from '../why/result.ts';

export function register(program: Command, context: CommandContext): void {
  program
    .command('why')
    .helpGroup(groups.look)
    .summary('why a result is there; what an open window waits for')
    .description(
      'Goes from a result back to the messages that were sent, with the state that mattered, and tries it: replayed alone, the messages named give the same row. Looks into the log, whether an engine runs or not.\n\nRESULT is a table (or the id of a sink) with what its row has: alerts hospital=H1,state=raised; or a place, as the columns _stage, _partition, _sequence, _index of the row say it: alerts/s1/0/4711/2; or the id of an alert. Of several rows the newest is meant.\n\nWith --open: what a key of a node waits for (a window, an alert, a match), and who keeps it waiting: mach why --open NODE KEY. A key of several fields is H1,ICU or hospital=H1,ward=ICU.\n\nWhat points at a person is hidden, texts of senders whole; who asks by it (patient=NAME) has to give a --reason.',
    )
    .argument('<result>', 'table and values, place, or id of an alert; with --open: a node')
    .argument('[conditions...]', 'field=value; with --open: a key, such as H1,ICU or hospital=H1,ward=ICU')
    .option('--open', 'what a key of a node waits for')
    .option(
      '--topology <file>',
      'topology file (default: that of the engine that runs here, or else of the only one that ever ran)',
    )
    .option('--messages <count>', 'name at most this many messages, the newest (default: 20)')
    .option('--no-verify', 'do not try whether the messages named give the row')
    .option('--verify', 'try it (default); exit code 1 when they do not')
    .option('--replayed', 'the place is that of a row of a shadow (mach replay): it is worked out anew from the log')
    .option('--all', 'every field, and the messages that only let time pass')
    .option(
      '--reveal',
      'show what points at a person too; who looked, and why, is written into audit.ndjson in the data folder',
    )
    .option(
      '--reason <text>',
      'why it is revealed or asked; needed with --reveal, and to ask by what points at a person',
    )
    .option('--json', 'print {"result","steps":[...],"messages":[...],"replay",...}')
    .option('--url <url>', 'with --open: address of the engine (default: the one that runs here)')
    .option('--data <folder>', 'data folder of the engine', '.mach/data')
    .action(async (result: string, conditions: string[], flags: ResultFlags & OpenFlags & { open?: true }) => {
      if (flags.open) {
        const { whyOpen } = await import('../why/open.ts');
        await whyOpen(result, conditions, flags, context);
        return;
      }
      const { whyResult } = await import('../why/result.ts');
      await whyResult(result, conditions, flags, context);
    });
}
