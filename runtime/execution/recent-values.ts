/** The newest values of many, at most so many of them. */
export class RecentValues {
  private readonly countMax: number;
  private values = new Float64Array(0);
  private count = 0;
  /** Where the next one goes: once there are as many as there may be, over the oldest. */
  private at = 0;

  constructor(countMax: number) {
    this.countMax = countMax;
  }

  /** `times`: so many that are alike. */
  add(value: number, times = 1): void {
    const { countMax } = this;
    let left = Math.min(times, countMax);
    this.count = Math.min(this.count + left, countMax);
    this.makeRoom();
    while (left > 0) {
      const to = Math.min(this.at + left, countMax);
      this.values.fill(value, this.at, to);
      left -= to - this.at;
      this.at = to === countMax ? 0 : to;
    }
  }

  /** Newest last; all of them when no number is given. */
  newest(count = this.countMax): number[] {
    const { at, values } = this;
    const older = this.count === this.countMax ? values.subarray(at) : [];
    const inOrder = [...older, ...values.subarray(0, at)];
    return inOrder.slice(Math.max(0, inOrder.length - count));
  }

  private makeRoom(): void {
    if (this.count <= this.values.length) return;
    const larger = new Float64Array(Math.min(Math.max(this.count, this.values.length * 2), this.countMax));
    larger.set(this.values);
    this.values = larger;
  }
}
