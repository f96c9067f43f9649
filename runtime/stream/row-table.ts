/**
 * Values by key, any number of each key, in the order in which they came: one row each. A row takes its places in a few lists, so that a value that
 * waits alone needs no object, no list and no entry of a map for itself.
 *
 * Rows are indexed late. Who looks for a key goes through those that are not indexed yet one by one, until that has cost about as much as indexing
 * them would have: where many rows wait for few that ask, no index is ever made. Rows do not go one by one either: `retain` moves together
 * those that are still wanted, and forgets the index.
 */
import type { StateKey } from './definition.ts';
import { hashOf } from './key-hash.ts';
import { isSameKey } from './same-key.ts';

const capacityMin = 16;
/** Places of the index for each slot. */
const indexFactor = 2;
/** So many times those that are not indexed are gone through one by one before they are. */
const scansMax = 8;
/** Counts of rows by their hash; a power of two. */
const crowdsCount = 1_024;

const nothing = new Int32Array(0);

export class RowTable<V> {
  /** Of each row. They are read from outside, and changed in here alone. */
  readonly keys: StateKey[] = [];
  readonly times: number[] = [];
  readonly values: V[] = [];
  /** What the owner notes of a row; 0 at first. */
  readonly marks: number[] = [];
  private hashes = new Int32Array(capacityMin);
  private readonly crowds = new Uint32Array(crowdsCount);
  /** Rows before this one are indexed. */
  private indexed = 0;
  /** Rows that were gone through one by one since. */
  private scanned = 0;
  /** Of an indexed row the next of its key; -1: none. */
  private nextRows = nothing;
  /** Slot of a key + 1; 0: free. Its length is a power of two. */
  private index = nothing;
  /** Of each key that is indexed, in the order of their first rows. */
  private slotKeys: StateKey[] = [];
  private slotHashes = nothing;
  private firstRows = nothing;
  private lastRows = nothing;
  private counts = nothing;
  private twin: RowTable<unknown> | undefined;
  /** Keys that the twin had when they were indexed here. */
  private keysOfTwin = 0;
  private soughtKey: StateKey = 0;
  private soughtHash = 0;

  /** Two tables whose keys are counted together. */
  static pair(one: RowTable<unknown>, other: RowTable<unknown>): void {
    one.twin = other;
    other.twin = one;
  }

  get size(): number {
    return this.keys.length;
  }

  /** Appends a row: its number. */
  add(key: StateKey, time: number, value: V): number {
    const row = this.keys.length;
    const hash = hashOf(key);
    if (row === this.hashes.length) this.hashes = withRoom(this.hashes, row * 2);
    this.hashes[row] = hash;
    (this.crowds[hash & (crowdsCount - 1)] as number)++;
    // As in a `Map`, -0 is 0.
    this.keys.push(key === 0 ? 0 : key);
    this.times.push(time);
    this.values.push(value);
    this.marks.push(0);
    return row;
  }

  /** The first row of a key, or -1. */
  first(key: StateKey): number {
    this.soughtKey = key;
    this.soughtHash = hashOf(key);
    const rest = this.keys.length - this.indexed;
    if (rest > 0) {
      this.scanned += rest;
      if (this.scanned > rest * scansMax) this.indexAll();
    }
    const slot = this.slotOf(key, this.soughtHash);
    return slot >= 0 ? (this.firstRows[slot] as number) : this.scanFrom(this.indexed);
  }

  /** The next row of the key that was asked for last, or -1. Nothing may be added in between. */
  after(row: number): number {
    if (row >= this.indexed) return this.scanFrom(row + 1);
    const next = this.nextRows[row] as number;
    return next >= 0 ? next : this.scanFrom(this.indexed);
  }

  /** The key has no more rows than this. */
  crowdOf(key: StateKey): number {
    return this.crowds[hashOf(key) & (crowdsCount - 1)] as number;
  }

  /** Rows of a key. */
  countOf(key: StateKey): number {
    this.indexAll();
    const slot = this.slotOf(key, hashOf(key));
    return slot < 0 ? 0 : (this.counts[slot] as number);
  }

  /** Keys of this table and of its twin; one that both have counts once. */
  countKeys(): number {
    const { twin } = this;
    this.indexAll();
    twin?.indexAll();
    const ofTwin = twin ? twin.slotKeys.length - twin.keysOfTwin : 0;
    return this.slotKeys.length - this.keysOfTwin + ofTwin;
  }

  /** Every key, in the order of their first rows. */
  *eachKey(): IterableIterator<StateKey> {
    this.indexAll();
    for (let slot = 0; slot < this.slotKeys.length; slot++) yield this.slotKeys[slot] as StateKey;
  }

  /** Only these rows stay, in their order; each has another number then. */
  retain(isKept: (row: number) => boolean): void {
    const rows = new Int32Array(this.keys.length);
    let count = 0;
    for (let row = 0; row < rows.length; row++) if (isKept(row)) rows[count++] = row;
    const { hashes, crowds } = this;
    for (const column of [this.keys, this.times, this.values, this.marks]) moveTogether(column, rows, count);
    crowds.fill(0);
    for (let at = 0; at < count; at++) {
      const hash = hashes[rows[at] as number] as number;
      hashes[at] = hash;
      (crowds[hash & (crowdsCount - 1)] as number)++;
    }
    this.forgetIndex();
  }

  private scanFrom(from: number): number {
    const { hashes, keys, soughtHash, soughtKey } = this;
    for (let row = from; row < keys.length; row++)
      if (hashes[row] === soughtHash && isSameKey(keys[row] as StateKey, soughtKey)) return row;
    return -1;
  }

  /** Of a key that is indexed; or -1. */
  private slotOf(key: StateKey, hash: number): number {
    return this.slotKeys.length === 0 ? -1 : (this.index[this.placeOf(key, hash)] as number) - 1;
  }

  /** The place of the index where the key stands, or would. */
  private placeOf(key: StateKey, hash: number): number {
    const { index, slotKeys, slotHashes } = this;
    const mask = index.length - 1;
    let place = hash & mask;
    for (let entry = index[place] as number; entry !== 0; entry = index[place] as number) {
      if (slotHashes[entry - 1] === hash && isSameKey(slotKeys[entry - 1] as StateKey, key)) return place;
      place = (place + 1) & mask;
    }
    return place;
  }

  private indexAll(): void {
    const { keys, hashes, indexed } = this;
    if (indexed === keys.length) return;
    this.scanned = 0;
    if (this.nextRows.length < keys.length) this.nextRows = withRoom(this.nextRows, hashes.length);
    for (let row = indexed; row < keys.length; row++) this.indexRow(row, keys[row] as StateKey, hashes[row] as number);
    this.indexed = keys.length;
  }

  private indexRow(row: number, key: StateKey, hash: number): void {
    this.nextRows[row] = -1;
    if (this.slotKeys.length === this.slotHashes.length) this.growSlots();
    const { index, lastRows } = this;
    const place = this.placeOf(key, hash);
    const known = (index[place] as number) - 1;
    if (known >= 0) {
      this.nextRows[lastRows[known] as number] = row;
      lastRows[known] = row;
      (this.counts[known] as number)++;
      return;
    }
    const slot = this.slotKeys.push(key) - 1;
    index[place] = slot + 1;
    this.slotHashes[slot] = hash;
    this.firstRows[slot] = row;
    lastRows[slot] = row;
    this.counts[slot] = 1;
    if (this.twin && this.twin.slotOf(key, hash) >= 0) this.keysOfTwin++;
  }

  private growSlots(): void {
    const capacity = Math.max(capacityMin, this.slotHashes.length * 2);
    this.slotHashes = withRoom(this.slotHashes, capacity);
    this.firstRows = withRoom(this.firstRows, capacity);
    this.lastRows = withRoom(this.lastRows, capacity);
    this.counts = withRoom(this.counts, capacity);
    const index = new Int32Array(capacity * indexFactor);
    const mask = index.length - 1;
    for (let slot = 0; slot < this.slotKeys.length; slot++) {
      let place = (this.slotHashes[slot] as number) & mask;
      while (index[place] !== 0) place = (place + 1) & mask;
      index[place] = slot + 1;
    }
    this.index = index;
  }

  private forgetIndex(): void {
    this.indexed = 0;
    this.scanned = 0;
    this.slotKeys = [];
    for (const name of ['index', 'slotHashes', 'firstRows', 'lastRows', 'counts'] as const) this[name] = nothing;
    // Of every key that both had, one of the two was indexed here.
    this.keysOfTwin = 0;
    if (this.twin) this.twin.keysOfTwin = 0;
  }
}

function moveTogether(column: unknown[], rows: Int32Array, count: number): void {
  for (let at = 0; at < count; at++) column[at] = column[rows[at] as number];
  column.length = count;
}

function withRoom(column: Int32Array, capacity: number) {
  const larger = new Int32Array(capacity);
  larger.set(column);
  return larger;
}
