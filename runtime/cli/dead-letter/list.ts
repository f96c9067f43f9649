import type { DeadLetterBook, DeadLetterEntry } from '../../execution/dead-letters/book.ts';
import type { CommandContext } from '../context.ts';
import { cliLimits } from '../limits.ts';
import { countOf, type FilterFlags, filterOf, refuseUnknownNode, withDeadLetters } from './open.ts';
import { type DeadLetterState, describeState, stateInBook, stateOf } from './state.ts';

export interface ListFlags extends FilterFlags {
  readonly data: string;
  readonly limit?: string;
  readonly open?: true;
  readonly json?: true;
}

interface Shown {
  readonly entry: DeadLetterEntry;
  readonly state: DeadLetterState;
}

export async function listDeadLetters(file: string, flags: ListFlags, context: CommandContext): Promise<void> {
  const limit = countOf('--limit', flags.limit, cliLimits.deadLettersShown);
  const filter = filterOf(flags);
  await withDeadLetters(file, flags, context, async (open) => {
    const book = await open.book(filter);
    refuseUnknownNode(flags.node, open.topology, book);
    const wanted = flags.open ? book.entries.filter(({ id }) => stateInBook(book, id).state === 'open') : book.entries;
    const shown: Shown[] = [];
    for (const entry of wanted.slice(-limit)) shown.push({ entry, state: await stateOf(book, entry, open) });
    const counts = countsOf(book);
    const leftOut = wanted.length - shown.length + book.passedOver;
    if (flags.json) context.print(JSON.stringify(toJson(open.topology.name, shown, counts, leftOut), null, 2));
    else for (const line of describe(shown, counts, leftOut)) context.print(line);
  });
}

export interface DeadLetterCount {
  readonly node: string;
  readonly code: string;
  letters: number;
  /** Not redriven, or redriven and not handled yet. */
  open: number;
  redriven: number;
  failed_again: number;
}

/** By node and code, the most frequent first. */
function countsOf(book: DeadLetterBook): DeadLetterCount[] {
  const counts = new Map<string, DeadLetterCount>();
  for (const { id, node, code } of book.entries) {
    const key = `${node} ${code}`;
    const count = counts.get(key) ?? { node, code, letters: 0, open: 0, redriven: 0, failed_again: 0 };
    counts.set(key, count);
    count.letters++;
    const { state } = stateInBook(book, id);
    if (state === 'failed again') count.failed_again++;
    else if (state === 'redriven') count.redriven++;
    else count.open++;
  }
  return [...counts.values()].sort((a, b) => b.letters - a.letters);
}

function toJson(topology: string, shown: readonly Shown[], counts: readonly DeadLetterCount[], leftOut: number) {
  return { topology, letters: shown.map(letterToJson), counts, left_out: leftOut };
}

export function letterToJson({ entry, state: { state, outcomes, next } }: Shown) {
  const { storedAt, time, sequence, position: _position, index: _index, ...rest } = entry;
  return {
    ...rest,
    sequence,
    at: new Date(storedAt).toISOString(),
    time: new Date(time).toISOString(),
    state,
    outcomes,
    next,
  };
}

function describe(shown: readonly Shown[], counts: readonly DeadLetterCount[], leftOut: number): string[] {
  if (counts.length === 0) return ['no dead letters'];
  const rows = shown.map(({ entry, state }) => [
    entry.id,
    new Date(entry.storedAt).toISOString().replace('T', ' ').replace(/\..*/, ''),
    entry.node,
    entry.code,
    String(entry.attempts),
    describeState(state),
    entry.reason,
  ]);
  const older = leftOut > 0 ? [`${leftOut} older ones are not shown (--limit)`] : [];
  const total = counts.map(({ node, code, letters, open, redriven, failed_again }) => [
    node,
    code,
    String(letters),
    String(open),
    String(redriven),
    String(failed_again),
  ]);
  return [
    ...table(['letter', 'since (UTC)', 'node', 'code', 'tries', 'state', 'reason'], rows),
    ...older,
    '',
    ...table(['node', 'code', 'letters', 'open', 'redriven', 'failed again'], total),
  ];
}

const cellMax = 100;

/** Columns as wide as their widest cell; the last as it is. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cut = (text: string) => (text.length > cellMax ? `${text.slice(0, cellMax - 1)}…` : text).replace(/\s+/g, ' ');
  const all = [head, ...rows].map((row) => row.map(cut));
  const widths = head.map((_, at) => Math.max(...all.map((row) => (row[at] ?? '').length)));
  return all.map((row) =>
    row
      .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
