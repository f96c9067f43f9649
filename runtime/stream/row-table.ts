/**
 * Values by key, any number of each key, in the order in which they came: one row each. A row takes its places in a few columns, so that a value
 * that waits alone needs no object, no list and no entry of a map for itself.
 *
 * Columns are rings: rows leave at the front with nothing moved. Rows are found through chains, one for each remainder of their hashes, from the
 * newest to the oldest: to enter one is two numbers written, whatever lies there already, and a chain ends where rows have left. So neither
 * coming nor leaving compares keys.
 */
import type { StateKey } from './definition.ts';
import { isSameKey } from './same-key.ts';

/** Powers of two, as are all lengths of rings. */
const capacityMin = 16;
const crowdsCount = 1_024;
/** A ring larger than `roomyMin` of which less than this part is taken is too large. */
const roomyMin = 4_096;
const roomyShare = 8;
/** Numbers of rows end some way before those of 32 bits do, so that there is time to number anew. */
const wornFrom = 2 ** 30;

const none = -1;

export class RowTable<V> {
  /** Number of the oldest row; the next one has the next number. */
  first = 0;
  /** Number that the row has that comes next. */
  next = 0;
  /** How many rows have left so far. */
  departed = 0;
  /** What `find` has found, from the newest to the oldest. */
  readonly found: number[] = [];
  /** A row lies at its number & mask. */
  private mask = capacityMin - 1;
  private keys: StateKey[] = [];
  private values: (V | undefined)[] = [];
  private hashes = new Int32Array(capacityMin);
  private times = new Float64Array(capacityMin);
  private untils = new Float64Array(capacityMin);
  private marks = new Uint8Array(capacityMin);
  /** By hash & mask the newest row; what is before `first` has left. */
  private heads = new Int32Array(capacityMin).fill(none);
  /** Of a row the one before it in its chain. */
  private links = new Int32Array(capacityMin);
  /** Rows by their hash, roughly. */
  private readonly crowds = new Uint32Array(crowdsCount);

  get size(): number {
    return this.next - this.first;
  }

  /** Whether it is time to lay the rows anew with `retain`: numbers are near their end, or most of the room is free. */
  get isWorn(): boolean {
    const capacity = this.mask + 1;
    return this.next >= wornFrom || (capacity > roomyMin && this.size * roomyShare < capacity);
  }

  /** Appends a row: its number. `until`: what the owner asks for again by `untilOf`. */
  add(key: StateKey, hash: number, time: number, until: number, value: V): number {
    if (this.next - this.first > this.mask) this.grow();
    const row = this.next++;
    const place = row & this.mask;
    // As in a `Map`, -0 is 0.
    this.keys[place] = key === 0 ? 0 : key;
    this.values[place] = value;
    this.hashes[place] = hash;
    this.times[place] = time;
    this.untils[place] = until;
    this.marks[place] = 0;
    (this.crowds[hash & (crowdsCount - 1)] as number)++;
    const bucket = hash & this.mask;
    this.links[place] = this.heads[bucket] as number;
    this.heads[bucket] = row;
    return row;
  }

  keyOf(row: number): StateKey {
    return this.keys[row & this.mask] as StateKey;
  }

  hashOf(row: number): number {
    return this.hashes[row & this.mask] as number;
  }

  timeOf(row: number): number {
    return this.times[row & this.mask] as number;
  }

  untilOf(row: number): number {
    return this.untils[row & this.mask] as number;
  }

  valueOf(row: number): V {
    return this.values[row & this.mask] as V;
  }

  /** Whether the owner has marked it. */
  isMarked(row: number): boolean {
    return this.marks[row & this.mask] === 1;
  }

  mark(row: number): void {
    this.marks[row & this.mask] = 1;
  }

  /** Puts the rows of a key into `found`: how many they are. */
  find(key: StateKey, hash: number): number {
    const { first, found, hashes, keys, links, mask } = this;
    let count = 0;
    for (let row = this.heads[hash & mask] as number; row >= first; row = links[row & mask] as number) {
      const place = row & mask;
      if (hashes[place] === hash && isSameKey(keys[place], key)) found[count++] = row;
    }
    return count;
  }

  /** The newest row of a key; negative: none. */
  newest(key: StateKey, hash: number): number {
    return this.search(this.heads[hash & this.mask] as number, key, hash);
  }

  /** The row before this one of the same key; negative: none. */
  older(row: number): number {
    const place = row & this.mask;
    return this.search(this.links[place] as number, this.keys[place] as StateKey, this.hashes[place] as number);
  }

  /** A key of this hash has no more rows than this. */
  crowdOf(hash: number): number {
    return this.crowds[hash & (crowdsCount - 1)] as number;
  }

  /** Every key, in the order of their first rows. */
  *eachKey(): IterableIterator<StateKey> {
    for (let row = this.first; row < this.next; row++) if (this.older(row) < 0) yield this.keyOf(row);
  }

  /** The rows before this one leave. */
  dropBefore(row: number): void {
    const { crowds, first, hashes, mask } = this;
    for (let gone = first; gone < row; gone++)
      (crowds[(hashes[gone & mask] as number) & (crowdsCount - 1)] as number)--;
    this.first = row;
    this.departed += row - first;
    this.release(first, row);
  }

  /** Only these rows stay, in their order; each has another number then, from 0 on. */
  retain(isKept: (row: number) => boolean): void {
    const rows = new Int32Array(this.size);
    let count = 0;
    for (let row = this.first; row < this.next; row++) if (isKept(row)) rows[count++] = row;
    this.departed += rows.length - count;
    this.layAnew(rows.subarray(0, count));
  }

  private search(from: number, key: StateKey, hash: number): number {
    const { first, hashes, keys, links, mask } = this;
    for (let row = from; row >= first; row = links[row & mask] as number) {
      const place = row & mask;
      if (hashes[place] === hash && isSameKey(keys[place], key)) return row;
    }
    return none;
  }

  private layAnew(rows: Int32Array): void {
    const { hashes, keys, marks, mask, times, untils, values } = this;
    const places = rows.map((row) => row & mask);
    let capacity = capacityMin;
    while (capacity <= places.length) capacity *= 2;
    this.keys = Array.from(places, (place) => keys[place] as StateKey);
    this.values = Array.from(places, (place) => values[place]);
    this.hashes = new Int32Array(capacity);
    this.times = new Float64Array(capacity);
    this.untils = new Float64Array(capacity);
    this.marks = new Uint8Array(capacity);
    this.crowds.fill(0);
    for (let to = 0; to < places.length; to++) {
      const from = places[to] as number;
      const hash = hashes[from] as number;
      this.hashes[to] = hash;
      this.times[to] = times[from] as number;
      this.untils[to] = untils[from] as number;
      this.marks[to] = marks[from] as number;
      (this.crowds[hash & (crowdsCount - 1)] as number)++;
    }
    this.first = 0;
    this.next = places.length;
    this.chainAnew(capacity);
  }

  /** Twice the room for a ring that is full. A row keeps its number, and lies where it lay or one old length further: it is put in both places. */
  private grow(): void {
    const capacity = (this.mask + 1) * 2;
    this.keys = this.keys.concat(this.keys);
    this.values = this.values.concat(this.values);
    this.hashes = twice(this.hashes, new Int32Array(capacity));
    this.times = twice(this.times, new Float64Array(capacity));
    this.untils = twice(this.untils, new Float64Array(capacity));
    this.marks = twice(this.marks, new Uint8Array(capacity));
    this.chainAnew(capacity);
    this.release(this.next, this.first + capacity);
  }

  private chainAnew(capacity: number): void {
    const { first, hashes, next } = this;
    const mask = capacity - 1;
    const heads = new Int32Array(capacity).fill(none);
    const links = new Int32Array(capacity);
    for (let row = first; row < next; row++) {
      const bucket = (hashes[row & mask] as number) & mask;
      links[row & mask] = heads[bucket] as number;
      heads[bucket] = row;
    }
    this.mask = mask;
    this.heads = heads;
    this.links = links;
  }

  /** Lets go of what lies in the places of these numbers. */
  private release(from: number, to: number): void {
    if (from === to) return;
    const { keys, mask, values } = this;
    const [begin, end] = [from & mask, ((to - 1) & mask) + 1];
    for (const [one, other] of begin < end
      ? [[begin, end]]
      : [
          [begin, mask + 1],
          [0, end],
        ]) {
      keys.fill(0, one, other);
      values.fill(undefined, one, other);
    }
  }
}

function twice<Column extends Int32Array | Float64Array | Uint8Array>(column: Column, wider: Column): Column {
  wider.set(column);
  wider.set(column, column.length);
  return wider;
}
