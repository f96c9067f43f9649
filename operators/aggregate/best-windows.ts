/**
 * Tumbling and sliding windows of which only the best keys come out. The panes that enter a window and those that leave it change the totals of
 * their own keys alone; the best are found in a tree of the scores. So an event costs the same however small the step is and however many
 * keys a window has.
 */
import type {
  Event,
  KeyedState,
  OperatorContext,
  OperatorHandler,
  Output,
  StateKey,
  TimedColumns,
} from '../../runtime/stream/index.ts';
import { turnAway } from '../support/turn-away.ts';
import { type CellStore, cellStoreOf } from './cell-store.ts';
import { firstEndAfter, lastEndOf, paneStartOf, type WindowGrid } from './grid.ts';
import { KeyPanes } from './key-panes.ts';
import { aggregateLimits } from './limits.ts';
import { CellPlaces } from './number-cells.ts';
import type { PaneCells } from './pane-cells.ts';
import { ScoreTree } from './score-tree.ts';
import type { AggregateSetting } from './setting.ts';

export interface BestRule {
  /** Slot of the value by which keys are compared. */
  readonly slot: number;
  readonly rows: number;
  readonly ascending: boolean;
}

interface Progress {
  /** Windows that end at this time or before have been given. */
  closed: number;
  cells: number;
  nextOrder: number;
}

export class BestWindows implements OperatorHandler {
  private readonly context: OperatorContext;
  private readonly setting: AggregateSetting;
  private readonly grid: WindowGrid;
  private readonly rule: BestRule;
  private readonly state: KeyPanes;
  private readonly kept: KeyedState<Progress>;
  private readonly places = new CellPlaces();
  /** What stands in `kept`: looked up once. */
  private now: Progress | undefined;
  /**
   * Of the window that was given last, by the number of the key: what its panes hold together, and how many of them hold something. Made anew after a
   * restart: what panes hold can be added up and taken out again exactly.
   */
  private readonly totals: CellStore;
  private readonly holding: number[] = [];
  private readonly scores: ScoreTree;
  /** Keys that have a total. */
  private keysInWindow = 0;
  /** The panes in [from, to) are in the totals. */
  private from = Number.NEGATIVE_INFINITY;
  private to = Number.NEGATIVE_INFINITY;

  constructor(
    context: OperatorContext,
    setting: AggregateSetting,
    { grid, rule }: { grid: WindowGrid; rule: BestRule },
  ) {
    const { kind, numberCells } = setting;
    this.context = context;
    this.setting = setting;
    this.grid = grid;
    this.rule = rule;
    this.state = new KeyPanes(context, setting, grid);
    this.kept = context.keyedState('progress');
    this.totals = cellStoreOf(kind, numberCells);
    this.scores = new ScoreTree(rule);
  }

  resume(): void {
    this.state.resume();
    this.now = undefined;
    this.clearWindow();
    const { closed } = this.progress;
    if (!Number.isFinite(closed)) return;
    const end = firstEndAfter(this.grid, closed) - this.grid.everyMs;
    this.from = end - this.grid.sizeMs;
    this.to = this.from;
    this.moveTo(this.from, end);
  }

  event(event: Event, time: number, out: Output): void {
    const { grid, state } = this;
    if (lastEndOf(grid, time) <= this.context.watermark()) return out.late(event, time);
    const key = this.setting.heldKeys.of(event);
    const start = paneStartOf(grid, time);
    let pane = state.paneAt(start);
    let place = pane?.find(key) ?? -1;
    const isInWindow = start >= this.from && start < this.to;
    if (pane && place >= 0) {
      if (!pane.cells.admits(place, event))
        return turnAway(out, event, 'MACH1802', { values: aggregateLimits.distinctValuesMax });
      if (isInWindow) this.change(pane, pane.indexOf(place), -1);
    } else {
      const { keysMax } = this.setting;
      const { panesMax } = aggregateLimits;
      if (!this.hasKeyFor(key)) return turnAway(out, event, 'MACH1800', { keys: keysMax });
      if (this.progress.cells >= panesMax) return turnAway(out, event, 'MACH1801', { panes: panesMax });
      pane ??= state.open(start);
      place = this.addCell(pane, key, time);
    }
    pane.cells.add(place, event, time);
    if (isInWindow) this.change(pane, pane.indexOf(place), 1);
  }

  columns({ events, times }: TimedColumns, alone: (row: number) => void): void {
    const { places } = this;
    const keys = this.setting.heldKeys.ofAll(events);
    const watermark = this.context.watermark();
    places.begin(keys.length);
    let pane: PaneCells | undefined;
    const take = () => {
      pane?.cells.addAll?.(places, events);
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

  /** The pane of a time, if it is there and changes nothing of the window that was given last. */
  private openFor(time: number, watermark: number): PaneCells | undefined {
    const pane = this.state.paneAt(paneStartOf(this.grid, time));
    const isOpen = pane && pane.lastEnd > watermark && (pane.start < this.from || pane.start >= this.to);
    return isOpen ? pane : undefined;
  }

  /** Of a key's cell, made where there is none; -1: it may not be made. */
  private placeOf(pane: PaneCells, key: StateKey, time: number): number {
    const place = pane.find(key);
    if (place >= 0) return place;
    const hasRoom = this.hasKeyFor(key) && this.progress.cells < aggregateLimits.panesMax;
    return hasRoom ? this.addCell(pane, key, time) : -1;
  }

  private hasKeyFor(key: StateKey): boolean {
    const { keys } = this.state;
    return keys.size < this.setting.keysMax || keys.find(key) >= 0;
  }

  private addCell(pane: PaneCells, key: StateKey, time: number): number {
    const { keys } = this.state;
    this.progress.cells++;
    let number = keys.find(key);
    if (number < 0) number = keys.add(key, { order: this.progress.nextOrder++, time });
    keys.enterPane(number);
    return pane.add(key, number);
  }

  watermark(time: number, out: Output): void {
    const { grid, progress } = this;
    const { closed } = progress;
    progress.closed = time;
    let end = Number.isFinite(closed) ? firstEndAfter(grid, closed) : this.firstEnd();
    while (end <= time) {
      this.moveTo(end - grid.sizeMs, end);
      if (this.keysInWindow > 0) {
        this.give(end, out);
        end += grid.everyMs;
        continue;
      }
      // Times in which no key has anything are passed over in one step.
      const next = this.firstEnd();
      if (next === Number.POSITIVE_INFINITY) break;
      end = Math.max(end + grid.everyMs, next);
    }
  }

  private get progress(): Progress {
    if (this.now) return this.now;
    let now = this.kept.get('now');
    if (!now) {
      now = { closed: Number.NEGATIVE_INFINITY, cells: 0, nextOrder: 0 };
      this.kept.set('now', now, 0);
    }
    this.now = now;
    return now;
  }

  /** End of the first window that holds a pane. */
  private firstEnd(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const { start } of this.state.all()) first = Math.min(first, start);
    return first === Number.POSITIVE_INFINITY ? first : firstEndAfter(this.grid, first);
  }

  /** Neither end goes back. Panes that no later window holds are forgotten. */
  private moveTo(from: number, to: number): void {
    const { state } = this;
    const { paneMs } = this.grid;
    if (from >= this.to) {
      this.clearWindow();
      for (const pane of state.all()) if (pane.start < from) this.forget(pane);
      this.to = from;
    } else {
      for (let start = this.from; start < from; start += paneMs) {
        const pane = state.paneAt(start);
        if (!pane) continue;
        for (let at = 0; at < pane.size; at++) this.change(pane, at, -1);
        this.forget(pane);
      }
    }
    this.from = from;
    for (let start = this.to; start < to; start += paneMs) {
      const pane = state.paneAt(start);
      if (pane) for (let at = 0; at < pane.size; at++) this.change(pane, at, 1);
    }
    this.to = to;
  }

  private clearWindow(): void {
    this.holding.fill(0);
    this.keysInWindow = 0;
    this.scores.clear();
  }

  /** Puts what a pane holds of its n-th key into the window, or takes it out. */
  private change(pane: PaneCells, at: number, sign: 1 | -1): void {
    const { totals, holding, scores } = this;
    const number = pane.numberAt(at);
    const total = number * totals.width;
    const before = holding[number] ?? 0;
    holding[number] = before + sign;
    if (before === 0) {
      this.keysInWindow++;
      totals.begin(total);
    } else if (before + sign === 0) {
      this.keysInWindow--;
      scores.set(number, null);
      return;
    }
    totals.change(total, pane.cells, pane.placeAt(at), sign);
    scores.set(number, totals.numberAt(total, this.rule.slot));
  }

  private forget(pane: PaneCells): void {
    this.progress.cells -= pane.size;
    this.state.drop(pane);
  }

  private give(end: number, out: Output): void {
    const { state, totals } = this;
    const { kind, toEvent, heldKeys } = this.setting;
    const start = end - this.grid.sizeMs;
    for (const numbers of this.scores.best(this.rule.rows)) {
      for (const number of state.keys.inOrder(numbers)) {
        const key = heldKeys.values(state.keys.keyOf(number));
        const values = kind.resultsOf(totals.cellAt(number * totals.width));
        out.emit(toEvent({ key, start, end, values, revision: 0, early: false }), end - 1);
      }
    }
  }
}
