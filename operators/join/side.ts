/** The events of one side of a join that wait for partners. */
import { RowTable, type StateKey } from '../../runtime/stream/index.ts';
import { EndCounts } from '../support/end-counts.ts';

/** Fewer rows that have ended are not worth the work of sweeping. */
const sweptMin = 256;

/** Mark of a left event that has had a partner. */
export const matched = 1;

export class Side<V> {
  readonly rows = new RowTable<V>();
  /** The first time at which the watermark rules out another partner of a row. */
  readonly endOf: (row: number) => number;
  private readonly ends = new EndCounts();
  private letGoUntil = Number.NEGATIVE_INFINITY;
  private sweptUntil = Number.NEGATIVE_INFINITY;
  /** Rows that will end, and of them at least so many that have. */
  private ending = 0;
  private ended = 0;

  constructor(endOf: (row: number) => number) {
    this.endOf = endOf;
  }

  /** Number of its row. */
  add(key: StateKey, time: number, value: V): number {
    const row = this.rows.add(key, time, value);
    this.note(this.endOf(row));
    return row;
  }

  /** Whether it waits still: those that have ended lie there until enough have to be swept together. */
  waits(row: number): boolean {
    return this.waitsUntil(this.endOf(row));
  }

  private waitsUntil(end: number): boolean {
    return end > this.letGoUntil || end === Number.POSITIVE_INFINITY;
  }

  /** Rows of a key that wait. */
  waiting(key: StateKey): number[] {
    const waiting: number[] = [];
    for (let row = this.rows.first(key); row >= 0; row = this.rows.after(row)) if (this.waits(row)) waiting.push(row);
    return waiting;
  }

  has(key: StateKey): boolean {
    for (let row = this.rows.first(key); row >= 0; row = this.rows.after(row)) if (this.waits(row)) return true;
    return false;
  }

  /** Lets go of what ends by this time. True when rows have other numbers now. */
  letGo(watermark: number): boolean {
    this.letGoUntil = watermark;
    this.ended += this.ends.takeUntil(watermark);
    const { size } = this.rows;
    const isWorthIt = this.ended >= sweptMin ? this.ended * 2 >= size : this.ended === size;
    return size > 0 && isWorthIt && this.sweep();
  }

  /** Takes all out that have ended. True when rows have other numbers now. */
  sweep(): boolean {
    // Where nothing can have ended since the last time, all would be moved for nothing.
    if (this.ending === 0 || this.sweptUntil === this.letGoUntil) return false;
    this.sweptUntil = this.letGoUntil;
    this.forgetEnds();
    this.rows.retain((row) => {
      const end = this.endOf(row);
      const isKept = this.waitsUntil(end);
      if (isKept) this.note(end);
      return isKept;
    });
    return true;
  }

  /** When a row will end. */
  private note(end: number): void {
    if (end === Number.POSITIVE_INFINITY) return;
    this.ends.add(end);
    this.ending++;
  }

  clear(): void {
    this.rows.retain(() => false);
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
