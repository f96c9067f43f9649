/** The newest values of many, at most so many of them. */
export class RecentValues {
  private readonly values: number[] = [];
  private readonly countMax: number;
  /** Where the next one goes, once there are as many as there may be: over the oldest. */
  private at = 0;

  constructor(countMax: number) {
    this.countMax = countMax;
  }

  /** `times`: so many that are alike. */
  add(value: number, times = 1): void {
    for (let left = Math.min(times, this.countMax); left > 0; left--) this.addOne(value);
  }

  private addOne(value: number): void {
    if (this.values.length < this.countMax) {
      this.values.push(value);
      return;
    }
    this.values[this.at] = value;
    this.at = (this.at + 1) % this.countMax;
  }

  /** Newest last; all of them when no number is given. */
  newest(count = this.countMax): number[] {
    const inOrder = [...this.values.slice(this.at), ...this.values.slice(0, this.at)];
    return inOrder.slice(Math.max(0, inOrder.length - count));
  }
}
