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
import { identityOf } from './accumulators/distinct.ts';
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
  /** What the key had before it was forgotten, where its result has not been given yet. */
  before?: Total;
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
  /** The watermark that was handled last. */
  private passed = Number.NEGATIVE_INFINITY;

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
    const all = [...this.all()];
    this.passed = this.context.watermark();
    this.changed = all.flatMap((one) => this.withForgotten(one)).filter(({ total }) => total.changed);
    if (this.span.forgetMs === undefined) return;
    // Keys that were not forgotten before the topology changed, or for longer, stand there with other times.
    for (const { of, total } of all) {
      const time = total.changed ? this.heardAt(total.last) : total.last;
      if (time > (this.totals.entry(of)?.time ?? time)) this.totals.set(of, total, time);
    }
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
      if (!total && this.totals.size >= keysMax) return turnAway(out, event, 'MACH1800', { keys: keysMax });
      total = this.newTotal(event, time, total);
      this.totals.set(key, total, this.heardAt(time));
    } else if (forgetMs !== undefined) this.totals.set(key, total, this.heardAt(time));
    if (kind.bounded && !kind.admits(total.cell, event))
      return turnAway(out, event, 'MACH1802', { values: aggregateLimits.distinctValuesMax });
    if (!this.take(total, event, time, out)) return;
    if (time < total.first) total.first = time;
    if (time > total.last) total.last = time;
    if (this.span.perChange) {
      // An event that changes the total and gives a row at once is a change of it, not a look at it (`why`).
      if (forgetMs === undefined) this.totals.set(key, total, time);
      this.giveChange(total, out);
    } else if (!total.changed) {
      total.changed = true;
      this.changed.push({ of: key, total });
    }
  }

  watermark(time: number, out: Output): void {
    if (this.span.perChange) return this.givePending(time, out);
    const { earlyMs = 1, kind, toEvent } = this.setting;
    const early = Number.isFinite(time);
    const instant = early ? Math.floor(time / earlyMs) * earlyMs : time;
    const closed = this.closedAt;
    const { passed } = this;
    this.passed = time;
    if (instant <= closed) return;
    this.closed.set('now', time, 0);
    const rows: (OrderedRow & Pick<KeyedTotal, 'of'>)[] = [];
    const changed = early ? this.changed : this.lastWord(passed);
    this.changed = [];
    for (const one of changed) {
      const { of, total } = one;
      const { order, key, first, last, cell } = total;
      // What was forgotten lies a step back at least: it is given now. In checkpoints totals of one shape take less room.
      if (total.before) delete total.before;
      if (early && first >= instant) {
        this.changed.push(one);
        continue;
      }
      total.changed = false;
      // Where every change is given again, this one has been given last.
      if (total.given) delete total.given;
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

  /** At the end of the input: what is known, and what was forgotten before it was given. */
  private *lastWord(passed: number): IterableIterator<KeyedTotal> {
    const rememberedFrom = passed - (this.span.forgetMs ?? Number.POSITIVE_INFINITY);
    for (const { of, total } of this.all())
      for (const one of this.withForgotten({ of, total }))
        if (one.total.changed || (one.total === total && total.last > rememberedFrom)) yield one;
  }

  /** What had come to its end goes on where something else feeds it. */
  private get closedAt(): number {
    const closed = this.closed.get('now');
    return closed === undefined || closed === Number.POSITIVE_INFINITY ? Number.NEGATIVE_INFINITY : closed;
  }

  private withForgotten({ of, total }: KeyedTotal): KeyedTotal[] {
    const all: KeyedTotal[] = [];
    for (let one: Total | undefined = total; one; one = one.before) all.push({ of, total: one });
    return all;
  }

  /** The time from which on a key is remembered: one of which only late news has come is not forgotten before its result is given. */
  private heardAt(time: number): number {
    const { perChange, forgetMs } = this.span;
    if (perChange || forgetMs === undefined) return time;
    const { earlyMs = 1 } = this.setting;
    return Math.max(time, (Math.floor(this.closedAt / earlyMs) + 1) * earlyMs - forgetMs);
  }

  private newTotal(event: Event, time: number, forgotten: Total | undefined): Total {
    const { kind, keyFields, thingOf } = this.setting;
    // Before keys were forgotten, their number was the place of the next.
    const order = this.closed.get('order') ?? this.totals.size;
    this.closed.set('order', order + 1, 0);
    const key = keyFields.map((field) => event[field]);
    const total = { order, key, cell: kind.create(), first: time, last: time, changed: false };
    const before = forgotten?.changed && { before: forgotten };
    return { ...total, ...(thingOf && { things: new Map() }), ...before };
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

  /** What had changed before the topology did, and waited for a step of time that no longer comes. */
  private givePending(time: number, out: Output): void {
    if (this.changed.length === 0) return;
    const pending = this.changed.sort((one, other) => one.total.order - other.total.order);
    this.changed = [];
    for (const { of, total } of pending) {
      total.changed = false;
      if (total.before) delete total.before;
      // What is looked at now is what the row comes of (`why`).
      this.totals.get(of);
      this.giveChange(total, out, Number.isFinite(time) ? Math.max(total.last, time) : total.last);
    }
  }

  private giveChange(total: Total, out: Output, at = total.last): void {
    const values = this.setting.kind.resultsOf(total.cell);
    if (total.given?.every((value, slot) => identityOf(value) === identityOf(values[slot]))) return;
    total.given = values;
    const { key, first, last } = total;
    const row = { key, start: first, end: last + 1, values, revision: 0, early: true };
    out.emit(this.setting.toEvent(row), at);
  }
}
