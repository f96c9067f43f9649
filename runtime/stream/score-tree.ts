/** Scores by number, and the best first: for rankings of very many of which few change at a time. */
import { GreatestFirst } from './greatest-first.ts';

/** Scores that have one maximum above them, as a power of two. */
const fanoutBits = 3;
const fanout = 1 << fanoutBits;
const none = Number.NEGATIVE_INFINITY;

/** So many of the best scores are looked for one by one; those after them are met on one walk. */
const soughtMax = 16;

/** Numbers with one score. */
interface Equals {
  readonly score: number;
  readonly numbers: number[];
}

/** With eight below each no tree is as high. */
const heightsMax = 32;

/** A bound of the tree; a score, at height 0. */
interface Place {
  readonly height: number;
  readonly at: number;
}

/** As one number, by which a heap holds it. */
function placeOf(number: number): Place {
  return { height: number % heightsMax, at: Math.floor(number / heightsMax) };
}

/**
 * A tree of bounds: level by level, of each eight below, a score that none of them exceeds. A score that rises takes the bounds above it along as
 * far as they are too low; one that falls leaves them, and who looks for the best brings down those that it finds too high.
 */
export class ScoreTree {
  private levels: Float64Array[] = [new Float64Array(fanout).fill(none)];
  private readonly sign: 1 | -1;
  /** Only scores that are less than this are looked for. */
  private limit = none;
  /** Whose score was the best that was looked for last: mostly it is the best again, and little else has to be looked at. */
  private found = 0;

  constructor({ ascending }: { ascending: boolean }) {
    this.sign = ascending ? -1 : 1;
  }

  /** Null, or what is no finite number: there is none. */
  set(number: number, score: number | null): void {
    while (number >= this.leaves.length) this.grow();
    const { levels } = this;
    const signed = score !== null && Number.isFinite(score) ? score * this.sign : none;
    this.leaves[number] = signed;
    for (let height = 1, group = number >> fanoutBits; height < levels.length; height++, group >>= fanoutBits) {
      const bounds = levels[height] as Float64Array;
      if (signed <= (bounds[group] as number)) return;
      bounds[group] = signed;
    }
  }

  /** The best score; null: there is none. */
  first(): number | null {
    const first = this.below(Number.POSITIVE_INFINITY);
    return first === none ? null : first * this.sign;
  }

  /** The numbers of the best scores, score by score, until there are at least `rows` of them; those of one score in their order. */
  best(rows: number): number[][] {
    const groups: number[][] = [];
    let limit = Number.POSITIVE_INFINITY;
    for (let count = 0; count < rows; ) {
      if (groups.length === soughtMax) return [...groups, ...this.walk(rows - count, limit)];
      const score = this.below(limit);
      if (score === none) break;
      const numbers: number[] = [];
      this.collect(this.levels.length - 1, 0, { score, numbers });
      groups.push(numbers);
      count += numbers.length;
      limit = score;
    }
    return groups;
  }

  /**
   * The same of scores that are less than a limit. It always goes on where the bound is greatest, so that each number costs a way down the tree:
   * dearer than looking for the next score is for a few, but looking passes all that were found before, each time.
   */
  private walk(rows: number, limit: number): number[][] {
    const groups: number[][] = [];
    const opened: Place[] = [];
    const waiting = new GreatestFirst();
    let score = none;
    let count = 0;
    this.addBelow({ height: this.levels.length, at: 0 }, limit, waiting);
    while (!waiting.isEmpty && (count < rows || waiting.score === score)) {
      const bound = waiting.score;
      const place = placeOf(waiting.take());
      if (place.height > 0) {
        opened.push(place);
        this.addBelow(place, limit, waiting);
        continue;
      }
      if (bound !== score) groups.push([]);
      score = bound;
      groups.at(-1)?.push(place.at);
      count++;
    }
    // Those further down were opened later.
    for (const { height, at } of opened.reverse())
      (this.levels[height] as Float64Array)[at] = greatestOf(this.levels[height - 1] as Float64Array, at << fanoutBits);
    for (const numbers of groups) numbers.sort((a, b) => a - b);
    return groups;
  }

  /** What stands below a place, by its bounds; that of a leaf is its score. */
  private addBelow({ height, at }: Place, limit: number, waiting: GreatestFirst): void {
    const level = this.levels[height - 1] as Float64Array;
    const from = at << fanoutBits;
    const to = Math.min(level.length, from + fanout);
    for (let below = from; below < to; below++) {
      const bound = level[below] as number;
      if (bound !== none && (height > 1 || bound < limit)) waiting.add(below * heightsMax + height - 1, bound);
    }
  }

  clear(): void {
    for (const level of this.levels) level.fill(none);
  }

  private get leaves(): Float64Array {
    return this.levels[0] as Float64Array;
  }

  /** The greatest score that is less than another. Bounds of that one and greater ones are exact afterwards. */
  private below(limit: number): number {
    this.limit = limit;
    const last = this.leaves[this.found] as number;
    return this.greatest(this.levels.length - 1, 0, last < limit ? last : none);
  }

  /** The greatest score of a group that is less than the limit and greater than what was found before it; that, where there is none. */
  private greatest(height: number, from: number, found: number): number {
    const { levels, limit } = this;
    const level = levels[height] as Float64Array;
    const to = Math.min(level.length, from + fanout);
    let best = found;
    for (let at = from; at < to; at++) {
      const bound = level[at] as number;
      if (bound <= best) continue;
      if (height > 0) {
        best = this.greatest(height - 1, at << fanoutBits, best);
        level[at] = greatestOf(levels[height - 1] as Float64Array, at << fanoutBits);
      } else if (bound < limit) {
        best = bound;
        this.found = at;
      }
    }
    return best;
  }

  private collect(height: number, from: number, equals: Equals): void {
    const level = this.levels[height] as Float64Array;
    for (let at = from; at < Math.min(level.length, from + fanout); at++) {
      const bound = level[at] as number;
      if (bound < equals.score) continue;
      if (height > 0) this.collect(height - 1, at << fanoutBits, equals);
      else if (bound === equals.score) equals.numbers.push(at);
    }
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
