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
export interface Candidates {
  readonly begin: readonly number[];
  /** Of a step that has taken events: fewer than it needs, enough, or as many as it may. */
  readonly after: readonly {
    readonly few: readonly number[];
    readonly enough: readonly number[];
    readonly full: readonly number[];
  }[];
}

export function candidatesOf(steps: readonly Pick<Step, 'min' | 'shortest'>[]): Candidates {
  const enter = (next: number): number[] => {
    const step = steps[next];
    if (!step) return [];
    if (step.min > 0) return [next];
    return step.shortest ? [...enter(next + 1), next] : [next, ...enter(next + 1)];
  };
  const after = steps.map(({ shortest }, at) => {
    const on = enter(at + 1);
    return { few: [at], enough: shortest ? [...on, at] : [at, ...on], full: on };
  });
  return { begin: enter(0), after };
}

function candidatesFor({ at, counts }: Thread, { candidates, steps }: PatternProgram): readonly number[] {
  const count = counts[at] as number;
  if (count === 0) return candidates.begin;
  const { min, max } = steps[at] as Step;
  const { few, enough, full } = candidates.after[at] as Candidates['after'][number];
  if (count < min) return few;
  return count < max ? enough : full;
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
  const row = rows[place] as Row;
  const threads: Thread[] = [];
  const targets: number[] = [];
  for (const thread of given.threads) {
    const candidates = candidatesFor(thread, program);
    const variables = view.show(thread, rows);
    let mayBeLater = false;
    targets.length = 0;
    for (const to of candidates) {
      const step = steps[to] as Step;
      if (takes(step, row, variables)) targets.push(to);
      if (step.later) mayBeLater = true;
    }
    if (targets.length === 0) {
      // What does not belong to a step that may follow later is passed over.
      if (thread.previous >= 0 && mayBeLater) threads.push(thread);
      continue;
    }
    for (let index = 0; index < targets.length; index++) {
      const to = targets[index] as number;
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
