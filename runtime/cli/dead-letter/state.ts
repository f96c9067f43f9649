/** What became of a dead letter so far. */
import type { LogStream } from '../../bus/log.ts';
import type { DeadLetterBook, DeadLetterEntry } from '../../execution/dead-letters/book.ts';
import { isRedriven } from '../../execution/dead-letters/redrive.ts';
import type { TopologyNames } from '../../topology/names.ts';

export interface DeadLetterState {
  /** `waiting`: it is in the log again, and no engine has handled it yet. `failed again`: another letter came of it. */
  readonly state: 'open' | 'waiting' | 'redriven' | 'failed again';
  /** What it gave: `{ delivered: 1 }`. */
  readonly outcomes: Readonly<Record<string, number>> | null;
  /** The letter that came of it. */
  readonly next: string | null;
}

/** By the stream of dead letters alone: one that waits counts as open. */
export function stateInBook({ endings, followers }: DeadLetterBook, id: string): DeadLetterState {
  const outcomes = endings.get(id) ?? null;
  const next = followers.get(id) ?? null;
  return { state: next !== null ? 'failed again' : outcomes ? 'redriven' : 'open', outcomes, next };
}

export async function stateOf(
  book: DeadLetterBook,
  entry: DeadLetterEntry,
  { input, names }: { input: LogStream | undefined; names: TopologyNames },
): Promise<DeadLetterState> {
  const state = stateInBook(book, entry.id);
  if (state.state !== 'open' || !input || !(await isRedriven(input, names, entry))) return state;
  return { ...state, state: 'waiting' };
}

export function describeState({ state, outcomes, next }: DeadLetterState): string {
  if (state === 'failed again') return `failed again: ${next}`;
  if (state !== 'redriven' || !outcomes) return state;
  const counts = Object.entries(outcomes).map(([name, count]) => (count === 1 ? name : `${name} ${count}`));
  // What goes on to a later stage of several partitions is counted there.
  return counts.length === 0 ? 'redriven' : `redriven: ${counts.join(', ')}`;
}
