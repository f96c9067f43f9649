/** Keys by the time at which something of theirs is due: for operators with very many keys, where a timer for each would cost too much. */
import type { StateKey } from '../../runtime/stream/index.ts';

/** Width of a bucket of `Ends`. */
const bucketMs = 1_000;

/** Made anew after a restart, from what is kept. Holds keys, or what stands for them. */
export class Ends<Key = StateKey> {
  private readonly buckets = new Map<number, Key[]>();
  /** No bucket lies before it. */
  private earliest = Number.POSITIVE_INFINITY;

  add(key: Key, time: number): void {
    if (time === Number.POSITIVE_INFINITY) return;
    const bucket = Math.floor(time / bucketMs);
    const keys = this.buckets.get(bucket);
    if (keys) keys.push(key);
    else this.buckets.set(bucket, [key]);
    if (bucket < this.earliest) this.earliest = bucket;
  }

  /**
   * Takes out the keys of which something is due once the watermark is at this time. `dueAt`: when the next thing of a key is due; a key that
   * stands in an old place too is not told of there.
   */
  *takeDue(watermark: number, dueAt: (key: Key) => number | undefined): IterableIterator<Key> {
    const until = Math.floor(watermark / bucketMs);
    if (until < this.earliest || this.buckets.size === 0) return;
    for (const [bucket, keys] of this.takeBuckets(until)) {
      for (const key of keys) {
        const next = dueAt(key);
        if (next === undefined) continue;
        if (next <= watermark) yield key;
        else if (Math.floor(next / bucketMs) === bucket) this.add(key, next);
      }
    }
  }

  private takeBuckets(until: number): [bucket: number, keys: Key[]][] {
    const { buckets } = this;
    const due: [number, Key[]][] = [];
    const take = (bucket: number) => {
      const keys = buckets.get(bucket);
      if (!keys) return;
      due.push([bucket, keys]);
      buckets.delete(bucket);
    };
    // Times that nobody waits for are passed over in one step.
    if (until - this.earliest <= buckets.size) for (let bucket = this.earliest; bucket <= until; bucket++) take(bucket);
    else for (const bucket of [...buckets.keys()].sort((a, b) => a - b)) if (bucket <= until) take(bucket);
    this.earliest = buckets.size === 0 ? Number.POSITIVE_INFINITY : until + 1;
    return due;
  }

  clear(): void {
    this.buckets.clear();
    this.earliest = Number.POSITIVE_INFINITY;
  }
}
