/**
 * Tumbling and sliding windows of which only the best keys come out. The panes that enter a window and those that leave it change the totals of
 * their own keys alone; the best are found among scores that are kept in order. So an event costs the same however small
 * the step is and however many keys a window has.
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
import { type Cell, mergeCells, subtractCells } from './cell.ts';
import { firstEndAfter, lastEndOf, paneStartOf, type WindowGrid } from './grid.ts';
import { aggregateLimits } from './limits.ts';
import { ScoreIndex } from './score-index.ts';
import type { AggregateSetting } from './setting.ts';

export interface BestRule {
  /** Slot of the value by which keys are compared. */
  readonly slot: number;
  readonly rows: number;
  readonly ascending: boolean;
}

type PaneCells = Map<StateKey, Cell>;

interface Key {
  readonly order: number;
  readonly key: readonly unknown[];
  /** That hold something of it. */
  panes: number;
}

interface Progress {
  /** Windows that end at this time or before have been given. */
  closed: number;
  cells: number;
  nextOrder: number;
}

/** Of the window that was given last. */
interface Running {
  readonly total: Cell;
  panes: number;
  score: number | null;
}

export class BestWindows implements OperatorHandler {
  private readonly context: OperatorContext;
  private readonly setting: AggregateSetting;
  private readonly grid: WindowGrid;
  private readonly rule: BestRule;
  /** By start. */
  private readonly panes: KeyedState<PaneCells>;
  private readonly keys: KeyedState<Key>;
  private readonly kept: KeyedState<Progress>;
  /** Made anew after a restart: what panes hold can be added up and taken out again exactly. */
  private readonly running = new Map<StateKey, Running>();
  private readonly scores: ScoreIndex;
  /** The panes in [from, to) are in `running`. */
  private from = Number.NEGATIVE_INFINITY;
  private to = Number.NEGATIVE_INFINITY;
  /** What stands in `kept`, and the pane asked for last: looked up once. */
  private now: Progress | undefined;
  private newest: { readonly start: number; readonly pane: PaneCells } | undefined;

  constructor(
    context: OperatorContext,
    setting: AggregateSetting,
    { grid, rule }: { grid: WindowGrid; rule: BestRule },
  ) {
    this.context = context;
    this.setting = setting;
    this.grid = grid;
    this.rule = rule;
    this.panes = context.keyedState('panes');
    this.keys = context.keyedState('keys', { keysMax: setting.keysMax, bytesPerKey: setting.kind.bytes });
    this.kept = context.keyedState('progress');
    this.scores = new ScoreIndex(rule);
  }

  resume(): void {
    this.now = undefined;
    this.newest = undefined;
    this.running.clear();
    this.scores.clear();
    const { closed } = this.progress;
    if (!Number.isFinite(closed)) return;
    const end = firstEndAfter(this.grid, closed) - this.grid.everyMs;
    this.from = end - this.grid.sizeMs;
    this.to = this.from;
    this.moveTo(this.from, end);
  }

  event(event: Event, time: number, out: Output): void {
    const { grid, progress } = this;
    const { kind, keyOf, keysMax } = this.setting;
    if (lastEndOf(grid, time) <= this.context.watermark()) return out.late(event, time);
    const of = keyOf(event);
    const start = paneStartOf(grid, time);
    const pane = this.paneAt(start);
    let cell = pane?.get(of);
    const isRunning = start >= this.from && start < this.to;
    if (cell) {
      if (kind.bounded && !kind.admits(cell, event))
        return turnAway(out, event, 'MACH1802', { values: aggregateLimits.distinctValuesMax });
      if (isRunning) this.change(of, cell, -1);
    } else {
      const { panesMax } = aggregateLimits;
      const known = this.keys.get(of);
      if (!known && this.keys.size >= keysMax) return turnAway(out, event, 'MACH1800', { keys: keysMax });
      if (progress.cells >= panesMax) return turnAway(out, event, 'MACH1801', { panes: panesMax });
      const key = known ?? this.makeKey(of, event, time);
      cell = kind.create();
      key.panes++;
      progress.cells++;
      if (pane) pane.set(of, cell);
      else this.panes.set(start, new Map([[of, cell]]), start);
    }
    kind.add(cell, event, time);
    if (isRunning) this.change(of, cell, 1);
  }

  private makeKey(of: StateKey, event: Event, time: number): Key {
    const made = {
      order: this.progress.nextOrder++,
      key: this.setting.keyFields.map((name) => event[name]),
      panes: 0,
    };
    this.keys.set(of, made, time);
    return made;
  }

  /** Most events belong to the pane of the event before. */
  private paneAt(start: number): PaneCells | undefined {
    if (this.newest?.start === start) return this.newest.pane;
    const pane = this.panes.get(start);
    if (pane) this.newest = { start, pane };
    return pane;
  }

  watermark(time: number, out: Output): void {
    const { grid, progress } = this;
    const { closed } = progress;
    progress.closed = time;
    let end = Number.isFinite(closed) ? firstEndAfter(grid, closed) : this.firstEnd();
    while (end <= time) {
      this.moveTo(end - grid.sizeMs, end);
      if (this.running.size > 0) {
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
    for (const [start] of this.panes.entries()) first = Math.min(first, Number(start));
    return first === Number.POSITIVE_INFINITY ? first : firstEndAfter(this.grid, first);
  }

  /** Neither end goes back. Panes that no later window holds are forgotten. */
  private moveTo(from: number, to: number): void {
    const { paneMs } = this.grid;
    if (from >= this.to) {
      this.running.clear();
      this.scores.clear();
      for (const [start, pane] of this.panes.entries()) if (Number(start) < from) this.forget(Number(start), pane);
      this.to = from;
    } else {
      for (let start = this.from; start < from; start += paneMs) {
        const pane = this.panes.get(start);
        if (!pane) continue;
        for (const [of, cell] of pane) this.change(of, cell, -1);
        this.forget(start, pane);
      }
    }
    this.from = from;
    for (let start = this.to; start < to; start += paneMs) {
      const pane = this.panes.get(start);
      if (pane) for (const [of, cell] of pane) this.change(of, cell, 1);
    }
    this.to = to;
  }

  /** Puts what a pane holds of a key into the window, or takes it out. */
  private change(of: StateKey, cell: Cell, sign: 1 | -1): void {
    const { kind } = this.setting;
    let one = this.running.get(of);
    if (!one) {
      one = { total: kind.create(), panes: 0, score: null };
      this.running.set(of, one);
    }
    if (one.score !== null) this.scores.remove(of, one.score);
    one.panes += sign;
    if (one.panes === 0) {
      this.running.delete(of);
      return;
    }
    if (sign === 1) mergeCells(kind, one.total, cell, kind.invertible);
    else subtractCells(kind, one.total, cell);
    const { slot } = this.rule;
    const score = kind.accumulators[slot]?.result(one.total[slot]);
    one.score = typeof score === 'number' ? score : null;
    if (one.score !== null) this.scores.add(of, one.score);
  }

  private forget(start: number, pane: PaneCells): void {
    this.progress.cells -= pane.size;
    for (const of of pane.keys()) {
      const key = this.keys.get(of) as Key;
      if (--key.panes === 0) this.keys.delete(of);
    }
    this.panes.delete(start);
    if (this.newest?.start === start) this.newest = undefined;
  }

  private give(end: number, out: Output): void {
    const { kind, toEvent } = this.setting;
    const start = end - this.grid.sizeMs;
    for (const equals of this.scores.best(this.rule.rows)) {
      const found = equals.map((of) => ({ of, key: this.keys.get(of) as Key }));
      for (const { of, key } of found.sort((a, b) => a.key.order - b.key.order)) {
        const values = kind.resultsOf((this.running.get(of) as Running).total);
        out.emit(toEvent({ key: key.key, start, end, values, revision: 0, early: false }), end - 1);
      }
    }
  }
}
