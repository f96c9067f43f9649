/**
 * Sessions that are open, each a row of numbers, which has a number for as long as it is open and which is given again to another when it has ended. A
 * key leads to its newest session, and each to the one before it: out of order, events of a key may keep several open.
 */
import { EntryTable, type StateKey, type TellKey } from '../../runtime/stream/index.ts';
import { Ends } from '../support/ends.ts';
import type { Given, KeyColumns } from './kept-keys.ts';
import type { NumberCells } from './number-cells.ts';

/** Places in the row of a session: what every event looks at lies together. */
export const startAt = 0;
export const endAt = 1;
export const cellAt = 2;

const none = -1;
/** No time is before it, nor after. */
const never = Number.NaN;
const rowsMin = 16;

interface Times {
  readonly start: number;
  readonly end: number;
}

export interface SessionPlace extends Times {
  /** The session after it; `none`: it is the newest of its key. */
  readonly newer: number;
}

/** What an event meets: the sessions that it touches, of which there are two at most, since none is shorter than what it touches. */
export interface Touched {
  readonly newest: number;
  readonly oldest: number;
  /** The one after them. */
  readonly newer: number;
}

export class OpenSessions {
  rows: Float64Array;
  /** Numbers of a row. */
  readonly width: number;
  /** Time of the newest watermark. */
  closed = Number.NEGATIVE_INFINITY;
  private nextOrder = 0;
  /**
   * Of sessions whose results are corrected, which was begun when windows had a lateness that they have no more: revisions of these results. They have ended,
   * take nothing more, and come out with the next watermark.
   */
  readonly corrections = new Map<number, number>();
  private readonly cells: NumberCells;
  /** Key to its newest session. */
  private readonly table = new EntryTable<number>();
  /** Of each session the key, and its place in the order in which keys came. */
  private keys: StateKey[] = [];
  private orders: number[] = [];
  /** Of each the one of its key before it, or `none`. */
  private olders: number[] = [];
  /** Of each when it is looked at whether it has ended: at its end, or before; never: it is not there. */
  private dues: number[] = [];
  private readonly free: number[] = [];
  private readonly ends = new Ends<number>();

  constructor(cells: NumberCells) {
    this.cells = cells;
    this.width = cellAt + cells.width;
    this.rows = new Float64Array(this.width * rowsMin);
  }

  /** Keys that have a session. */
  get size(): number {
    return this.table.size;
  }

  /** Sessions. */
  get count(): number {
    return this.keys.length - this.free.length;
  }

  /** The place that the next key gets in the order in which keys come. */
  get next(): number {
    return this.nextOrder;
  }

  /** The newest session of a key, or -1. */
  find(key: StateKey): number {
    const slot = this.table.find(key);
    return slot < 0 ? none : this.table.valueAt(slot);
  }

  olderThan(session: number): number {
    return this.olders[session] as number;
  }

  keyOf(session: number): StateKey {
    return this.keys[session] as StateKey;
  }

  orderOf(session: number): number {
    return this.orders[session] as number;
  }

  /** Of a key that is there, when it came. */
  timeOf(key: StateKey): number {
    return this.table.timeAt(this.table.find(key));
  }

  /** All keys, in the order in which they came, with their newest sessions. */
  columns(): KeyColumns {
    const { keys, times, values } = this.table.columns();
    return { keys, times, numbers: values as ArrayLike<number> };
  }

  /** Of [start, end). Sessions that end at `after` or before are touched no more. */
  touched(key: StateKey, { start, end, after }: Times & { after: number }): Touched {
    const { rows, width } = this;
    let newer = none;
    let session = this.find(key);
    while (session >= 0 && (rows[session * width + startAt] as number) >= end) {
      newer = session;
      session = this.olderThan(session);
    }
    const touches = (one: number) => one >= 0 && (rows[one * width + endAt] as number) > Math.max(start, after);
    if (!touches(session)) return { newest: none, oldest: none, newer };
    const older = this.olderThan(session);
    return { newest: session, oldest: touches(older) ? older : session, newer };
  }

  /** A session into which nothing was taken yet. `time`: of the event that it begins with. */
  open(key: StateKey, time: number, { start, end, newer }: SessionPlace): number {
    const session = this.free.pop() ?? this.keys.length;
    this.keys[session] = key;
    const from = session * this.width;
    if (from + this.width > this.rows.length) this.grow();
    const { rows } = this;
    rows[from + startAt] = start;
    rows[from + endAt] = end;
    this.dues[session] = end;
    this.ends.add(session, end);
    this.cells.begin(rows, from + cellAt);
    if (newer >= 0) {
      this.olders[session] = this.olderThan(newer);
      this.orders[session] = this.orderOf(newer);
      this.olders[newer] = session;
      return session;
    }
    const slot = this.table.find(key);
    const older = slot < 0 ? none : this.table.valueAt(slot);
    this.olders[session] = older;
    this.orders[session] = older < 0 ? this.nextOrder++ : this.orderOf(older);
    if (slot < 0) this.table.append(key, session, time);
    else this.table.put(slot, session, this.table.timeAt(slot));
    return session;
  }

  /** It has ended, or is part of another. Its row can be read until the next is opened. */
  drop(session: number): void {
    const { table } = this;
    const slot = table.find(this.keyOf(session));
    const older = this.olderThan(session);
    let newer = table.valueAt(slot);
    if (newer !== session) {
      while (newer >= 0 && this.olderThan(newer) !== session) newer = this.olderThan(newer);
      if (newer < 0) throw new Error('invariant broken: a session that its key does not lead to');
      this.olders[newer] = older;
    } else if (older < 0) table.remove(slot);
    else table.put(slot, older, table.timeAt(slot));
    this.dues[session] = never;
    this.free.push(session);
  }

  /** Drops those that have ended, and tells them: by their end, then by the order in which keys came. `touch`: told the key of each before. */
  takeEnded(watermark: number, touch?: TellKey): number[] {
    const { rows, width, dues, orders } = this;
    const ended: number[] = [];
    for (const session of this.ends.takeDue(watermark, (one) => dues[one])) {
      const end = rows[session * width + endAt] as number;
      if (end <= watermark) {
        touch?.(this.keyOf(session));
        this.drop(session);
        ended.push(session);
        continue;
      }
      // Sessions go on more often than they end: only now it is said when they are looked at next.
      dues[session] = end;
      this.ends.add(session, end);
    }
    const difference = (a: number, b: number, at: number) =>
      (rows[a * width + at] as number) - (rows[b * width + at] as number);
    return ended.sort(
      (a, b) => difference(a, b, endAt) || (orders[a] as number) - (orders[b] as number) || difference(a, b, startAt),
    );
  }

  /** Nothing is kept; what was given before, and the order of the next key, are those of a checkpoint. */
  begin({ closed, nextOrder }: Given): void {
    this.table.clear();
    this.ends.clear();
    this.corrections.clear();
    this.keys = [];
    this.free.length = 0;
    this.closed = closed;
    this.nextOrder = nextOrder;
  }

  /** A key of a checkpoint, and its sessions by their start. Tells which they are. */
  load(key: StateKey, from: { order: number; time: number; sessions: readonly Times[] }): number[] {
    const { nextOrder } = this;
    this.nextOrder = from.order;
    const loaded = from.sessions.map(({ start, end }) => this.open(key, from.time, { start, end, newer: none }));
    this.nextOrder = nextOrder;
    return loaded;
  }

  private grow(): void {
    const larger = new Float64Array(this.rows.length * 2);
    larger.set(this.rows);
    this.rows = larger;
  }
}
