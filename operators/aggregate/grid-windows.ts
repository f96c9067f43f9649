/**
 * Tumbling and sliding windows. An event goes into one pane of its key, whatever the number of windows that hold it; windows are put
 * together from panes when the watermark passes their ends. A late event within the lateness changes its pane, and the closed windows
 * that hold it are given again, with the next movement of the watermark.
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
import { firstEndAfter, lastEndOf, neededFrom, paneStartOf, type WindowGrid } from './grid.ts';
import { aggregateLimits } from './limits.ts';
import { closeWindow, type PaneGroup, PaneGroups, windowsOf } from './pane-groups.ts';
import { countPanes, findPane, type Panes, paneAt, paneFrom } from './panes.ts';
import { type AggregateSetting, type OrderedRow, sortRows } from './setting.ts';

export class GridWindows implements OperatorHandler {
  private readonly context: OperatorContext;
  private readonly setting: AggregateSetting;
  private readonly grid: WindowGrid;
  private readonly groups: PaneGroups;
  /** Keys with closed windows to be given again. */
  private readonly changed: KeyedState<true>;

  constructor(context: OperatorContext, setting: AggregateSetting, grid: WindowGrid) {
    this.context = context;
    this.setting = setting;
    this.grid = grid;
    this.groups = new PaneGroups(context, setting);
    this.changed = context.keyedState('changed', { keysMax: setting.keysMax, keys: setting.heldKeys });
  }

  event(event: Event, time: number, out: Output): void {
    const { grid, groups } = this;
    const { kind, heldKeys, keysMax } = this.setting;
    const watermark = this.context.watermark();
    const behind = time < watermark;
    if (behind && lastEndOf(grid, time) <= this.closedForGood(watermark)) return out.late(event, time);
    const key = heldKeys.of(event);
    const start = paneStartOf(grid, time);
    const known = groups.byKey.get(key);
    let pane = known && findPane(known, start);
    if (!pane) {
      if (!known && groups.byKey.size >= keysMax) return turnAway(out, event, 'MACH1800', { keys: keysMax });
      const { panesMax } = aggregateLimits;
      if (groups.progress.panes >= panesMax) return turnAway(out, event, 'MACH1801', { panes: panesMax });
    } else if (kind.bounded && !kind.admits(kind.held.cellOf(pane.held), event)) {
      return turnAway(out, event, 'MACH1802', { values: aggregateLimits.distinctValuesMax });
    }
    const group = known ?? groups.add(key, event, time, start);
    if (behind) this.disturb(key, group, { time, watermark, isNew: !known });
    pane ??= known ? groups.addPane(known, start) : group;
    pane.held = kind.held.add(pane.held, event, time);
    pane.changed = true;
  }

  watermark(time: number, out: Output): void {
    const { progress } = this.groups;
    this.giveAgain(out);
    this.closeUntil(time, progress.closed, out);
    this.giveEarly(time, progress.closed, out);
    const from = neededFrom(this.grid, time);
    if (from > neededFrom(this.grid, progress.closed)) this.groups.forget(from, time - this.grid.latenessMs);
    progress.closed = time;
  }

  /** Windows that end at this time or before are corrected no more. */
  private closedForGood(watermark: number): number {
    return Math.max(watermark - this.grid.latenessMs, this.groups.progress.floor ?? Number.NEGATIVE_INFINITY);
  }

  /** Takes note of what an event behind the watermark changes, before it is added. */
  private disturb(
    key: StateKey,
    group: PaneGroup,
    { time, watermark, isNew }: { time: number; watermark: number; isNew: boolean },
  ): void {
    const { grid, changed } = this;
    const { running } = group;
    group.corrections ??= { revisions: new Map(), again: new Set() };
    const { revisions, again } = group.corrections;
    if (running && time < running.to) group.running = null;
    const last = Math.min(lastEndOf(grid, time), watermark);
    const after = Math.max(time, this.closedForGood(watermark));
    for (let end = firstEndAfter(grid, after); end <= last; end += grid.everyMs) {
      if (!revisions.has(end)) {
        const first = isNew ? undefined : paneFrom(group, end - grid.sizeMs);
        revisions.set(end, first && first.start < end ? 0 : -1);
      }
      again.add(end);
    }
    if (again.size > 0) changed.set(key, true, time);
  }

  private giveAgain(out: Output): void {
    if (this.changed.size === 0) return;
    const { kind, toEvent } = this.setting;
    const rows: OrderedRow[] = [];
    for (const [of] of this.changed.entries()) {
      this.changed.delete(of);
      const group = this.groups.byKey.get(of);
      if (!group?.corrections) continue;
      const { order, corrections } = group;
      const key = this.groups.keyValues(group);
      const { again, revisions } = corrections;
      const ends = [...again].sort((a, b) => a - b);
      again.clear();
      for (const window of windowsOf(kind, group, ends, this.grid.sizeMs)) {
        const revision = (revisions.get(window.end) ?? -1) + 1;
        revisions.set(window.end, revision);
        rows.push({ ...window, order, key, revision, early: false });
      }
    }
    for (const row of sortRows(rows)) out.emit(toEvent(row), row.end - 1);
  }

  private closeUntil(watermark: number, closed: number, out: Output): void {
    const { grid, setting } = this;
    let end = Number.isFinite(closed) ? firstEndAfter(grid, closed) : this.firstEndOfAll();
    if (end > watermark) return;
    const groups = [...this.groups.all()];
    while (end <= watermark) {
      let given = false;
      let next = Number.POSITIVE_INFINITY;
      const start = end - grid.sizeMs;
      for (const group of groups) {
        const values = closeWindow(setting.kind, group, grid, end);
        if (values) {
          given = true;
          const key = this.groups.keyValues(group);
          out.emit(setting.toEvent({ key, start, end, values, revision: 0, early: false }), end - 1);
        } else if (!given) {
          next = Math.min(next, paneFrom(group, end)?.start ?? next);
        }
      }
      // Times in which no key has anything are passed over in one step.
      if (given) end += grid.everyMs;
      else if (next === Number.POSITIVE_INFINITY) return;
      else end = firstEndAfter(grid, next);
    }
  }

  private firstEndOfAll(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const group of this.groups.all()) first = Math.min(first, paneAt(group, 0).start);
    return first === Number.POSITIVE_INFINITY ? first : firstEndAfter(this.grid, first);
  }

  private giveEarly(watermark: number, closed: number, out: Output): void {
    const { earlyMs, kind, toEvent } = this.setting;
    if (earlyMs === undefined || !Number.isFinite(watermark)) return;
    const instant = Math.floor(watermark / earlyMs) * earlyMs;
    if (instant <= closed) return;
    const rows: OrderedRow[] = [];
    for (const group of this.groups.all()) {
      const { order } = group;
      const key = this.groups.keyValues(group);
      for (const window of windowsOf(
        kind,
        group,
        this.takeChangedEnds(group, { watermark, instant }),
        this.grid.sizeMs,
      )) {
        rows.push({ ...window, order, key, revision: 0, early: true });
      }
    }
    for (const row of sortRows(rows)) out.emit(toEvent(row), instant);
  }

  /** Ends of the open windows that hold panes from before the instant, changed since the last early results. */
  private takeChangedEnds(panes: Panes, at: { watermark: number; instant: number }): number[] {
    const ends: number[] = [];
    const count = countPanes(panes);
    for (let index = 0; index < count; index++) {
      const pane = paneAt(panes, index);
      if (!pane.changed || pane.start >= at.instant) continue;
      pane.changed = false;
      const last = lastEndOf(this.grid, pane.start);
      const after = Math.max(pane.start, at.watermark, ends[ends.length - 1] ?? Number.NEGATIVE_INFINITY);
      for (let end = firstEndAfter(this.grid, after); end <= last; end += this.grid.everyMs) ends.push(end);
    }
    return ends;
  }
}
