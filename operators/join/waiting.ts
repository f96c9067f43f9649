/** Events of one key that wait for partners, and when they can be let go. Plain data, for checkpoints. */
import type { Event, StateKey } from '../../runtime/stream/index.ts';
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

/** Width of a bucket of `Ends`. */
const bucketMs = 1_000;

/** Keys by the time at which something of theirs can be let go. Made anew after a restart, from what waits. */
export class Ends {
  private readonly buckets = new Map<number, StateKey[]>();
  /** No bucket lies before it. */
  private earliest = Number.POSITIVE_INFINITY;

  add(key: StateKey, time: number): void {
    if (time === Number.POSITIVE_INFINITY) return;
    const bucket = Math.floor(time / bucketMs);
    const keys = this.buckets.get(bucket);
    if (keys) keys.push(key);
    else this.buckets.set(bucket, [key]);
    if (bucket < this.earliest) this.earliest = bucket;
  }

  /** Takes out the keys of which something is due, in whole buckets: `exact` takes the one in which the watermark lies as well. */
  takeDue(watermark: number, { exact }: { exact: boolean }): StateKey[] {
    const until = exact ? Math.floor(watermark / bucketMs) : Math.floor((watermark + 1) / bucketMs) - 1;
    const due: StateKey[] = [];
    if (until < this.earliest || this.buckets.size === 0) return due;
    const isFar = until - this.earliest > this.buckets.size;
    const passed = isFar ? [...this.buckets.keys()].filter((bucket) => bucket <= until).sort((a, b) => a - b) : null;
    for (let at = 0, bucket = this.earliest; passed ? at < passed.length : bucket <= until; at++, bucket++) {
      const one = passed ? (passed[at] as number) : bucket;
      for (const key of this.buckets.get(one) ?? []) due.push(key);
      this.buckets.delete(one);
    }
    this.earliest = this.buckets.size === 0 ? Number.POSITIVE_INFINITY : until + 1;
    return due;
  }

  clear(): void {
    this.buckets.clear();
    this.earliest = Number.POSITIVE_INFINITY;
  }
}

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
  return count === list.length ? [] : list.slice(count);
}
