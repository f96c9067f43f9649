/**
 * A map of keys to a value and a time, in the order of insertion. What a map of objects keeps as a million objects stands here in columns: a
 * fraction of the memory, nothing for the collector of garbage to follow, and a checkpoint copies it as it is.
 *
 * Slots stand in the order of insertion; the index finds a key's slot by its hash (linear probing, moved back when a key goes). The slot of
 * a key that has gone is empty until the slots are moved together.
 */
import type { StateKey } from './definition.ts';
import { hashOf } from './key-hash.ts';

const capacityMin = 16;
/** Places of the index for each slot. */
const indexFactor = 2;

/** Where somebody stands who goes through the slots while they may be moved. */
interface Cursor {
  at: number;
}

export interface StateColumns {
  readonly keys: readonly StateKey[];
  readonly times: Float64Array;
  /** Numbers alone are a column of numbers. */
  readonly values: readonly unknown[] | Float64Array;
}

export interface TimedValue {
  readonly value: unknown;
  readonly time: number;
}

export function entriesOf({ keys, times, values }: StateColumns): Map<StateKey, { value: unknown; time: number }> {
  return new Map(keys.map((key, at) => [key, { value: values[at], time: times[at] as number }]));
}

export function columnsOf(entries: ReadonlyMap<StateKey, TimedValue>): StateColumns {
  const all = [...entries.values()];
  const values = all.map(({ value }) => value);
  return {
    keys: [...entries.keys()],
    times: Float64Array.from(all, ({ time }) => time),
    values: values.every((value) => typeof value === 'number') ? Float64Array.from(values) : values,
  };
}

/** Searches one by one. */
export function entryOf({ keys, times, values }: StateColumns, key: StateKey): TimedValue | undefined {
  const at = keys.indexOf(key);
  return at < 0 ? undefined : { value: values[at], time: times[at] as number };
}

export class EntryTable<V> {
  /** Of an empty slot: undefined. */
  private keys: (StateKey | undefined)[] = [];
  private values: (V | undefined)[] = [];
  /** In the place of `values` until there is a value that is no number. */
  private numbers: Float64Array | undefined = new Float64Array(capacityMin);
  private times = new Float64Array(capacityMin);
  private hashes = new Int32Array(capacityMin);
  /** Slot + 1; 0: free. Its length is a power of two. */
  private index = new Int32Array(capacityMin * indexFactor);
  /** Slots before this one are empty. */
  private first = 0;
  private live = 0;
  private readonly cursors = new Set<Cursor>();

  get size(): number {
    return this.live;
  }

  /** Its slot, or -1. A slot holds good until the next `append`. */
  find(key: StateKey): number {
    return (this.index[this.placeOf(key, hashOf(key))] as number) - 1;
  }

  valueAt(slot: number): V {
    return (this.numbers ? this.numbers[slot] : this.values[slot]) as V;
  }

  timeAt(slot: number): number {
    return this.times[slot] as number;
  }

  keyAt(slot: number): StateKey {
    return this.keys[slot] as StateKey;
  }

  put(slot: number, value: V, time: number): void {
    this.setValue(slot, value);
    this.times[slot] = time;
  }

  /** A key that is not there, behind all others. */
  append(key: StateKey, value: V, time: number): void {
    if (this.keys.length === this.times.length) this.makeRoom();
    const hash = hashOf(key);
    const slot = this.keys.length;
    // As in a `Map`, -0 is 0.
    this.keys.push(key === 0 ? 0 : key);
    this.setValue(slot, value);
    this.times[slot] = time;
    this.hashes[slot] = hash;
    this.index[this.placeOf(key, hash)] = slot + 1;
    this.live++;
  }

  remove(slot: number): void {
    const key = this.keys[slot] as StateKey;
    this.free(this.placeOf(key, this.hashes[slot] as number));
    this.keys[slot] = undefined;
    if (!this.numbers) this.values[slot] = undefined;
    this.live--;
  }

  /** The slot of the key that was appended first, or -1. */
  oldest(): number {
    if (this.live === 0) return -1;
    while (this.keys[this.first] === undefined) this.first++;
    return this.first;
  }

  /** Slots in order; what is appended meanwhile comes too, what is removed does not. */
  *slots(): IterableIterator<number> {
    const cursor: Cursor = { at: this.first };
    this.cursors.add(cursor);
    try {
      while (cursor.at < this.keys.length) {
        const slot = cursor.at++;
        if (this.keys[slot] !== undefined) yield slot;
      }
    } finally {
      this.cursors.delete(cursor);
    }
  }

  /** Columns of their own; the values are the same objects. */
  columns(): StateColumns {
    if (this.live < this.keys.length) this.moveTogether();
    const keys = this.keys.slice() as StateKey[];
    const values = this.numbers ? this.numbers.slice(0, keys.length) : this.values.slice();
    return { keys, times: this.times.slice(0, keys.length), values };
  }

  /** Instead of what is there. Keys are unlike each other. */
  load({ keys, times, values }: StateColumns): void {
    const capacity = capacityFor(keys.length);
    this.keys = keys.slice();
    this.values = values instanceof Float64Array ? [] : (values.slice() as V[]);
    this.numbers = values instanceof Float64Array ? withRoom(values, capacity) : undefined;
    this.times = withRoom(times.subarray(0, keys.length), capacity);
    this.hashes = new Int32Array(capacity);
    for (let slot = 0; slot < keys.length; slot++) this.hashes[slot] = hashOf(keys[slot] as StateKey);
    this.live = keys.length;
    this.first = 0;
    this.rebuildIndex(capacity);
  }

  private setValue(slot: number, value: V): void {
    if (this.numbers && typeof value === 'number') {
      this.numbers[slot] = value;
      return;
    }
    if (this.numbers) this.values = Array.from(this.numbers.subarray(0, this.keys.length)) as V[];
    this.numbers = undefined;
    this.values[slot] = value;
  }

  /** The place of the index where the key stands, or would. */
  private placeOf(key: StateKey, hash: number): number {
    const { index, keys, hashes } = this;
    const mask = index.length - 1;
    let place = hash & mask;
    for (let entry = index[place] as number; entry !== 0; entry = index[place] as number) {
      const slot = entry - 1;
      if (hashes[slot] === hash && isSame(keys[slot], key)) return place;
      place = (place + 1) & mask;
    }
    return place;
  }

  /** Those behind a place that becomes free move up, so that a search never ends too early. */
  private free(freed: number): void {
    const { index, hashes } = this;
    const mask = index.length - 1;
    let hole = freed;
    for (let place = (hole + 1) & mask; index[place] !== 0; place = (place + 1) & mask) {
      const home = (hashes[(index[place] as number) - 1] as number) & mask;
      if (((place - home) & mask) < ((place - hole) & mask)) continue;
      index[hole] = index[place] as number;
      hole = place;
    }
    index[hole] = 0;
  }

  private makeRoom(): void {
    // Mostly empty slots: the same room is enough once they are moved together.
    if (this.live > (this.keys.length * 3) / 4) this.grow(this.times.length * 2);
    else this.moveTogether();
  }

  private grow(capacity: number): void {
    this.times = withRoom(this.times, capacity);
    if (this.numbers) this.numbers = withRoom(this.numbers, capacity);
    const hashes = new Int32Array(capacity);
    hashes.set(this.hashes);
    this.hashes = hashes;
    this.rebuildIndex(capacity);
  }

  private moveTogether(): void {
    const { keys, values, numbers, times, hashes } = this;
    const cursors = [...this.cursors].map((cursor) => ({ cursor, at: cursor.at }));
    let to = 0;
    for (let from = 0; from < keys.length; from++) {
      for (const { cursor, at } of cursors) if (at === from) cursor.at = to;
      if (keys[from] === undefined) continue;
      if (from !== to) {
        keys[to] = keys[from];
        if (numbers) numbers[to] = numbers[from] as number;
        else values[to] = values[from];
        times[to] = times[from] as number;
        hashes[to] = hashes[from] as number;
      }
      to++;
    }
    for (const { cursor, at } of cursors) if (at >= keys.length) cursor.at = to;
    keys.length = to;
    if (!numbers) values.length = to;
    this.first = 0;
    this.rebuildIndex(times.length);
  }

  private rebuildIndex(capacity: number): void {
    const index = new Int32Array(capacity * indexFactor);
    const mask = index.length - 1;
    const { keys, hashes } = this;
    for (let slot = 0; slot < keys.length; slot++) {
      if (keys[slot] === undefined) continue;
      let place = (hashes[slot] as number) & mask;
      while (index[place] !== 0) place = (place + 1) & mask;
      index[place] = slot + 1;
    }
    this.index = index;
  }
}

/** As `Map` compares: NaN is itself. */
const isSame = (a: StateKey | undefined, b: StateKey): boolean => a === b || (Number.isNaN(a) && Number.isNaN(b));

function withRoom(column: Float64Array, capacity: number) {
  const larger = new Float64Array(capacity);
  larger.set(column);
  return larger;
}

function capacityFor(count: number): number {
  let capacity = capacityMin;
  while (capacity <= count) capacity *= 2;
  return capacity;
}
