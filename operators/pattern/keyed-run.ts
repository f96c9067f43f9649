/**
 * What is kept of a key. Most keys have one event for long, and all that a run knows of one event follows from it: so it stands alone, and its run is
 * made when there is more.
 */
import type { Event, HeldKeys, HeldValues, StateKey } from '../../runtime/stream/index.ts';
import { newRun, type Run, type WrittenRun } from './run.ts';

export interface KeyedRun {
  readonly key: StateKey;
  readonly order: number;
  dueAfter: number;
  /** Null: there is one event, the lone one. */
  run: Run | null;
  lone: Event | null;
  loneTime: number;
  /** Whether a match has begun with the lone event. */
  hasBegun: boolean;
}

export function keyedRun(given: { key: StateKey; order: number; event: Event; time: number }): KeyedRun {
  const { key, order, event, time } = given;
  return { key, order, dueAfter: time, run: null, lone: event, loneTime: time, hasBegun: false };
}

/** The run of a key as it would stand if no event was ever alone; `begin` looks at the first event of a run. */
export function runOf({ run, lone, loneTime, hasBegun }: KeyedRun, begin: (run: Run) => void): Run {
  if (run) return run;
  const made = newRun(lone as Event, loneTime);
  if (hasBegun) begin(made);
  return made;
}

/** Keeps a run, or the one event of which it can be made again. */
export function keepRun(keyed: KeyedRun, run: Run): void {
  const { events, times, from, at } = run;
  const isLone = events.length === 1 && from === 0;
  keyed.run = isLone ? null : run;
  keyed.lone = isLone ? (events[0] as Event) : null;
  keyed.loneTime = isLone ? (times[0] as number) : 0;
  keyed.hasBegun = isLone && at > 0;
}

export function writtenRuns(keys: HeldKeys, begin: (run: Run) => void): HeldValues<KeyedRun> {
  return {
    written(keyed, key): WrittenRun {
      const { order, dueAfter } = keyed;
      const { events, times, from, at, threads, complete } = runOf(keyed, begin);
      return { key: keys.written(key), order, events, times, from, at, threads, complete, dueAfter };
    },
    held(written, key): KeyedRun {
      const { order, dueAfter, events, times, from, at, threads, complete } = written as WrittenRun;
      const run: Run = { events, times, from, at, threads, complete };
      const keyed: KeyedRun = { key, order, dueAfter, run, lone: null, loneTime: 0, hasBegun: false };
      keepRun(keyed, run);
      return keyed;
    },
  };
}
