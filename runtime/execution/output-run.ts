/** What a stage gives to one of its outputs while it handles a message: rows that follow one another, as columns. */
import { type EventColumns, joinColumns, type WithColumns, withPart } from '../stream/event-columns.ts';
import type { Event } from '../stream/schema.ts';
import type { OutputPlace, OutputRow } from './log-frame.ts';

export interface OutputRun extends WithColumns {
  readonly times: readonly number[];
  /** Of the input message. */
  readonly sequence: number;
  /** Of the first row; each of the others has the next. */
  readonly index: number;
  readonly acceptedAt: number;
  readonly redrive?: OutputRow['redrive'];
}

/** Takes the rows of an output one by one. */
export function rowByRow(take: (output: string, row: OutputRow) => void): (output: string, run: OutputRun) => void {
  return (output, run) => {
    for (let at = 0; at < run.times.length; at++) take(output, rowOf(run, at));
  };
}

export function rowsOf(runs: readonly OutputRun[]): OutputRow[] {
  return runs.flatMap((run) => run.events.map((_, at) => rowOf(run, at)));
}

export function runOf({ event, time, ...rest }: OutputRow): OutputRun {
  return { events: [event], times: [time], ...rest };
}

export function rowCount(runs: readonly OutputRun[]): number {
  let count = 0;
  for (const { times } of runs) count += times.length;
  return count;
}

/** The place of its last row. */
export function lastOf({ sequence, index, times }: OutputRun): OutputPlace {
  return { sequence, index: index + times.length - 1 };
}

/** Its first rows, and the others. */
export function splitRun(run: OutputRun, length: number): readonly [OutputRun, OutputRun] {
  return [partOf(run, 0, length), partOf(run, length, run.times.length)];
}

/** Its rows from one to before another; itself where those are all. */
export function partOf(run: OutputRun, from: number, to: number): OutputRun {
  if (from === 0 && to === run.times.length) return run;
  const { times, sequence, index, acceptedAt, redrive } = run;
  const rest = { sequence, index: index + from, acceptedAt, ...(redrive && { redrive }) };
  return withPart({ times: times.slice(from, to), ...rest }, run, { from, to });
}

/** The events of runs as columns, where all of them came so, with the same fields. */
export function columnsOfRuns(runs: readonly OutputRun[]): EventColumns | undefined {
  const parts: EventColumns[] = [];
  for (const { columns } of runs) {
    if (!columns) return undefined;
    parts.push(columns);
  }
  return joinColumns(parts);
}

/** The rows of runs in two halves; none where there is one row. */
export function halvesOf(runs: readonly OutputRun[]): readonly (readonly OutputRun[])[] {
  if (runs.length > 1) return [runs.slice(0, runs.length >> 1), runs.slice(runs.length >> 1)];
  const [run] = runs;
  if (!run || run.times.length < 2) return [];
  const [first, second] = splitRun(run, run.times.length >> 1);
  return [[first], [second]];
}

/** What lies behind a place; undefined when nothing does. */
export function behind(run: OutputRun, place: OutputPlace | undefined): OutputRun | undefined {
  if (!place || run.sequence > place.sequence) return run;
  if (run.sequence < place.sequence) return undefined;
  const known = Math.max(0, place.index - run.index + 1);
  if (known === 0) return run;
  return known < run.times.length ? splitRun(run, known)[1] : undefined;
}

function rowOf({ events, times, sequence, index, acceptedAt, redrive }: OutputRun, at: number): OutputRow {
  const row = { event: events[at] as Event, time: times[at] as number, sequence, index: index + at, acceptedAt };
  return redrive ? { ...row, redrive } : row;
}
