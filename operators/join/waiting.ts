/** Events of one key that wait for partners, and when they can be let go. Plain data, for checkpoints. */
import type { Event } from '../../runtime/stream/index.ts';
import type { Taken } from './fields.ts';

export interface Left {
  readonly time: number;
  readonly event: Event;
  matched: boolean;
}

export interface Right {
  readonly time: number;
  readonly values: Taken;
}

/** Both in the order in which they came. */
export interface Waiting {
  lefts: Left[];
  rights: Right[];
  /** When something here can first be let go, as far as is known. */
  next: number;
  /** Place in the order in which keys came; decides between results of one time. */
  order?: number;
}

/** Of keys without one of the two. Nobody writes into it. */
export const none: never[] = [];

/** Most keys have one event: a list that begins with room for many would cost more than all else. */
export function append<T>(list: T[], item: T): T[] {
  if (list.length === 0) return [item];
  list.push(item);
  return list;
}

/**
 * Drops what is due from the front. What is due behind something that is not stays a little longer; whoever looks for partners compares
 * times, so that it makes no difference.
 */
export function dropFront<T>(list: T[], isDue: (item: T) => boolean): T[] {
  let count = 0;
  while (count < list.length && isDue(list[count] as T)) count++;
  if (count === 0) return list;
  return count === list.length ? none : list.slice(count);
}
