/**
 * One window for all time: results so far, at whole steps of event time or with every change, and the last word when the input ends.
 */
import type {
  Event,
  KeyedState,
  OperatorContext,
  OperatorHandler,
  Output,
  StateKey,
} from '../../runtime/stream/index.ts';
import { turnAway } from '../support/turn-away.ts';
import type { Cell } from './cell.ts';
import { aggregateLimits } from './limits.ts';
import { type AggregateSetting, type OrderedRow, sortRows } from './setting.ts';
import { replaceThing, type Things } from './things.ts';

export interface Total {
  readonly order: number;
  readonly key: readonly unknown[];
  readonly cell: Cell;
  /** Earliest and latest event time. */
  first: number;
  last: number;
  changed: boolean;
  /** Where every change is given: the results that were given last. */
  given?: unknown[];
  /** Where only the newest event of a thing counts. */
  readonly things?: Things;
}

export interface GlobalSpan {
  readonly perChange: boolean;
  readonly forgetMs: number | undefined;
}

interface KeyedTotal {
  /** The key of the state. */
  readonly of: StateKey;
  readonly total: Total;
}

export class GlobalWindow implements OperatorHandler {
  private readonly context: OperatorContext;
  private readonly setting: AggregateSetting;
  private readonly span: GlobalSpan;
  private readonly totals: KeyedState<Total>;
  /** `now`: the watermark at which results were given last; `order`: the place of the next key. */
  private readonly closed: KeyedState<number>;
  /** Changed since results were given last; the flags of the totals say the same after a restart. */
  private changed: KeyedTotal[] = [];

  constructor(context: OperatorContext, setting: AggregateSetting, span: GlobalSpan) {
    const { keysMax, kind, heldKeys: keys } = setting;
    const { forgetMs } = span;
    this.context = context;
    this.setting = setting;
    this.span = span;
    const ttl = forgetMs === undefined ? {} : { ttlMs: forgetMs };
    this.totals = context.keyedState('totals', { keysMax, keys, bytesPerKey: kind.bytes, ...ttl });
    this.closed = context.keyedState('closed');
  }

  resume(): void {
    this.changed = [...this.all()].filter(({ total }) => total.changed);
  }

  event(event: Event, time: number, out: Output): void {
    const { kind, heldKeys, keysMax } = this.setting;
    const { forgetMs } = this.span;
    const rememberedFrom = forgetMs === undefined ? Number.NEGATIVE_INFINITY : this.context.watermark() - forgetMs;
    // The key would be forgotten at once.
    if (time <= rememberedFrom) return out.late(event, time);
    const key = heldKeys.of(event);
    let total = this.totals.get(key);
    // What is due to be forgotten may still be there, because of other keys: that must make no difference.
    if (!total || total.last <= rememberedFrom) {
      if (this.totals.size >= keysMax) return turnAway(out, event, 'MACH1800', { keys: keysMax });
      total = this.newTotal(event, time);
      this.totals.set(key, total, time);
    } else if (forgetMs !== undefined) this.totals.set(key, total, time);
    if (kind.bounded && !kind.admits(total.cell, event))
      return turnAway(out, event, 'MACH1802', { values: aggregateLimits.distinctValuesMax });
    if (!this.take(total, event, time, out)) return;
    if (time < total.first) total.first = time;
    if (time > total.last) total.last = time;
    if (this.span.perChange) this.giveChange(total, out);
    else if (!total.changed) {
      total.changed = true;
      this.changed.push({ of: key, total });
    }
  }

  watermark(time: number, out: Output): void {
    if (this.span.perChange) return;
    const { earlyMs = 1, kind, toEvent } = this.setting;
    const early = Number.isFinite(time);
    const instant = early ? Math.floor(time / earlyMs) * earlyMs : time;
    const closed = this.closed.get('now') ?? Number.NEGATIVE_INFINITY;
    if (instant <= closed) return;
    this.closed.set('now', time, 0);
    const rows: (OrderedRow & Pick<KeyedTotal, 'of'>)[] = [];
    const changed = early ? this.changed : this.all();
    this.changed = [];
    for (const one of changed) {
      const { of, total } = one;
      const { order, key, first, last, cell } = total;
      if (early && first >= instant) {
        this.changed.push(one);
        continue;
      }
      total.changed = false;
      const end = early ? Math.max(instant, last + 1) : last + 1;
      rows.push({ of, order, key, start: first, end, values: kind.resultsOf(cell), revision: 0, early });
    }
    for (const row of sortRows(rows)) {
      // What is looked at now is what the row comes of (`why`).
      this.totals.get(row.of);
      out.emit(toEvent(row), early ? instant : Math.max(row.end - 1, closed));
    }
  }

  private *all(): IterableIterator<KeyedTotal> {
    for (const [of, total] of this.totals.entries()) yield { of, total };
  }

  private newTotal(event: Event, time: number): Total {
    const { kind, keyFields, thingOf } = this.setting;
    // Before keys were forgotten, their number was the place of the next.
    const order = this.closed.get('order') ?? this.totals.size;
    this.closed.set('order', order + 1, 0);
    const key = keyFields.map((field) => event[field]);
    const total = { order, key, cell: kind.create(), first: time, last: time, changed: false };
    return thingOf ? { ...total, things: new Map() } : total;
  }

  /** False when the event has gone another way. */
  private take(total: Total, event: Event, time: number, out: Output): boolean {
    const { kind, thingOf } = this.setting;
    const { cell, things } = total;
    if (!thingOf || !things) {
      kind.add(cell, event, time);
      return true;
    }
    const thing = thingOf(event);
    const { thingsMax } = aggregateLimits;
    if (things.size >= thingsMax && !things.has(thing)) turnAway(out, event, 'MACH1804', { things: thingsMax });
    else if (replaceThing(kind, cell, things, thing, { time, values: kind.valuesOf(event) })) return true;
    else out.dropped('outdated');
    return false;
  }

  private giveChange(total: Total, out: Output): void {
    const values = this.setting.kind.resultsOf(total.cell);
    if (total.given?.every((value, slot) => value === values[slot])) return;
    total.given = values;
    const { key, first, last } = total;
    const row = { key, start: first, end: last + 1, values, revision: 0, early: true };
    out.emit(this.setting.toEvent(row), last);
  }
}
