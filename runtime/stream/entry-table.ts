/**
 * A map of keys to a value and a time, in the order of insertion. What a map of objects keeps as a million objects stands here in columns: a
 * fraction of the memory, nothing for the collector of garbage to follow, and a checkpoint copies it as it is.
 *
 * Slots stand in the order of insertion; the index finds a key's slot by its hash (linear probing, moved back when a key goes). The slot of
 * a key that has gone is empty until the slots are moved together.
 */
import { hashOf } from './key-hash.ts';
import { type KeyTexts, unreadKeysOf } from './key-texts.ts';
import type { StateKey } from './operator-state.ts';
import { isSameKey } from './same-key.ts';
import type { StateColumns } from './state-columns.ts';

const capacityMin = 16;
/** Places of the index for each slot. */
const indexFactor = 2;
/** A table of which less than one part in so many was in use gives its room back. */
const capacityKept = 8;

/** Where somebody stands who goes through the slots while they may be moved. */
interface Cursor {
  at: number;
}

/** In the place of a key that stands in `texts` alone. */
const unread = null;

export class EntryTable<V> {
  /** Of an empty slot: undefined. */
  private keys: (StateKey | undefined | typeof unread)[] = [];
  /** Keys of a checkpoint, by slot, until all have been read. */
  private texts: KeyTexts | undefined;
  /** In the place of `keys` until there is a key that is no number: compared where it lies. Of an empty slot: NaN. */
  private numberKeys: Float64Array | undefined = new Float64Array(capacityMin);
  /** Slots in use, the empty ones among them. */
  private count = 0;
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
  /** Where a key was found last: who looks a key up mostly sets it next. */
  private found = 0;
  private readonly cursors = new Set<Cursor>();

  get size(): number {
    return this.live;
  }

  /** Its slot, or -1. A slot holds good until the next `append`. */
  find(key: StateKey): number {
    const { numberKeys, found } = this;
    if (numberKeys && typeof key !== 'number') return -1;
    if (numberKeys && numberKeys[found] === key && found < this.count) return found;
    const slot = (this.index[this.placeOf(key, hashOf(key))] as number) - 1;
    if (slot >= 0) this.found = slot;
    return slot;
  }

  valueAt(slot: number): V {
    return (this.numbers ? this.numbers[slot] : this.values[slot]) as V;
  }

  timeAt(slot: number): number {
    return this.times[slot] as number;
  }

  keyAt(slot: number): StateKey {
    if (this.numberKeys) return this.numberKeys[slot] as number;
    return this.keys[slot] ?? this.readKey(slot);
  }

  put(slot: number, value: V, time: number): void {
    this.setValue(slot, value);
    this.times[slot] = time;
  }

  /** A key that is not there, behind all others. */
  append(key: StateKey, value: V, time: number): void {
    if (this.count === this.times.length) this.makeRoom();
    const hash = hashOf(key);
    const slot = this.count;
    this.setKey(slot, key);
    this.count++;
    this.setValue(slot, value);
    this.times[slot] = time;
    this.hashes[slot] = hash;
    this.index[this.placeOf(key, hash)] = slot + 1;
    this.live++;
  }

  remove(slot: number): void {
    this.free(this.placeOf(this.keyAt(slot), this.hashes[slot] as number));
    if (this.numberKeys) this.numberKeys[slot] = Number.NaN;
    else this.keys[slot] = undefined;
    if (!this.numbers) this.values[slot] = undefined;
    this.live--;
  }

  /** The slot of the key that was appended first, or -1. */
  oldest(): number {
    if (this.live === 0) return -1;
    while (this.isEmpty(this.first)) this.first++;
    return this.first;
  }

  /** Slots in order; what is appended meanwhile comes too, what is removed does not. */
  *slots(): IterableIterator<number> {
    const cursor: Cursor = { at: this.first };
    this.cursors.add(cursor);
    try {
      while (cursor.at < this.count) {
        const slot = cursor.at++;
        if (!this.isEmpty(slot)) yield slot;
      }
    } finally {
      this.cursors.delete(cursor);
    }
  }

  /** Columns of their own; the values are the same objects. */
  columns(): StateColumns {
    if (this.live < this.count) this.moveTogether();
    this.readKeys();
    const { count } = this;
    const keys = this.numberKeys ? Array.from(this.numberKeys.subarray(0, count)) : (this.keys.slice() as StateKey[]);
    const values = this.numbers ? this.numbers.slice(0, count) : this.values.slice();
    return { keys, times: this.times.slice(0, count), values };
  }

  /** Instead of what is there. Keys are unlike each other. */
  load(columns: StateColumns): void {
    const { times, values } = columns;
    this.texts = unreadKeysOf(columns);
    const count = this.texts?.count ?? columns.keys.length;
    const capacity = capacityFor(count);
    this.hashes = new Int32Array(capacity);
    if (this.texts) this.loadTexts(this.texts);
    else this.loadKeys(columns.keys, capacity);
    this.count = count;
    this.values = values instanceof Float64Array ? [] : (values.slice() as V[]);
    this.numbers = values instanceof Float64Array ? withRoom(values, capacity) : undefined;
    this.times = withRoom(times.subarray(0, count), capacity);
    this.live = count;
    this.first = 0;
    this.rebuildIndex(capacity);
  }

  private loadTexts(texts: KeyTexts): void {
    this.numberKeys = undefined;
    this.keys = new Array(texts.count).fill(unread);
    for (let slot = 0; slot < texts.count; slot++) this.hashes[slot] = texts.hashAt(slot);
  }

  private loadKeys(keys: readonly StateKey[], capacity: number): void {
    const isNumeric = keys.every(isPlainNumber);
    this.keys = isNumeric ? [] : keys.slice();
    this.numberKeys = isNumeric ? withRoom(keys as readonly number[], capacity) : undefined;
    for (let slot = 0; slot < keys.length; slot++) this.hashes[slot] = hashOf(keys[slot] as StateKey);
  }

  /** Takes all out; the room for as many stays. */
  clear(): void {
    for (const cursor of this.cursors) cursor.at = 0;
    if (this.count * capacityKept < this.times.length) return this.load(nothing);
    this.index.fill(0);
    this.texts = undefined;
    this.keys.length = 0;
    this.values.length = 0;
    this.count = 0;
    this.live = 0;
    this.first = 0;
  }

  private isEmpty(slot: number): boolean {
    return this.numberKeys ? Number.isNaN(this.numberKeys[slot]) : this.keys[slot] === undefined;
  }

  private readKey(slot: number): StateKey {
    const key = (this.texts as KeyTexts).at(slot);
    this.keys[slot] = key;
    return key;
  }

  /** Before slots are moved, and where all are wanted. */
  private readKeys(): void {
    if (!this.texts) return;
    for (let slot = 0; slot < this.texts.count; slot++) if (this.keys[slot] === unread) this.readKey(slot);
    this.texts = undefined;
  }

  private setKey(slot: number, key: StateKey): void {
    // As in a `Map`, -0 is 0.
    const plain = key === 0 ? 0 : key;
    if (this.numberKeys && isPlainNumber(plain)) {
      this.numberKeys[slot] = plain;
      return;
    }
    if (this.numberKeys)
      this.keys = Array.from(this.numberKeys.subarray(0, this.count), (known) =>
        Number.isNaN(known) ? undefined : known,
      );
    this.numberKeys = undefined;
    this.keys[slot] = plain;
  }

  private setValue(slot: number, value: V): void {
    if (this.numbers && typeof value === 'number') {
      this.numbers[slot] = value;
      return;
    }
    if (this.numbers) this.values = Array.from(this.numbers.subarray(0, this.count)) as V[];
    this.numbers = undefined;
    this.values[slot] = value;
  }

  /** The place of the index where the key stands, or would. */
  private placeOf(key: StateKey, hash: number): number {
    const { index, keys, numberKeys, hashes } = this;
    const mask = index.length - 1;
    let place = hash & mask;
    if (numberKeys) {
      for (let entry = index[place] as number; entry !== 0; entry = index[place] as number) {
        if (numberKeys[entry - 1] === key) return place;
        place = (place + 1) & mask;
      }
      return place;
    }
    for (let entry = index[place] as number; entry !== 0; entry = index[place] as number) {
      const slot = entry - 1;
      if (hashes[slot] === hash && isSameKey(keys[slot] ?? this.readKey(slot), key)) return place;
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
    if (this.live > (this.count * 3) / 4) this.grow(this.times.length * 2);
    else this.moveTogether();
  }

  private grow(capacity: number): void {
    this.times = withRoom(this.times, capacity);
    if (this.numbers) this.numbers = withRoom(this.numbers, capacity);
    if (this.numberKeys) this.numberKeys = withRoom(this.numberKeys, capacity);
    const hashes = new Int32Array(capacity);
    hashes.set(this.hashes);
    this.hashes = hashes;
    this.rebuildIndex(capacity);
  }

  private moveTogether(): void {
    this.readKeys();
    const { keys, numberKeys, values, numbers, times, hashes, count } = this;
    const cursors = [...this.cursors].map((cursor) => ({ cursor, at: cursor.at }));
    let to = 0;
    for (let from = 0; from < count; from++) {
      for (const { cursor, at } of cursors) if (at === from) cursor.at = to;
      if (this.isEmpty(from)) continue;
      if (from !== to) {
        if (numberKeys) numberKeys[to] = numberKeys[from] as number;
        else keys[to] = keys[from];
        if (numbers) numbers[to] = numbers[from] as number;
        else values[to] = values[from];
        times[to] = times[from] as number;
        hashes[to] = hashes[from] as number;
      }
      to++;
    }
    for (const { cursor, at } of cursors) if (at >= count) cursor.at = to;
    this.count = to;
    if (!numberKeys) keys.length = to;
    if (!numbers) values.length = to;
    this.first = 0;
    this.rebuildIndex(times.length);
  }

  private rebuildIndex(capacity: number): void {
    const index = new Int32Array(capacity * indexFactor);
    const mask = index.length - 1;
    const { hashes, count } = this;
    for (let slot = 0; slot < count; slot++) {
      if (this.isEmpty(slot)) continue;
      let place = (hashes[slot] as number) & mask;
      while (index[place] !== 0) place = (place + 1) & mask;
      index[place] = slot + 1;
    }
    this.index = index;
  }
}

const nothing: StateColumns = { keys: [], times: new Float64Array(0), values: new Float64Array(0) };

const isPlainNumber = (key: StateKey): key is number => typeof key === 'number' && !Number.isNaN(key);

function withRoom(column: ArrayLike<number>, capacity: number) {
  const larger = new Float64Array(capacity);
  larger.set(column);
  return larger;
}

function capacityFor(count: number): number {
  let capacity = capacityMin;
  while (capacity <= count) capacity *= 2;
  return capacity;
}
