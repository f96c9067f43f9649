/**
 * The distinct values of all rows of a state, in one table by row and value. Where several counts go by one argument (`distinct(x)`, `distinct(x, small)`)
 * an event is looked up once for all of them: an entry has a mark for each count that has seen its value. How many each has seen stands in
 * the row itself.
 */
import { hashOf, type RowTaker } from '../../runtime/stream/index.ts';
import { aggregateLimits } from './limits.ts';

const capacityMin = 64;
/** Places of the index for each entry. */
const indexFactor = 2;
/** An entry is 16 bytes, so that it lies in one line of the processor's memory: a row and marks as integers, then the value. */
const entryInts = 4;
const entryFloats = 2;
const rowAt = 0;
const marksAt = 1;
const valueAt = 1;

/** Places in a row: of the counts, one after the other, and of the newest entry of the row (its number and 1; 0: none). */
export interface DistinctPlaces {
  readonly counts: number;
  readonly newest: number;
}

export class DistinctTable implements RowTaker {
  private readonly places: DistinctPlaces;
  private ints = new Int32Array(capacityMin * entryInts);
  private floats = new Float64Array(this.ints.buffer);
  /** The entries of a row are a ring in the order in which they came: behind the newest comes the oldest. */
  private ring = new Int32Array(capacityMin);
  /** Entry + 1; 0: free. Its length is a power of two. */
  private index = new Int32Array(capacityMin * indexFactor);
  private count = 0;
  /** The greatest count of any row. */
  private most = 0;
  /** Texts are held by their place in the order in which they came; each once for all rows. */
  private readonly textPlaces = new Map<string, number>();
  private readonly texts: string[] = [];

  constructor(places: DistinctPlaces) {
    this.places = places;
  }

  /** `marks`: the counts by which the value is taken in. */
  take(rows: Float64Array, first: number, value: unknown, marks: number): void {
    const entry = this.entryFor(rows, first, this.numberOf(value));
    const at = entry * entryInts + marksAt;
    const known = this.ints[at] as number;
    const added = marks & ~known;
    if (added === 0) return;
    this.ints[at] = known | added;
    this.raise(rows, first + this.places.counts, added);
  }

  /** Whether one of these counts is full, so that it takes in nothing but what it has seen. */
  mayRefuse(events: number): boolean {
    return this.most + events > aggregateLimits.distinctValuesMax;
  }

  /** Whether a count has room for a value, or has seen it. */
  admits(rows: Float64Array, first: number, value: unknown, count: number): boolean {
    if ((rows[first + this.places.counts + count] as number) < aggregateLimits.distinctValuesMax) return true;
    const number = typeof value === 'string' ? this.textPlaces.get(value) : (value as number);
    const entry = number === undefined ? -1 : this.find(first, number);
    return entry >= 0 && ((this.ints[entry * entryInts + marksAt] as number) & (1 << count)) !== 0;
  }

  /** What a count has seen, in the order in which it came. */
  valuesOf(rows: Float64Array, first: number, count: number): (number | string)[] {
    const values: (number | string)[] = [];
    const newest = (rows[first + this.places.newest] as number) - 1;
    if (newest < 0) return values;
    let entry = newest;
    do {
      entry = this.ring[entry] as number;
      const marks = this.ints[entry * entryInts + marksAt] as number;
      if ((marks & (1 << count)) !== 0) values.push(this.valueOf(entry));
    } while (entry !== newest);
    return values;
  }

  private numberOf(value: unknown): number {
    if (typeof value !== 'string') return value as number;
    const known = this.textPlaces.get(value);
    if (known !== undefined) return known;
    const place = this.texts.push(value) - 1;
    this.textPlaces.set(value, place);
    return place;
  }

  private valueOf(entry: number): number | string {
    const number = this.floats[entry * entryFloats + valueAt] as number;
    return this.texts.length > 0 ? (this.texts[number] as string) : number;
  }

  private raise(rows: Float64Array, counts: number, added: number): void {
    for (let rest = added; rest !== 0; rest &= rest - 1) {
      const at = counts + 31 - Math.clz32(rest & -rest);
      const count = (rows[at] as number) + 1;
      rows[at] = count;
      if (count > this.most) this.most = count;
    }
  }

  private entryFor(rows: Float64Array, first: number, value: number): number {
    const place = this.placeOf(first, value);
    const known = (this.index[place] as number) - 1;
    if (known >= 0) return known;
    if (this.count === this.ring.length) {
      this.makeRoom();
      return this.append(rows, first, value, this.placeOf(first, value));
    }
    return this.append(rows, first, value, place);
  }

  private append(rows: Float64Array, first: number, value: number, place: number): number {
    const { ring } = this;
    const entry = this.count++;
    this.ints[entry * entryInts + rowAt] = first;
    this.floats[entry * entryFloats + valueAt] = value;
    this.index[place] = entry + 1;
    const newestAt = first + this.places.newest;
    const newest = (rows[newestAt] as number) - 1;
    ring[entry] = newest < 0 ? entry : (ring[newest] as number);
    if (newest >= 0) ring[newest] = entry;
    rows[newestAt] = entry + 1;
    return entry;
  }

  private find(first: number, value: number): number {
    return (this.index[this.placeOf(first, value)] as number) - 1;
  }

  /** The place of the index where an entry stands, or would. */
  private placeOf(first: number, value: number): number {
    const { index, ints, floats } = this;
    const mask = index.length - 1;
    let place = hashOfEntry(first, value) & mask;
    for (let entry = (index[place] as number) - 1; entry >= 0; entry = (index[place] as number) - 1) {
      if (ints[entry * entryInts + rowAt] === first && isSame(floats[entry * entryFloats + valueAt] as number, value))
        return place;
      place = (place + 1) & mask;
    }
    return place;
  }

  private makeRoom(): void {
    const capacity = this.ring.length * 2;
    const ints = new Int32Array(capacity * entryInts);
    ints.set(this.ints);
    const floats = new Float64Array(ints.buffer);
    const ring = new Int32Array(capacity);
    ring.set(this.ring);
    const index = new Int32Array(capacity * indexFactor);
    const mask = index.length - 1;
    for (let entry = 0; entry < this.count; entry++) {
      let place =
        hashOfEntry(ints[entry * entryInts + rowAt] as number, floats[entry * entryFloats + valueAt] as number) & mask;
      while (index[place] !== 0) place = (place + 1) & mask;
      index[place] = entry + 1;
    }
    this.ints = ints;
    this.floats = floats;
    this.ring = ring;
    this.index = index;
  }
}

function hashOfEntry(first: number, value: number): number {
  const mixed = Math.imul(hashOf(value) ^ Math.imul(first, 0x85ebca6b), 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}

/** As in a `Map`, what is no number equals itself. */
function isSame(one: number, other: number): boolean {
  return one === other || (Number.isNaN(one) && Number.isNaN(other));
}
