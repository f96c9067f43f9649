/** Which keys have which score, and the best scores first: for rankings of very many keys of which few change at a time. */
import type { StateKey } from '../../runtime/stream/index.ts';

export class ScoreIndex {
  private readonly keysByScore = new Map<number, Set<StateKey>>();
  /** A binary heap, the greatest first; scores that no key has any more are left in it and skipped when they come up. */
  private readonly heap: number[] = [];
  private readonly sign: 1 | -1;

  constructor({ ascending }: { ascending: boolean }) {
    this.sign = ascending ? -1 : 1;
  }

  add(key: StateKey, score: number): void {
    const signed = score * this.sign;
    const keys = this.keysByScore.get(signed);
    if (keys) keys.add(key);
    else {
      this.keysByScore.set(signed, new Set([key]));
      this.push(signed);
    }
  }

  remove(key: StateKey, score: number): void {
    const signed = score * this.sign;
    const keys = this.keysByScore.get(signed);
    keys?.delete(key);
    if (keys?.size === 0) this.keysByScore.delete(signed);
  }

  /** The keys of the best scores, score by score, until there are at least `rows` of them. */
  best(rows: number): StateKey[][] {
    const groups: StateKey[][] = [];
    const taken: number[] = [];
    let count = 0;
    while (count < rows) {
      const score = this.pop();
      if (score === undefined) break;
      const keys = this.keysByScore.get(score);
      // A score that came up again stands in the heap twice.
      if (!keys || taken.includes(score)) continue;
      taken.push(score);
      groups.push([...keys]);
      count += keys.size;
    }
    for (const score of taken) this.push(score);
    return groups;
  }

  clear(): void {
    this.keysByScore.clear();
    this.heap.length = 0;
  }

  private push(score: number): void {
    const { heap } = this;
    let at = heap.length;
    heap.push(score);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as number;
      if (above >= score) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = score;
  }

  private pop(): number | undefined {
    const { heap } = this;
    const top = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] as number) > (heap[child] as number)) child++;
      if ((heap[child] as number) <= last) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}
