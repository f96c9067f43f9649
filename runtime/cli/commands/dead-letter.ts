import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import type { ListFlags } from '../dead-letter/list.ts';
import type { RedriveFlags } from '../dead-letter/redrive.ts';
import type { ShowFlags } from '../dead-letter/show.ts';
import { groups } from '../groups.ts';

const dataOption = ['--data <folder>', 'data folder of the engine', '.mach/data'] as const;

export function register(program: Command, context: CommandContext): void {
  const deadLetter = program
    .command('dead-letter')
    .helpGroup(groups.look)
    .summary('what could not be decoded, handled or written: list, show, redrive')
    .description(
      'Dead letters are what a source could not decode, an operator could not handle or a sink could not write. They are kept for a week, and can go in again once what was wrong is mended.\nThe log is that of NATS_URL, or that of the data folder, whether an engine runs or not.',
    )
    .helpCommand(false);
  registerList(deadLetter, context);
  registerShow(deadLetter, context);
  registerRedrive(deadLetter, context);
}

function registerList(deadLetter: Command, context: CommandContext): void {
  deadLetter
    .command('list')
    .summary('the newest letters, and how many there are')
    .description('Lists the newest dead letters with what became of them, and counts all by node and code.')
    .argument('<file>', 'topology file')
    .option('--node <node>', 'only those of this source, operator or sink')
    .option('--code <code>', 'only those with this error code')
    .option('--since <time>', 'only those since this long ago (1h) or this time, with its offset')
    .option('--open', 'only those that have not been redriven')
    .option('--limit <count>', 'show this many (default: 50)')
    .option('--json', 'print {"topology","letters":[...],"counts":[...],"left_out"}')
    .option(...dataOption)
    .action(async (file: string, flags: ListFlags) => {
      const { listDeadLetters } = await import('../dead-letter/list.ts');
      await listDeadLetters(file, flags, context);
    });
}

function registerShow(deadLetter: Command, context: CommandContext): void {
  deadLetter
    .command('show')
    .summary('everything about one letter')
    .description(
      'Shows a dead letter: why, since when, where it came from, what became of it, and what it holds. What points at a person is hidden; of what could not be decoded the whole text is.',
    )
    .argument('<file>', 'topology file')
    .argument('<id>', 'id of the letter, or its beginning')
    .option('--reveal', 'show what points at a person too; who looked is written into audit.ndjson in the data folder')
    .option('--reason <text>', 'why it is revealed, for audit.ndjson')
    .option('--json', 'print {"id","node",...,"state","content":{"bytes","event"|"text"}}, revealed also "sha256"')
    .option(...dataOption)
    .action(async (file: string, id: string, flags: ShowFlags) => {
      const { showDeadLetter } = await import('../dead-letter/show.ts');
      await showDeadLetter(file, id, flags, context);
    });
}

function registerRedrive(deadLetter: Command, context: CommandContext): void {
  deadLetter
    .command('redrive')
    .summary('let letters go in again; each counts once')
    .description(
      'Lets dead letters go in again: what could not be decoded is decoded by the topology as it is now, an event goes to the operator that could not handle it, a row to the sink that refused it. Each goes in once, however often and by however many people it is redriven; a command that was broken off is given again. What fails again is a new letter, linked to the first.\nExit code 1 when there are letters that cannot go in.',
    )
    .argument('<file>', 'topology file, mended')
    .argument('[id...]', 'ids of letters, or their beginnings')
    .option('--node <node>', 'those of this source, operator or sink')
    .option('--code <code>', 'those with this error code')
    .option('--since <time>', 'those since this long ago (1h) or this time, with its offset')
    .option('--all', 'all that have not been redriven')
    .option('--dry-run', 'only say what would go in')
    .option('--limit <count>', 'at most this many (default: 10000)')
    .option('--rate <count>', 'this many a second (default: 500)')
    .option('--wait <duration>', 'wait this long for the engine to handle them, such as 30s')
    .option('--json', 'print {"redriven","before","left","more","letters":[...]}')
    .option(...dataOption)
    .action(async (file: string, ids: string[], flags: RedriveFlags) => {
      const { redrive } = await import('../dead-letter/redrive.ts');
      await redrive(file, ids, flags, context);
    });
}
