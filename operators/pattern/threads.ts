/**
 * The ways in which the events since the beginning of a match fit the steps: threads of a nondeterministic automaton in order of
 * preference, as in a Pike machine (R. Cox, "Regular Expression Matching: the Virtual Machine Approach"), with conditions in place of
 * characters. A way that is complete is preferred to all that stand behind it, and gives way to those before it. Plain data, for checkpoints.
 */
import type { Cell } from '../aggregate/cell.ts';
import type { PatternProgram, Row, Step, Variables, View } from './program.ts';

export interface Thread {
  /** The step that took the last event; 0 before the first. */
  at: number;
  /** Place of the last event taken, -1 before the first. */
  previous: number;
  /** For each step: the places of its first and last event, and how many it has. */
  readonly firsts: number[];
  readonly lasts: number[];
  readonly counts: number[];
  /** Totals of the steps that have some. */
  readonly cells: (Cell | null)[];
}

export function newThread(steps: readonly Step[]): Thread {
  const none = () => steps.map(() => 0);
  return { at: 0, previous: -1, firsts: none(), lasts: none(), counts: none(), cells: steps.map(() => null) };
}

export function copyThread({ at, previous, firsts, lasts, counts, cells }: Thread, steps: readonly Step[]): Thread {
  const copies = cells.map((cell, step) => {
    const kind = steps[step]?.totals?.kind;
    return cell && kind ? cell.map((state, slot) => kind.accumulators[slot]?.copy(state)) : null;
  });
  return { at, previous, firsts: [...firsts], lasts: [...lasts], counts: [...counts], cells: copies };
}

/** Steps that could take the next event, the preferred first. */
function candidatesOf({ at, counts }: Thread, steps: readonly Step[]): number[] {
  const found: number[] = [];
  const enter = (next: number) => {
    const step = steps[next];
    if (!step) return;
    if (step.min > 0) found.push(next);
    else if (step.shortest) {
      enter(next + 1);
      found.push(next);
    } else {
      found.push(next);
      enter(next + 1);
    }
  };
  const count = counts[at] as number;
  const { min, max, shortest } = steps[at] as Step;
  if (count === 0) {
    enter(0);
    return found;
  }
  const goesOn = count < max;
  if (goesOn && !shortest) found.push(at);
  if (count >= min) enter(at + 1);
  if (goesOn && shortest) found.push(at);
  return found;
}

function takes({ when, until }: Step, { event }: Row, variables: Variables): boolean {
  if (until?.evaluate(event, variables) === true) return false;
  return !when || when.evaluate(event, variables) === true;
}

function take(
  thread: Thread,
  to: number,
  place: number,
  { rows, steps }: { rows: readonly Row[]; steps: readonly Step[] },
) {
  const { counts, firsts, lasts, cells } = thread;
  thread.at = to;
  thread.previous = place;
  if (counts[to] === 0) firsts[to] = place;
  lasts[to] = place;
  counts[to] = (counts[to] as number) + 1;
  const kind = steps[to]?.totals?.kind;
  if (!kind) return;
  const { event, time } = rows[place] as Row;
  cells[to] ??= kind.create();
  kind.add(cells[to] as Cell, event, time);
}

export interface Extended {
  readonly threads: Thread[];
  /** The complete way that is preferred, if one has come up. */
  readonly complete: Thread | null;
}

/** Takes the event at `place` into each way that it fits; ways that it does not fit end. */
export function extendThreads(
  program: PatternProgram,
  view: View,
  given: { readonly threads: readonly Thread[]; readonly rows: readonly Row[]; readonly place: number },
): Extended {
  const { steps } = program;
  const { rows, place } = given;
  const threads: Thread[] = [];
  for (const thread of given.threads) {
    const candidates = candidatesOf(thread, steps);
    const variables = view.show(thread, rows);
    const targets = candidates.filter((to) => takes(steps[to] as Step, rows[place] as Row, variables));
    if (targets.length === 0) {
      // What does not belong to a step that may follow later is passed over.
      if (thread.previous >= 0 && candidates.some((to) => steps[to]?.later)) threads.push(thread);
      continue;
    }
    for (const [index, to] of targets.entries()) {
      const next = index === targets.length - 1 ? thread : copyThread(thread, steps);
      take(next, to, place, { rows, steps });
      const step = steps[to] as Step;
      const count = next.counts[to] as number;
      const isComplete = step.mayBeLast && count >= step.min;
      const isLast = to === steps.length - 1;
      const ends = isComplete && isLast && (step.shortest || count >= step.max);
      if (!ends) threads.push(next);
      if (isComplete) return { threads, complete: copyThread(next, steps) };
    }
  }
  return { threads, complete: null };
}
