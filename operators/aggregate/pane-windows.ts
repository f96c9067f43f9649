/**
 * Tumbling and sliding windows that are given once, when the watermark passes their ends. Panes hold the cells of all keys side by side; those that
 * enter a window and those that leave it change the totals of their own keys alone. Where only the best keys come out, they are found in a tree of
 * the scores: so an event costs the same however small the step is and however many keys a window has.
 */
import type {
  Event,
  OperatorContext,
  OperatorHandler,
  Output,
  StateKey,
  TimedColumns,
} from '../../runtime/stream/index.ts';
import { turnAway } from '../support/turn-away.ts';
import type { CellStore } from './cell-store.ts';
import { firstEndAfter, lastEndOf, paneStartOf, type WindowGrid } from './grid.ts';
import type { KeptWindows } from './kept-keys.ts';
import { keepKeyByKey, keepPaneByPane } from './kept-panes.ts';
import { KeyPanes } from './key-panes.ts';
import { aggregateLimits } from './limits.ts';
import { CellPlaces } from './number-cells.ts';
import type { PaneCells } from './pane-cells.ts';
import { keyColumns, repeated, resultColumns } from './rows.ts';
import type { AggregateSetting } from './setting.ts';
import { type BestRule, WindowTotals } from './window-totals.ts';

/** Cells in the order in which they come out, with their keys. */
interface Given {
  readonly store: CellStore;
  readonly places: readonly number[];
  readonly keys: readonly StateKey[];
}

export class PaneWindows implements OperatorHandler {
  private readonly context: OperatorContext;
  private readonly setting: AggregateSetting;
  private readonly grid: WindowGrid;
  private readonly state: KeyPanes;
  private readonly kept: KeptWindows;
  private readonly places = new CellPlaces();
  /** Of the window that was given last. Made anew after a restart: what panes hold can be added up and taken out again exactly, or is added up anew. */
  private readonly totals: WindowTotals;
  /** Every window is one pane, and needs no totals. */
  private readonly isOnePane: boolean;
  /** The panes in [from, to) are in the totals. */
  private from = Number.NEGATIVE_INFINITY;
  private to = Number.NEGATIVE_INFINITY;

  constructor(
    context: OperatorContext,
    setting: AggregateSetting,
    { grid, rule }: { grid: WindowGrid; rule: BestRule | undefined },
  ) {
    this.context = context;
    this.setting = setting;
    this.grid = grid;
    this.state = new KeyPanes(setting, grid);
    this.kept = (rule ? keepPaneByPane : keepKeyByKey)(context, this.state, setting);
    this.totals = new WindowTotals(setting, rule);
    this.isOnePane = !rule && grid.sizeMs === grid.everyMs;
  }

  resume(): void {
    this.kept.putTogether();
    this.totals.clear();
    const { closed } = this.state;
    if (!Number.isFinite(closed)) return;
    this.from = Number.NEGATIVE_INFINITY;
    this.to = Number.NEGATIVE_INFINITY;
    this.goOnFrom(closed);
    const { from } = this;
    this.moveTo(from, Math.max(from, from + this.grid.sizeMs - this.grid.everyMs));
  }

  event(event: Event, time: number, out: Output): void {
    const { grid, state } = this;
    if (lastEndOf(grid, time) <= this.context.watermark()) return out.late(event, time);
    const key = this.setting.heldKeys.of(event);
    const start = paneStartOf(grid, time);
    let pane = state.paneAt(start);
    let cell = pane ? pane.find(key) : -1;
    const isInWindow = start >= this.from && start < this.to;
    if (pane && cell >= 0) {
      if (!pane.cells.admits(pane.placeAt(cell), event))
        return turnAway(out, event, 'MACH1802', { values: aggregateLimits.distinctValuesMax });
      this.kept.touch?.(key);
      if (isInWindow) this.totals.change(pane, cell, -1);
    } else {
      const { keysMax } = this.setting;
      const { panesMax } = aggregateLimits;
      if (!this.hasKeyFor(key)) return turnAway(out, event, 'MACH1800', { keys: keysMax });
      if (state.cells >= panesMax) return turnAway(out, event, 'MACH1801', { panes: panesMax });
      this.kept.touch?.(key);
      pane ??= state.open(start);
      cell = state.addCell(pane, key, time);
    }
    pane.cells.add(pane.placeAt(cell), event, time);
    if (isInWindow) this.totals.change(pane, cell, 1);
  }

  columns(batch: TimedColumns, alone: (row: number) => void): void {
    const { events, times } = batch;
    const { places } = this;
    const keys = this.setting.heldKeys.ofAll(events);
    const watermark = this.context.watermark();
    places.begin(keys.length);
    let pane: PaneCells | undefined;
    const take = () => {
      pane?.cells.addAll?.(places, batch);
      places.begin(keys.length);
    };
    for (let row = 0; row < keys.length; row++) {
      const time = times[row] as number;
      if (!pane || time < pane.start || time >= pane.end) {
        take();
        pane = this.openFor(time, watermark);
      }
      const place = pane ? this.placeOf(pane, keys[row] as StateKey, time) : -1;
      if (place < 0) alone(row);
      else places.add(row, place);
    }
    take();
  }

  /** The pane of a time, made where there is none; undefined where events of it are taken one by one. */
  private openFor(time: number, watermark: number): PaneCells | undefined {
    const { grid, state } = this;
    const start = paneStartOf(grid, time);
    if (lastEndOf(grid, start) <= watermark || (start >= this.from && start < this.to)) return undefined;
    return state.paneAt(start) ?? (this.hasRoom() ? state.open(start) : undefined);
  }

  /** Where a key's cell stands, made where there is none; -1: it may not be made. */
  private placeOf(pane: PaneCells, key: StateKey, time: number): number {
    const known = pane.find(key);
    if (known >= 0) return pane.placeAt(known);
    const { state } = this;
    const isAdmitted = this.hasKeyFor(key) && state.cells < aggregateLimits.panesMax;
    return isAdmitted ? pane.placeAt(state.addCell(pane, key, time)) : -1;
  }

  /** For a cell of any key. */
  private hasRoom(): boolean {
    return this.state.keys.size < this.setting.keysMax && this.state.cells < aggregateLimits.panesMax;
  }

  private hasKeyFor(key: StateKey): boolean {
    const { keys } = this.state;
    return keys.size < this.setting.keysMax || keys.find(key) >= 0;
  }

  watermark(time: number, out: Output): void {
    const { grid, state } = this;
    const { closed } = state;
    state.closed = time;
    let end = Number.isFinite(closed) ? firstEndAfter(grid, closed) : this.firstEnd();
    while (end <= time) {
      this.moveTo(end - grid.sizeMs, end);
      if (this.give(end, out)) {
        end += grid.everyMs;
        continue;
      }
      // Times in which no key has anything are passed over in one step.
      const next = this.firstEnd();
      if (next === Number.POSITIVE_INFINITY) break;
      end = Math.max(end + grid.everyMs, next);
    }
    if (Number.isFinite(time)) this.goOnFrom(time);
  }

  /** What the window after those given by this time does not hold any more is dropped at once. */
  private goOnFrom(closed: number): void {
    const from = firstEndAfter(this.grid, closed) - this.grid.sizeMs;
    if (from > this.from) this.moveTo(from, Math.max(from, this.to));
  }

  /** End of the first window that holds a pane. */
  private firstEnd(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const { start } of this.state.all()) first = Math.min(first, start);
    return first === Number.POSITIVE_INFINITY ? first : firstEndAfter(this.grid, first);
  }

  /** Neither end goes back. Panes that no later window holds are dropped. */
  private moveTo(from: number, to: number): void {
    const { state } = this;
    const { paneMs } = this.grid;
    if (from >= this.to) {
      this.totals.clear();
      for (const pane of state.all()) if (pane.start < from) state.drop(pane);
      this.to = from;
    } else {
      for (let start = this.from; start < from; start += paneMs) {
        const pane = state.paneAt(start);
        if (!pane) continue;
        if (!this.isOnePane) this.totals.changeAll(pane, -1);
        state.drop(pane);
      }
    }
    this.from = from;
    for (let start = this.to; start < to && !this.isOnePane; start += paneMs) {
      const pane = state.paneAt(start);
      if (pane) this.totals.changeAll(pane, 1);
    }
    this.to = to;
  }

  private *panesInWindow(): Iterable<PaneCells> {
    for (let start = this.from; start < this.to; start += this.grid.paneMs) {
      const pane = this.state.paneAt(start);
      if (pane) yield pane;
    }
  }

  /** False when no key has anything in the window. */
  private give(end: number, out: Output): boolean {
    const start = end - this.grid.sizeMs;
    const { store, places, keys } = this.isOnePane ? this.ofPane(start) : this.ofWindow();
    const { length } = places;
    if (length === 0) return false;
    if (this.kept.touch) for (const key of keys) this.kept.touch(key);
    const { heldKeys, keyFields, rowNames } = this.setting;
    const rows = {
      keys: keyColumns(heldKeys, keyFields, keys),
      starts: repeated(start, length),
      ends: repeated(end, length),
      values: store.columnsOf(places),
      early: false,
    };
    out.emitColumns(resultColumns(rowNames, rows), repeated(end - 1, length));
    return true;
  }

  /** The cells to give, in order: of a window that is one pane. */
  private ofPane(start: number): Given {
    const { keys } = this.state;
    const pane = this.state.paneAt(start);
    if (!pane) return { store: this.totals.cells, places: [], keys: [] };
    const slots = Array.from({ length: pane.size }, (_, at) => at);
    // Most come in the order of their keys.
    slots.sort((a, b) => keys.orderOf(pane.numberAt(a)) - keys.orderOf(pane.numberAt(b)));
    return {
      store: pane.cells,
      places: slots.map((at) => pane.placeAt(at)),
      keys: slots.map((at) => keys.keyOf(pane.numberAt(at))),
    };
  }

  /** Of the window that the totals are of. */
  private ofWindow(): Given {
    const { totals } = this;
    const { keys } = this.state;
    totals.settle(this.panesInWindow());
    const best = totals.best()?.flatMap((equals) => keys.inOrder(equals));
    const numbers = best ?? [...keys.numbers()].filter((number) => totals.has(number));
    return {
      store: totals.cells,
      places: numbers.map((number) => number * totals.cells.width),
      keys: numbers.map((number) => keys.keyOf(number)),
    };
  }
}
