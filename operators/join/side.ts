/** The events of one side of a join that wait for partners. */
import { hashOf, RowTable, type StateKey } from '../../runtime/stream/index.ts';
import { EndCounts } from '../support/end-counts.ts';

/** Fewer rows that have ended are not worth the work of sweeping. */
const sweptMin = 256;

export class Side<V> {
  readonly rows = new RowTable<V>();
  /** So long after the last time of a partner the watermark rules it out. */
  private readonly heldMs: number;
  private readonly ends = new EndCounts();
  private letGoUntil = Number.NEGATIVE_INFINITY;
  private sweptUntil = Number.NEGATIVE_INFINITY;
  /** Rows from here on came since the watermark last moved. */
  private freshFrom: number;
  /** Rows that will end, and of them at least so many that have. */
  private ending = 0;
  private ended = 0;

  constructor(latenessMs: number) {
    // An event at the watermark is still on time.
    this.heldMs = latenessMs + 1;
    this.freshFrom = this.rows.next;
  }

  /** Number of its row. `until`: the last time at which a partner may lie. */
  add(key: StateKey, hash: number, time: number, until: number, value: V): number {
    this.note(until + this.heldMs);
    return this.rows.add(key, hash, time, until, value);
  }

  /** The first time at which the watermark rules out another partner of a row. */
  endOf(row: number): number {
    return this.rows.untilOf(row) + this.heldMs;
  }

  /**
   * Whether it waits still: those that have ended lie there until they stand at the front, or until enough of them can be swept together. What came
   * after its end waits for the next watermark, with which it may come out alone.
   */
  waits(row: number): boolean {
    const end = this.endOf(row);
    return end > this.letGoUntil || row >= this.freshFrom || end === Number.POSITIVE_INFINITY;
  }

  /** Rows of a key that wait, in the order in which they came. */
  waiting(key: StateKey): number[] {
    const { rows } = this;
    const count = rows.find(key, hashOf(key));
    return rows.found
      .slice(0, count)
      .reverse()
      .filter((row) => this.waits(row));
  }

  has(key: StateKey, hash = hashOf(key)): boolean {
    const { rows } = this;
    for (let row = rows.newest(key, hash); row >= 0; row = rows.older(row)) if (this.waits(row)) return true;
    return false;
  }

  /** Lets go of what ends by this time. True when rows have other numbers now. */
  letGo(watermark: number): boolean {
    this.letGoUntil = watermark;
    this.freshFrom = this.rows.next;
    this.ended += this.ends.takeUntil(watermark);
    this.dropFront();
    const { isWorn, size } = this.rows;
    const isWorthIt = this.ended >= sweptMin ? this.ended * 2 >= size : this.ended > 0 && this.ended === size;
    if (!isWorthIt && !isWorn) return false;
    this.takeOut();
    return true;
  }

  /** Takes all out that have ended. True when rows have other numbers now. */
  sweep(): boolean {
    // Where nothing can have ended since the last time, all would be moved for nothing.
    if (this.ending === 0 || this.sweptUntil === this.letGoUntil) return false;
    this.takeOut();
    return true;
  }

  /** Most end in about the order in which they came. */
  private dropFront(): void {
    const { rows } = this;
    const { first, next } = rows;
    let row = first;
    while (row < next && !this.waits(row)) row++;
    rows.dropBefore(row);
    this.ending -= row - first;
    // Some of them end within the second that is not over, and are counted later.
    this.ended -= row - first;
  }

  private takeOut(): void {
    const fresh = this.rows.next - this.freshFrom;
    this.sweptUntil = this.letGoUntil;
    this.forgetEnds();
    this.rows.retain((row) => {
      const isKept = this.waits(row);
      if (isKept) this.note(this.endOf(row));
      return isKept;
    });
    this.freshFrom = this.rows.next - fresh;
  }

  /** When a row will end. */
  private note(end: number): void {
    if (end === Number.POSITIVE_INFINITY) return;
    this.ends.add(end);
    this.ending++;
  }

  clear(): void {
    this.rows.retain(() => false);
    this.freshFrom = this.rows.next;
    this.letGoUntil = Number.NEGATIVE_INFINITY;
    this.sweptUntil = Number.NEGATIVE_INFINITY;
    this.forgetEnds();
  }

  private forgetEnds(): void {
    this.ending = 0;
    this.ended = 0;
    this.ends.clear();
  }
}
