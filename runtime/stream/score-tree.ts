/** Scores by number, and the best first: for rankings of very many of which few change at a time. */

/** Scores that have one maximum above them, as a power of two. */
const fanoutBits = 3;
const fanout = 1 << fanoutBits;
const none = Number.NEGATIVE_INFINITY;

/** Whether what is below a group is to be visited; `greatest`: of it. */
type Enters = (greatest: number, isLeaf: boolean, at: number) => boolean;

/** A tree of maxima: level by level what is the greatest of each eight below. A score that is no maximum, before or after, changes nothing above. */
export class ScoreTree {
  private levels: Float64Array[] = [new Float64Array(fanout).fill(none)];
  private readonly sign: 1 | -1;

  constructor({ ascending }: { ascending: boolean }) {
    this.sign = ascending ? -1 : 1;
  }

  /** Null: there is none. */
  set(number: number, score: number | null): void {
    while (number >= this.leaves.length) this.grow();
    const { levels } = this;
    let at = number;
    let now = score === null ? none : score * this.sign;
    let before = (levels[0] as Float64Array)[at] as number;
    (levels[0] as Float64Array)[at] = now;
    for (let height = 1; height < levels.length; height++) {
      const level = levels[height] as Float64Array;
      const group = at >> fanoutBits;
      const greatest = level[group] as number;
      // Below it, and not the one that it was.
      if (now <= greatest && before !== greatest) return;
      const next = now >= greatest ? now : greatestOf(levels[height - 1] as Float64Array, group << fanoutBits);
      if (next === greatest) return;
      level[group] = next;
      before = greatest;
      now = next;
      at = group;
    }
  }

  /** The best score; null: there is none. */
  first(): number | null {
    const first = greatestOf(this.levels.at(-1) as Float64Array, 0);
    return first === none ? null : first * this.sign;
  }

  /** The numbers of the best scores, score by score, until there are at least `rows` of them. */
  best(rows: number): number[][] {
    const groups: number[][] = [];
    let count = 0;
    for (let score = this.below(Number.POSITIVE_INFINITY); score > none && count < rows; score = this.below(score)) {
      const equals: number[] = [];
      this.collect(score, equals);
      groups.push(equals);
      count += equals.length;
    }
    return groups;
  }

  clear(): void {
    for (const level of this.levels) level.fill(none);
  }

  private get leaves(): Float64Array {
    return this.levels[0] as Float64Array;
  }

  /** The greatest score that is less than another. */
  private below(limit: number): number {
    let best = none;
    this.visitAll((greatest, isLeaf) => {
      if (greatest <= best) return false;
      if (greatest < limit) best = greatest;
      return !isLeaf && greatest >= limit;
    });
    return best;
  }

  private collect(score: number, into: number[]): void {
    this.visitAll((greatest, isLeaf, at) => {
      if (isLeaf && greatest === score) into.push(at);
      return !isLeaf && greatest >= score;
    });
  }

  /** From the top down. */
  private visitAll(enters: Enters): void {
    this.visit(enters, this.levels.length - 1, 0);
  }

  private visit(enters: Enters, height: number, from: number): void {
    const level = this.levels[height] as Float64Array;
    for (let at = from; at < Math.min(level.length, from + fanout); at++)
      if (enters(level[at] as number, height === 0, at)) this.visit(enters, height - 1, at << fanoutBits);
  }

  private grow(): void {
    const leaves = new Float64Array(this.leaves.length * fanout).fill(none);
    leaves.set(this.leaves);
    this.levels = [leaves];
    for (let below: Float64Array = leaves; below.length > fanout; below = this.levels.at(-1) as Float64Array) {
      const level = new Float64Array(below.length >> fanoutBits);
      for (let group = 0; group < level.length; group++) level[group] = greatestOf(below, group << fanoutBits);
      this.levels.push(level);
    }
  }
}

function greatestOf(level: Float64Array, from: number): number {
  let greatest = none;
  for (let at = from; at < from + fanout; at++) if ((level[at] as number) > greatest) greatest = level[at] as number;
  return greatest;
}
