import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { groups } from '../groups.ts';
import type { DiffFlags } from '../replay/diff.ts';

export function register(program: Command, context: CommandContext): void {
  program
    .command('diff')
    .helpGroup(groups.look)
    .summary('which rows of a replay differ from the live ones')
    .description(
      'Compares the tables of a replay with the live ones, over the part of the past that was replayed: rows that are only live, only in the shadow, or changed, by the key of each table. Each says which message of the log caused it, and the command that explains it.\nOf tables that keep the newest row of each key, a row that the live topology has replaced since the end of the replay has nothing to be compared with; such rows are counted. What points at a person is hidden.',
    )
    .argument('<live>', 'topology file, or the name of another shadow')
    .argument('<shadow>', 'name that mach replay gave')
    .option('--table <table>', 'only this table, by its live name')
    .option('--key <columns>', 'match rows by these columns, separated by commas (with --table)')
    .option('--places', 'a row that another message caused (_sequence, _index) differs, too')
    .option('--limit <count>', 'list this many rows of each table (default: 100)')
    .option('--reveal', 'show what points at a person too; who looked, and why, is written into audit.ndjson')
    .option('--reason <text>', 'why it is revealed; needed with --reveal')
    .option('--data <folder>', 'data folder of the engine', '.mach/data')
    .option('--json', 'print {"equal","tables":[{"live","shadow","key","changed",...,"rows":[...]}]}')
    .addHelpText('after', '\nExit codes: 0 equal, 1 different, 2 the command line is wrong, 3 failed.')
    .action(async (live: string, shadow: string, flags: DiffFlags) => {
      const { diffCommand } = await import('../replay/diff.ts');
      await diffCommand(live, shadow, flags, context);
    });
}
