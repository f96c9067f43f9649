/**
 * One window for all time, as `GlobalWindow`, where no value asks when an event was and results come at whole steps of time: what is kept of a key
 * is a row of numbers, and results leave as columns. In checkpoints both are the same.
 */
import type {
  Event,
  KeyedState,
  OperatorContext,
  OperatorHandler,
  Output,
  RowState,
  StateKey,
  TimedColumns,
} from '../../runtime/stream/index.ts';
import { inOrderOf } from '../support/number-order.ts';
import { turnAway } from '../support/turn-away.ts';
import type { Total } from './global-window.ts';
import { aggregateLimits } from './limits.ts';
import { CellPlaces } from './number-cells.ts';
import type { RowCells } from './row-cells.ts';
import { keyColumns, resultColumns } from './rows.ts';
import type { AggregateSetting } from './setting.ts';

/** Places in the row of a key. */
const orderAt = 0;
const firstAt = 1;
const lastAt = 2;
const changedAt = 3;
const cellAt = 4;

export class GlobalRows implements OperatorHandler {
  private readonly setting: AggregateSetting;
  private readonly cells: RowCells;
  private readonly width: number;
  private readonly totals: RowState;
  /** `now`: the watermark at which results were given last; `order`: the place of the next key. */
  private readonly closed: KeyedState<number>;
  /** Slots that have changed since results were given last; the rows say the same after a restart. */
  private changed: number[] = [];
  private readonly places = new CellPlaces();

  constructor(context: OperatorContext, setting: AggregateSetting, cells: RowCells) {
    const { keysMax, kind, heldKeys: keys } = setting;
    this.setting = setting;
    this.cells = cells;
    const width = cellAt + cells.width;
    this.width = width;
    this.totals = context.rowState<Total>('totals', {
      width,
      keys,
      keysMax,
      bytesPerKey: kind.bytes,
      written: (rows, from, key) => ({
        order: rows[from + orderAt] as number,
        key: keys.values(keys.held(key)),
        cell: cells.cellOf(rows, from + cellAt),
        first: rows[from + firstAt] as number,
        last: rows[from + lastAt] as number,
        changed: rows[from + changedAt] === 1,
      }),
      held({ order, first, last, changed, cell }, rows, from) {
        rows.set([order, first, last, changed ? 1 : 0], from);
        cells.put(cell, rows, from + cellAt);
      },
    });
    this.closed = context.keyedState('closed');
  }

  resume(): void {
    const { totals, width } = this;
    this.changed = [];
    for (let slot = 0; slot < totals.size; slot++)
      if (totals.rows[slot * width + changedAt] === 1) this.changed.push(slot);
  }

  event(event: Event, time: number, out: Output): void {
    const { heldKeys, keysMax } = this.setting;
    const key = heldKeys.of(event);
    if (this.cells.mayRefuse(1) && !this.admits(key, event))
      return turnAway(out, event, 'MACH1802', { values: aggregateLimits.distinctValuesMax });
    const from = this.rowFor(key, time);
    if (from < 0) return turnAway(out, event, 'MACH1800', { keys: keysMax });
    this.cells.add(this.totals.rows, from + cellAt, event, time);
  }

  columns(batch: TimedColumns, alone: (row: number) => void): void {
    const { events, times } = batch;
    const keys = this.setting.heldKeys.ofAll(events);
    const { places } = this;
    if (this.cells.mayRefuse(keys.length)) {
      for (let row = 0; row < keys.length; row++) alone(row);
      return;
    }
    places.begin(keys.length);
    for (let row = 0; row < keys.length; row++) {
      const from = this.rowFor(keys[row] as StateKey, times[row] as number);
      if (from < 0) alone(row);
      else places.add(row, from + cellAt);
    }
    this.cells.addAll(this.totals.rows, places, batch);
  }

  /** Whether all values of a key have room for the event. */
  private admits(key: StateKey, event: Event): boolean {
    const slot = this.totals.slotOf(key);
    return slot < 0 || this.cells.admits(this.totals.rows, slot * this.width + cellAt, event);
  }

  /** Where the row of a key begins, which an event of this time comes to; -1: there would be one key too many. */
  private rowFor(key: StateKey, time: number): number {
    const { totals, width } = this;
    let slot = totals.slotOf(key);
    if (slot < 0) {
      if (totals.size >= this.setting.keysMax) return -1;
      slot = totals.add(key, time);
      this.begin(slot, time);
    }
    const { rows } = totals;
    const from = slot * width;
    if (time < (rows[from + firstAt] as number)) rows[from + firstAt] = time;
    if (time > (rows[from + lastAt] as number)) rows[from + lastAt] = time;
    if (rows[from + changedAt] !== 1) {
      rows[from + changedAt] = 1;
      this.changed.push(slot);
    }
    return from;
  }

  watermark(time: number, out: Output): void {
    const { earlyMs = 1 } = this.setting;
    const early = Number.isFinite(time);
    const instant = early ? Math.floor(time / earlyMs) * earlyMs : time;
    const known = this.closed.get('now');
    // What had come to its end goes on where something else feeds it.
    const closed = known === undefined || known === Number.POSITIVE_INFINITY ? Number.NEGATIVE_INFINITY : known;
    if (instant <= closed) return;
    this.closed.set('now', time, 0);
    const due = early ? this.takeChanged(instant) : this.takeAll();
    if (due.length === 0) return;
    const { slots, ends } = this.inOrder(due, early ? instant : Number.NEGATIVE_INFINITY);
    const times = new Array<number>(slots.length);
    for (let at = 0; at < times.length; at++) times[at] = early ? instant : Math.max((ends[at] as number) - 1, closed);
    out.emitColumns(this.columnsOf(slots, { ends, early }), times);
  }

  /** Those that hold something from before the instant; the others wait. */
  private takeChanged(instant: number): number[] {
    const { changed, width } = this;
    const { rows } = this.totals;
    const taken: number[] = [];
    this.changed = [];
    for (const slot of changed) {
      const isDue = (rows[slot * width + firstAt] as number) < instant;
      if (isDue) rows[slot * width + changedAt] = 0;
      (isDue ? taken : this.changed).push(slot);
    }
    return taken;
  }

  private takeAll(): number[] {
    const { totals, width } = this;
    const { size, rows } = totals;
    const slots = new Array<number>(size);
    for (let slot = 0; slot < size; slot++) {
      slots[slot] = slot;
      rows[slot * width + changedAt] = 0;
    }
    this.changed = [];
    return slots;
  }

  /** By window end, which is not before `from`, then by the order in which keys came. */
  private inOrder(due: readonly number[], from: number): { slots: Uint32Array; ends: Float64Array } {
    const { width } = this;
    const { rows } = this.totals;
    const endOf = new Float64Array(due.length);
    const orderOf = new Float64Array(due.length);
    for (let at = 0; at < due.length; at++) {
      const first = (due[at] as number) * width;
      endOf[at] = Math.max(from, (rows[first + lastAt] as number) + 1);
      orderOf[at] = rows[first + orderAt] as number;
    }
    const places = inOrderOf(endOf, inOrderOf(orderOf));
    const slots = new Uint32Array(due.length);
    const ends = new Float64Array(due.length);
    for (let at = 0; at < due.length; at++) {
      const place = places[at] as number;
      slots[at] = due[place] as number;
      ends[at] = endOf[place] as number;
    }
    return { slots, ends };
  }

  private columnsOf(slots: Uint32Array, { ends, early }: { ends: Float64Array; early: boolean }) {
    const { totals, width, cells } = this;
    const { keyFields, heldKeys, rowNames } = this.setting;
    const { rows } = totals;
    const keys = new Array<StateKey>(slots.length);
    const starts = new Float64Array(slots.length);
    const froms = new Uint32Array(slots.length);
    for (let at = 0; at < slots.length; at++) {
      const slot = slots[at] as number;
      keys[at] = totals.keyAt(slot);
      starts[at] = rows[slot * width + firstAt] as number;
      froms[at] = slot * width + cellAt;
    }
    return resultColumns(rowNames, {
      keys: keyColumns(heldKeys, keyFields, keys),
      starts,
      ends,
      values: cells.columnsOf(rows, froms),
      early,
    });
  }

  private begin(slot: number, time: number): void {
    const { totals, width, cells, closed } = this;
    // Before keys were forgotten, their number was the place of the next.
    const order = closed.get('order') ?? slot;
    closed.set('order', order + 1, 0);
    totals.rows.set([order, time, time, 0], slot * width);
    cells.begin(totals.rows, slot * width + cellAt);
  }
}
