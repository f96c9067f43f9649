/**
 * Values by key, any number of each key, in the order in which they came: one row each. A row takes its places in a few columns, so that a value
 * that waits alone needs no object, no list and no entry of a map for itself.
 *
 * Rows stand on pages: they leave at the front, and more come, with nothing moved. They are found through chains, one for each ending of their
 * hashes, from the newest to the oldest: to enter one is two numbers written, whatever lies there already, and a chain ends where rows have
 * left. So neither coming nor leaving compares keys.
 */
import type { StateKey } from './operator-state.ts';
import { isSameKey } from './same-key.ts';

/** Numbers of rows, chains and counts by hash are powers of two. */
const pageBits = 10;
const pageRows = 2 ** pageBits;
const placeMask = pageRows - 1;
const chainsMin = 16;
const chainsGrowth = 4;
/** So many chains for each row are too many. */
const chainsPerRowMax = 64;
const crowdsCount = 1_024;
/** Numbers of rows end some way before those of 32 bits do, so that there is time to number anew. */
const wornFrom = 2 ** 30;

const none = -1;

/** What is read together lies together: of each row its hash and the row before it in its chain; and two times. */
const linkWidth = 2;
const hashAt = 0;
const linkAt = 1;
const timeWidth = 2;
const timeAt = 0;
const untilAt = 1;

class Page<V> {
  readonly keys = new Array<StateKey>(pageRows);
  readonly values = new Array<V | undefined>(pageRows);
  readonly times = new Float64Array(pageRows * timeWidth);
  readonly links = new Int32Array(pageRows * linkWidth);
  readonly marks = new Uint8Array(pageRows);
}

export class RowTable<V> {
  /** Number of the oldest row; the next one has the next number. Read from outside, as what follows, and changed in here alone. */
  first = 0;
  /** Number that the row has that comes next. */
  next = 0;
  /** How many rows have left so far. */
  departed = 0;
  /** What `find` has found, from the newest to the oldest. */
  readonly found: number[] = [];
  private pages: Page<V>[] = [];
  /** Pages of rows that have all left, and are here no more. */
  private pagesGone = 0;
  /** The last of them, for the rows that come next. */
  private spare: Page<V> | undefined;
  /** By the end of the hash the newest row; what is before `first` has left. */
  private heads = new Int32Array(chainsMin).fill(none);
  /** Rows by their hash, roughly. */
  private readonly crowds = new Uint32Array(crowdsCount);

  get size(): number {
    return this.next - this.first;
  }

  /** Whether it is time to lay the rows anew with `retain`: numbers are near their end, or there are far more chains than rows. */
  get isWorn(): boolean {
    return this.next >= wornFrom || this.heads.length > (this.size + chainsMin) * chainsPerRowMax;
  }

  /** Appends a row: its number. `until`: what the owner asks for again by `untilOf`. */
  add(key: StateKey, hash: number, time: number, until: number, value: V): number {
    if (this.next - this.first === this.heads.length) this.chainAnew(this.heads.length * chainsGrowth);
    const row = this.next++;
    const place = row & placeMask;
    if (place === 0) this.openPage();
    const { keys, links, marks, times, values } = this.pages[this.pages.length - 1] as Page<V>;
    const { heads } = this;
    const chain = hash & (heads.length - 1);
    // As in a `Map`, -0 is 0.
    keys[place] = key === 0 ? 0 : key;
    values[place] = value;
    times[place * timeWidth + timeAt] = time;
    times[place * timeWidth + untilAt] = until;
    links[place * linkWidth + hashAt] = hash;
    links[place * linkWidth + linkAt] = heads[chain] as number;
    marks[place] = 0;
    heads[chain] = row;
    (this.crowds[hash & (crowdsCount - 1)] as number)++;
    return row;
  }

  keyOf(row: number): StateKey {
    return this.pageOf(row).keys[row & placeMask] as StateKey;
  }

  hashOf(row: number): number {
    return this.pageOf(row).links[(row & placeMask) * linkWidth + hashAt] as number;
  }

  timeOf(row: number): number {
    return this.pageOf(row).times[(row & placeMask) * timeWidth + timeAt] as number;
  }

  untilOf(row: number): number {
    return this.pageOf(row).times[(row & placeMask) * timeWidth + untilAt] as number;
  }

  valueOf(row: number): V {
    return this.pageOf(row).values[row & placeMask] as V;
  }

  /** Whether the owner has marked it. */
  isMarked(row: number): boolean {
    return this.pageOf(row).marks[row & placeMask] === 1;
  }

  mark(row: number): void {
    this.pageOf(row).marks[row & placeMask] = 1;
  }

  /** Puts the rows of a key into `found`: how many they are. */
  find(key: StateKey, hash: number): number {
    const { first, found, heads, pages, pagesGone } = this;
    let count = 0;
    for (let row = heads[hash & (heads.length - 1)] as number; row >= first; ) {
      const { keys, links } = pages[(row >> pageBits) - pagesGone] as Page<V>;
      const place = row & placeMask;
      if (links[place * linkWidth + hashAt] === hash && isSameKey(keys[place], key)) found[count++] = row;
      row = links[place * linkWidth + linkAt] as number;
    }
    return count;
  }

  /** The newest row of a key; negative: none. */
  newest(key: StateKey, hash: number): number {
    return this.search(this.heads[hash & (this.heads.length - 1)] as number, key, hash);
  }

  /** The row before this one of the same key; negative: none. */
  older(row: number): number {
    const link = this.pageOf(row).links[(row & placeMask) * linkWidth + linkAt] as number;
    return this.search(link, this.keyOf(row), this.hashOf(row));
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
    const { crowds, first } = this;
    for (let gone = first; gone < row; gone++) (crowds[this.hashOf(gone) & (crowdsCount - 1)] as number)--;
    this.departed += row - first;
    this.first = row;
    while (this.pagesGone < row >> pageBits) this.closePage();
  }

  /** Only these rows stay, in their order; each has another number then, from 0 on. */
  retain(isKept: (row: number) => boolean): void {
    const kept = new RowTable<V>();
    for (let row = this.first; row < this.next; row++) {
      if (!isKept(row)) continue;
      const added = kept.add(this.keyOf(row), this.hashOf(row), this.timeOf(row), this.untilOf(row), this.valueOf(row));
      if (this.isMarked(row)) kept.mark(added);
    }
    this.departed += this.size - kept.size;
    this.first = 0;
    this.next = kept.next;
    this.pages = kept.pages;
    this.pagesGone = 0;
    this.heads = kept.heads;
    this.crowds.set(kept.crowds);
  }

  private pageOf(row: number): Page<V> {
    return this.pages[(row >> pageBits) - this.pagesGone] as Page<V>;
  }

  private openPage(): void {
    this.pages.push(this.spare ?? new Page<V>());
    this.spare = undefined;
  }

  private closePage(): void {
    this.spare = this.pages.shift() as Page<V>;
    this.spare.keys.fill(0);
    this.spare.values.fill(undefined);
    this.pagesGone++;
  }

  private search(from: number, key: StateKey, hash: number): number {
    for (let row = from; row >= this.first; ) {
      const { keys, links } = this.pageOf(row);
      const place = row & placeMask;
      if (links[place * linkWidth + hashAt] === hash && isSameKey(keys[place], key)) return row;
      row = links[place * linkWidth + linkAt] as number;
    }
    return none;
  }

  private chainAnew(chains: number): void {
    const heads = new Int32Array(chains).fill(none);
    for (let row = this.first; row < this.next; row++) {
      const { links } = this.pageOf(row);
      const at = (row & placeMask) * linkWidth;
      const chain = (links[at + hashAt] as number) & (chains - 1);
      links[at + linkAt] = heads[chain] as number;
      heads[chain] = row;
    }
    this.heads = heads;
  }
}
