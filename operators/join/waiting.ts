/** Events of one key that wait for partners, and when they can be let go. Plain data, for checkpoints. */
import type { Event } from '../../runtime/stream/index.ts';
import type { Taken } from './fields.ts';

export interface Left {
  readonly time: number;
  readonly event: Event;
  matched: boolean;
}

/** Lefts and rights in the order in which they came. */
export interface Waiting {
  lefts: Left[];
  rights: Taken[];
  /** Of each right event. A list of times alone takes a fraction of what objects with a time would. */
  rightTimes: number[];
  /** When something here can first be let go, as far as is known. */
  next: number;
  /** Place in the order in which keys came; decides between results of one time. */
  order: number;
}

/** Most keys have one right event and nothing else: that stands there as it is, with its time as that of the entry. */
export type Kept = Waiting | Taken;

export function isLone(kept: Kept): kept is Taken {
  return Array.isArray(kept);
}

/** Of keys without one of the two. Nobody writes into it. */
export const none: never[] = [];

/** Short lists have room for no more than they hold: one that grows takes room for many at once. */
export function append<T>(list: T[], item: T): T[] {
  if (list.length === 0) return [item];
  if (list.length === 1) return [list[0] as T, item];
  if (list.length === 2) return [list[0] as T, list[1] as T, item];
  if (list.length === 3) return [list[0] as T, list[1] as T, list[2] as T, item];
  list.push(item);
  return list;
}

/** As `append`; V8 keeps numbers as they are in lists that are made for numbers alone. */
export function appendTime(times: number[], time: number): number[] {
  if (times.length === 0) return [time];
  if (times.length === 1) return [times[0] as number, time];
  if (times.length === 2) return [times[0] as number, times[1] as number, time];
  if (times.length === 3) return [times[0] as number, times[1] as number, times[2] as number, time];
  times.push(time);
  return times;
}

/**
 * Drops what is due from the front. What is due behind something that is not stays a little longer; whoever looks for partners compares
 * times, so that it makes no difference.
 */
export function dropFront<T>(list: T[], isDue: (item: T) => boolean): T[] {
  let count = 0;
  while (count < list.length && isDue(list[count] as T)) count++;
  return dropFirst(list, count);
}

export function dropFirst<T>(list: T[], count: number): T[] {
  if (count === 0) return list;
  return count === list.length ? none : list.slice(count);
}
