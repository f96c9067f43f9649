/** A heap: numbers with their scores, of which the one with the greatest score leaves first. */
export class GreatestFirst {
  private readonly scores: number[] = [];
  private readonly numbers: number[] = [];

  get isEmpty(): boolean {
    return this.scores.length === 0;
  }

  /** The greatest score, of one that is not empty. */
  get score(): number {
    return this.scores[0] as number;
  }

  add(number: number, score: number): void {
    const { scores, numbers } = this;
    let at = scores.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if ((scores[above] as number) >= score) break;
      scores[at] = scores[above] as number;
      numbers[at] = numbers[above] as number;
      at = above;
    }
    scores[at] = score;
    numbers[at] = number;
  }

  /** Takes out the number of the greatest score, of one that is not empty; equal scores leave in no order. */
  take(): number {
    const { scores, numbers } = this;
    const taken = numbers[0] as number;
    const score = scores.pop() as number;
    const number = numbers.pop() as number;
    const length = scores.length;
    if (length === 0) return taken;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= length) break;
      if (below + 1 < length && (scores[below + 1] as number) > (scores[below] as number)) below++;
      if ((scores[below] as number) <= score) break;
      scores[at] = scores[below] as number;
      numbers[at] = numbers[below] as number;
      at = below;
    }
    scores[at] = score;
    numbers[at] = number;
    return taken;
  }
}
