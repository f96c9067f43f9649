/**
 * A way in which the events since the beginning of a match fit the steps: a thread of a nondeterministic automaton, as in a Pike machine
 * (R. Cox, "Regular Expression Matching: the Virtual Machine Approach"), with conditions in place of characters. Plain data, for checkpoints;
 * one list of numbers for all steps, since there may be a thread for every key.
 */
import type { Event } from '../../runtime/stream/index.ts';
import type { Cell } from '../aggregate/cell.ts';
import type { Step } from './program.ts';

export interface Thread {
  /** The step that took the last event; 0 before the first. */
  at: number;
  /** Place of the last event taken, -1 before the first. Places count from the beginning of the match. */
  previous: number;
  /** Three numbers for each step: the places of its first and last event, and how many it has. */
  readonly spans: number[];
  /** Totals of the steps that have some; null where none has. */
  readonly cells: (Cell | null)[] | null;
}

const spanLength = 3;

export function firstOf({ spans }: Thread, step: number): number {
  return spans[step * spanLength] as number;
}

export function lastOf({ spans }: Thread, step: number): number {
  return spans[step * spanLength + 1] as number;
}

export function countOf({ spans }: Thread, step: number): number {
  return spans[step * spanLength + 2] as number;
}

/** Before the first event. */
export function newThread(steps: readonly Step[]): Thread {
  const spans = Array.from({ length: steps.length * spanLength }, () => 0);
  return { at: 0, previous: -1, spans, cells: steps.some(({ totals }) => totals) ? steps.map(() => null) : null };
}

export function copyThread({ at, previous, spans, cells }: Thread, steps: readonly Step[]): Thread {
  return { at, previous, spans: spans.slice(), cells: cells && copyCells(cells, steps) };
}

function copyCells(cells: readonly (Cell | null)[], steps: readonly Step[]): (Cell | null)[] {
  return cells.map((cell, step) => {
    const kind = steps[step]?.totals?.kind;
    return cell && kind ? cell.map((state, slot) => kind.accumulators[slot]?.copy(state)) : null;
  });
}

interface Taken {
  readonly to: number;
  readonly step: Step;
  readonly place: number;
  readonly event: Event;
  readonly time: number;
}

export function take(thread: Thread, { to, step, place, event, time }: Taken): void {
  const { spans, cells } = thread;
  const span = to * spanLength;
  const count = spans[span + 2] as number;
  thread.at = to;
  thread.previous = place;
  if (count === 0) spans[span] = place;
  spans[span + 1] = place;
  spans[span + 2] = count + 1;
  if (!step.totals || !cells) return;
  const { kind } = step.totals;
  const cell = cells[to] ?? kind.create();
  cells[to] = cell;
  kind.add(cell, event, time);
}
