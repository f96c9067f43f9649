/** One window for all time: results so far, at whole steps of event time, and the last word when the input ends. */
import type { Event, KeyedState, OperatorContext, OperatorHandler, Output } from '../../runtime/stream/index.ts';
import { turnAway } from '../support/turn-away.ts';
import { type Cell, resultsOf } from './cell.ts';
import { aggregateLimits } from './limits.ts';
import { type AggregateSetting, type OrderedRow, sortRows } from './setting.ts';

interface Total {
  readonly order: number;
  readonly key: readonly unknown[];
  readonly cell: Cell;
  /** Earliest and latest event time. */
  first: number;
  last: number;
  changed: boolean;
}

export class GlobalWindow implements OperatorHandler {
  private readonly setting: AggregateSetting;
  private readonly totals: KeyedState<Total>;
  private readonly closed: KeyedState<number>;

  constructor(context: OperatorContext, setting: AggregateSetting) {
    const { keysMax, kind } = setting;
    this.setting = setting;
    this.totals = context.keyedState('totals', { keysMax, bytesPerKey: kind.bytes });
    this.closed = context.keyedState('closed');
  }

  event(event: Event, time: number, out: Output): void {
    const { kind, keyOf, keyFields, keysMax } = this.setting;
    const key = keyOf(event);
    let total = this.totals.get(key);
    if (!total) {
      const order = this.totals.size;
      if (order >= keysMax) return turnAway(out, event, 'MACH1800', { keys: keysMax });
      const values = keyFields.map((field) => event[field]);
      total = { order, key: values, cell: kind.create(), first: time, last: time, changed: true };
      this.totals.set(key, total, time);
    }
    if (kind.bounded && !kind.admits(total.cell, event))
      return turnAway(out, event, 'MACH1802', { values: aggregateLimits.distinctValuesMax });
    kind.add(total.cell, event, time);
    total.changed = true;
    if (time < total.first) total.first = time;
    if (time > total.last) total.last = time;
  }

  watermark(time: number, out: Output): void {
    const { kind, earlyMs = 1, toEvent } = this.setting;
    const early = Number.isFinite(time);
    const instant = early ? Math.floor(time / earlyMs) * earlyMs : time;
    const closed = this.closed.get('now') ?? Number.NEGATIVE_INFINITY;
    if (instant <= closed) return;
    this.closed.set('now', time, 0);
    const rows: OrderedRow[] = [];
    for (const [, total] of this.totals.entries()) {
      if (early && (!total.changed || total.first >= instant)) continue;
      total.changed = false;
      const { order, key, first, last, cell } = total;
      const end = early ? Math.max(instant, last + 1) : last + 1;
      rows.push({ order, key, start: first, end, values: resultsOf(kind, cell), revision: 0, early });
    }
    for (const row of sortRows(rows)) out.emit(toEvent(row), early ? instant : Math.max(row.end - 1, closed));
  }
}
