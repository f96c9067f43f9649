/** What is still to happen, by time; at one time by rank, then by the order in which it was put in. */

export interface Entry<T> {
  readonly at: number;
  readonly rank: number;
  readonly sequence: number;
  readonly value: T;
}

/** A binary heap. */
export class TimeQueue<T> {
  readonly #heap: Entry<T>[] = [];
  #sequence = 0;

  get size(): number {
    return this.#heap.length;
  }

  peek(): Entry<T> | undefined {
    return this.#heap[0];
  }

  push(at: number, value: T, rank = 0): void {
    const entry = { at, rank, sequence: this.#sequence++, value };
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Entry<T>;
      if (!isBefore(entry, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  pop(): Entry<T> | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right && isBefore(right, heap[child] as Entry<T>)) child++;
      const below = heap[child] as Entry<T>;
      if (!isBefore(below, last)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function isBefore(left: { at: number; rank: number; sequence: number }, right: typeof left): boolean {
  if (left.at !== right.at) return left.at < right.at;
  if (left.rank !== right.rank) return left.rank < right.rank;
  return left.sequence < right.sequence;
}

/**
 * `world`: it happens to patients and ambulances. `paper`: it is only written down (a correction, a cancellation), and
 * is still written when the simulation ends before its time. `census`: the minute is counted, after all else of its instant.
 */
export type AgendaKind = 'world' | 'paper' | 'census';

interface Task {
  readonly kind: AgendaKind;
  readonly run: () => void;
}

export class Agenda {
  readonly #queue = new TimeQueue<Task>();
  #now: number;

  constructor(start: number) {
    this.#now = start;
  }

  get now(): number {
    return this.#now;
  }

  get nextAt(): number {
    return this.#queue.peek()?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Times are whole seconds, because that is what messages say. */
  at(time: number, run: () => void, kind: AgendaKind = 'world'): void {
    const second = Math.max(this.#now, Math.ceil(time / 1000) * 1000);
    this.#queue.push(second, { kind, run }, kind === 'census' ? 1 : 0);
  }

  after(delayMs: number, run: () => void, kind: AgendaKind = 'world'): void {
    this.at(this.#now + delayMs, run, kind);
  }

  /** Runs the next task. */
  step(): void {
    const entry = this.#queue.pop();
    if (!entry) return;
    this.#now = entry.at;
    entry.value.run();
  }

  /** The world stops; what is still to be written is written, in order. */
  settlePaper(): void {
    for (let entry = this.#queue.pop(); entry; entry = this.#queue.pop()) {
      if (entry.value.kind !== 'paper') continue;
      this.#now = entry.at;
      entry.value.run();
    }
  }
}
