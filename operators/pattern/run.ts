/** The events of one key and the match that is looked for among them. */
import type { Event, NodeStates, StateKey } from '../../runtime/stream/index.ts';
import type { Thread } from './threads.ts';

/** Plain data, for checkpoints. */
export interface Run {
  /** In the order of their times. Those from `at` on have not been looked at: the watermark has not passed them. */
  events: Event[];
  times: number[];
  /** Place of the beginning that is looked at. */
  from: number;
  /** Place of the next event to be looked at. */
  at: number;
  /** Ways in which the events since the beginning fit, the preferred first; none while nothing has begun. */
  threads: readonly Thread[];
  /** The preferred of the ways that are complete, never changed any more; a longer one may still take its place. */
  complete: Thread | null;
}

/** As it stands in checkpoints. */
export interface WrittenRun extends Run {
  readonly key: StateKey;
  /** Place in the order in which keys came; decides between matches of one time. */
  readonly order: number;
  /** Something of it can be looked at or decided once the watermark is past this time. */
  readonly dueAfter: number;
}

/** One for all: lists of threads are replaced, never changed. */
export const noThreads: readonly Thread[] = [];

export function newRun(event: Event, time: number): Run {
  // Most keys have few events, and a list that grows takes room for many at once.
  const [events, times] = [[event], [time]];
  return { events, times, from: 0, at: 0, threads: noThreads, complete: null };
}

/** Behind all of the same time: in the order in which they came. */
export function addEvent({ events, times, at }: Run, event: Event, time: number): void {
  let place = times.length;
  while (place > at && (times[place - 1] as number) > time) place--;
  if (place === times.length) {
    events.push(event);
    times.push(time);
    return;
  }
  events.splice(place, 0, event);
  times.splice(place, 0, time);
}

export function beginAt(run: Run, place: number): void {
  run.threads = noThreads;
  run.complete = null;
  run.from = place;
  run.at = place;
}

/** Events before the beginning go once they are half of all, so that each is moved once at most. */
export function forgetLeftBehind(run: Run): void {
  const { from, events, times } = run;
  if (from === 0 || from * 2 < events.length) return;
  run.events = events.slice(from);
  run.times = times.slice(from);
  run.at -= from;
  run.from = 0;
}

/** Of keys that came from several partitions: numbered in the order in which they stand. */
export function numberRuns(states: NodeStates): NodeStates {
  const runs = [...(states.get('runs') ?? [])].map(
    ([key, { value, time }], order) => [key, { value: { ...(value as WrittenRun), order }, time }] as const,
  );
  const progress = [...(states.get('progress') ?? [])].map(
    ([key, entry]) => [key, key === 'order' ? { ...entry, value: runs.length } : entry] as const,
  );
  return new Map(states).set('runs', new Map(runs)).set('progress', new Map(progress));
}
