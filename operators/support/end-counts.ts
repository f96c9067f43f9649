/** How many things end when: for owners of very many, who need only know how many have ended. */

/** Width of a bucket of `EndCounts`. */
const bucketMs = 1_000;

export class EndCounts {
  private readonly buckets = new Map<number, number>();
  /** No bucket lies before it. */
  private earliest = Number.POSITIVE_INFINITY;
  /** Most things end in the same second as the one before: those of the newest bucket are counted here. */
  private newest = Number.NEGATIVE_INFINITY;
  private newestCount = 0;

  add(time: number): void {
    const bucket = Math.floor(time / bucketMs);
    if (bucket !== this.newest) {
      this.putAway();
      this.newest = bucket;
      if (bucket < this.earliest) this.earliest = bucket;
    }
    this.newestCount++;
  }

  /** Takes out those that have ended, second by second: how many they are. */
  takeUntil(time: number): number {
    const until = Math.floor((time + 1) / bucketMs) - 1;
    if (until < this.earliest) return 0;
    this.putAway();
    const { buckets } = this;
    let count = 0;
    const take = (bucket: number) => {
      count += buckets.get(bucket) ?? 0;
      buckets.delete(bucket);
    };
    // Times at which nothing ends are passed over in one step.
    if (until - this.earliest <= buckets.size) for (let bucket = this.earliest; bucket <= until; bucket++) take(bucket);
    else for (const bucket of [...buckets.keys()]) if (bucket <= until) take(bucket);
    this.earliest = buckets.size === 0 ? Number.POSITIVE_INFINITY : until + 1;
    return count;
  }

  clear(): void {
    this.buckets.clear();
    this.earliest = Number.POSITIVE_INFINITY;
    this.newest = Number.NEGATIVE_INFINITY;
    this.newestCount = 0;
  }

  private putAway(): void {
    if (this.newestCount > 0) this.buckets.set(this.newest, (this.buckets.get(this.newest) ?? 0) + this.newestCount);
    this.newest = Number.NEGATIVE_INFINITY;
    this.newestCount = 0;
  }
}
