/**
 * Session windows: events of a key that follow one another within the gap belong together. A session is [first event, last event +
 * gap); where events exactly a gap apart belong together, it is kept open for 1 ms more. An event out of order may lengthen a session, or join two. Where late events join sessions whose results have been given, the
 * results of those that are no more are withdrawn.
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
import { type Cell, mergeCells } from './cell.ts';
import { aggregateLimits } from './limits.ts';
import { type AggregateSetting, type OrderedRow, sortRows } from './setting.ts';

export interface GivenSession {
  readonly start: number;
  readonly end: number;
  revision: number;
}

export interface Session {
  start: number;
  end: number;
  cell: Cell;
  /** Since the last result. */
  changed: boolean;
  changedSinceEarly: boolean;
  /** Final results that stand; more than one after sessions were joined. */
  given: GivenSession[];
}

export interface SessionGroup {
  readonly order: number;
  readonly key: readonly unknown[];
  /** By start; they never overlap. */
  sessions: Session[];
  /** When the timer of the key fires; infinite: it has none. */
  timerAt: number;
}

interface DueRow extends OrderedRow {
  /** The key of the state that it comes of. */
  readonly of: StateKey;
}

interface Progress {
  closed: number;
  /** Sessions that end at this time or before stay as they were given, whatever the lateness is now. */
  floor?: number;
  sessions: number;
  nextOrder: number;
}

export interface SessionSpan {
  readonly gapMs: number;
  readonly latenessMs: number;
  /** 1 where events exactly a gap apart belong together, else 0. */
  readonly touchingMs: number;
}

export const timerName = 'close';

export class SessionWindows implements OperatorHandler {
  private readonly context: OperatorContext;
  private readonly setting: AggregateSetting;
  private readonly span: SessionSpan;
  private readonly groups: KeyedState<SessionGroup>;
  private readonly kept: KeyedState<Progress>;
  /** Results of the watermark that is being handled: they leave in order once all timers have fired. */
  private due: DueRow[] = [];
  /** Keys that have no session any more: they leave after their results. */
  private over: StateKey[] = [];

  constructor(context: OperatorContext, setting: AggregateSetting, span: SessionSpan) {
    const { keysMax, kind } = setting;
    this.context = context;
    this.setting = setting;
    this.span = span;
    this.groups = context.keyedState('groups', { keysMax, bytesPerKey: kind.bytes });
    this.kept = context.keyedState('progress');
  }

  /** `SessionRows` sets no timers. */
  resume(): void {
    for (const [key, group] of this.groups.entries())
      if (group.timerAt === Number.POSITIVE_INFINITY) this.schedule(key, group);
  }

  event(event: Event, time: number, out: Output): void {
    const { kind, keyOf, keysMax } = this.setting;
    const { gapMs, latenessMs, touchingMs } = this.span;
    const watermark = this.context.watermark();
    const key = keyOf(event);
    const group = this.groups.get(key);
    const end = time + gapMs + touchingMs;
    const last = group?.sessions[group.sessions.length - 1];
    if (last && time >= last.start && end >= last.end && time < last.end && watermark < last.end && !kind.bounded) {
      // The usual case: the newest session goes on.
      last.end = end;
      take(last, this.setting, event, time);
      return;
    }
    const touched = group ? sessionsTouched(group.sessions, time, end) : { from: 0, to: 0 };
    const merged = group?.sessions.slice(touched.from, touched.to) ?? [];
    const mergedEnd = Math.max(end, merged[merged.length - 1]?.end ?? end);
    if (mergedEnd + latenessMs <= watermark || mergedEnd <= (this.progress.floor ?? Number.NEGATIVE_INFINITY))
      return out.late(event, time);
    if (!group && this.groups.size >= keysMax) return turnAway(out, event, 'MACH1800', { keys: keysMax });
    const { panesMax, distinctValuesMax } = aggregateLimits;
    if (merged.length === 0 && this.progress.sessions >= panesMax)
      return turnAway(out, event, 'MACH1801', { panes: panesMax });
    if (kind.bounded && !merged.every(({ cell }) => kind.admits(cell, event)))
      return turnAway(out, event, 'MACH1802', { values: distinctValuesMax });
    const home = group ?? this.addGroup(key, event, time);
    const session = this.join(merged, time, end);
    home.sessions.splice(touched.from, touched.to - touched.from, session);
    this.progress.sessions += 1 - merged.length;
    take(session, this.setting, event, time);
    this.schedule(key, home);
  }

  /** Sessions of a key may have ended, or be old enough to be forgotten. */
  timer(key: StateKey): void {
    const group = this.groups.get(key);
    if (!group) return;
    const watermark = this.context.watermark();
    group.timerAt = Number.POSITIVE_INFINITY;
    for (const session of group.sessions) {
      if (session.changed && session.end <= watermark) this.give(key, group, session);
    }
    const open = group.sessions.filter(({ end }) => end + this.span.latenessMs > watermark);
    this.progress.sessions += open.length - group.sessions.length;
    group.sessions = open;
    if (open.length === 0) this.over.push(key);
    else this.schedule(key, group);
  }

  watermark(time: number, out: Output): void {
    for (const row of sortRows(this.due)) {
      // What is looked at now is what the row comes of (`why`).
      this.groups.get(row.of);
      out.emit(this.rowOf(row), row.end - 1);
    }
    this.due = [];
    for (const key of this.over) this.groups.delete(key);
    this.over = [];
    this.giveEarly(time, out);
    this.progress.closed = time;
  }

  private get progress(): Progress {
    const found = this.kept.get('now');
    if (found) return found;
    const begun = { closed: Number.NEGATIVE_INFINITY, sessions: 0, nextOrder: 0 };
    this.kept.set('now', begun, 0);
    return begun;
  }

  private addGroup(key: StateKey, event: Event, time: number): SessionGroup {
    const { keyFields } = this.setting;
    const order = this.progress.nextOrder++;
    const group = {
      order,
      key: keyFields.map((field) => event[field]),
      sessions: [],
      timerAt: Number.POSITIVE_INFINITY,
    };
    this.groups.set(key, group, time);
    return group;
  }

  /** One session of those that an event touches; a new one when it touches none. */
  private join(sessions: readonly Session[], start: number, end: number): Session {
    const { kind } = this.setting;
    const [first, ...others] = sessions;
    if (!first) return { start, end, cell: kind.create(), changed: true, changedSinceEarly: true, given: [] };
    for (const other of others) {
      mergeCells(kind, first.cell, other.cell, kind.invertible);
      mergeCells(kind, first.cell, other.cell, kind.monotone);
      first.given.push(...other.given);
      first.end = other.end;
    }
    first.start = Math.min(first.start, start);
    first.end = Math.max(first.end, end);
    return first;
  }

  /** The timer of a key stands at the earliest time at which one of its sessions needs attention, or before: it moves rarely. */
  private schedule(key: StateKey, group: SessionGroup): void {
    let next = Number.POSITIVE_INFINITY;
    for (const { end, changed } of group.sessions) next = Math.min(next, changed ? end : end + this.span.latenessMs);
    if (next >= group.timerAt) return;
    group.timerAt = next;
    this.context.timers.set(key, timerName, next);
  }

  private give(of: StateKey, { order, key }: SessionGroup, session: Session): void {
    const values = this.setting.kind.resultsOf(session.cell);
    const { start, end, given } = session;
    const before = given.find((one) => one.start === start && one.end === end);
    for (const one of given) {
      if (one === before) continue;
      const revision = one.revision + 1;
      this.due.push({
        of,
        order,
        key,
        start: one.start,
        end: one.end,
        values,
        revision,
        early: false,
        withdrawn: true,
      });
    }
    const revision = (before?.revision ?? -1) + 1;
    this.due.push({ of, order, key, start, end, values, revision, early: false });
    session.changed = false;
    session.given = this.span.latenessMs > 0 ? [{ start, end, revision }] : [];
  }

  private giveEarly(watermark: number, out: Output): void {
    const { earlyMs, kind } = this.setting;
    if (earlyMs === undefined || !Number.isFinite(watermark)) return;
    const instant = Math.floor(watermark / earlyMs) * earlyMs;
    if (instant <= this.progress.closed) return;
    const rows: OrderedRow[] = [];
    for (const [, { order, key, sessions }] of this.groups.entries()) {
      for (const session of sessions) {
        if (!session.changedSinceEarly || session.end <= watermark || session.start >= instant) continue;
        session.changedSinceEarly = false;
        const { start, end, cell } = session;
        rows.push({ order, key, start, end, values: kind.resultsOf(cell), revision: 0, early: true });
      }
    }
    for (const row of sortRows(rows)) out.emit(this.rowOf(row), instant);
  }

  /** The window of a result ends a gap behind its last event. */
  private rowOf(row: OrderedRow): Event {
    const { touchingMs } = this.span;
    return this.setting.toEvent(touchingMs === 0 ? row : { ...row, end: row.end - touchingMs });
  }
}

function take(session: Session, { kind }: AggregateSetting, event: Event, time: number): void {
  kind.add(session.cell, event, time);
  session.changed = true;
  session.changedSinceEarly = true;
}

/** The run of sessions that [start, end) overlaps: from the first to before the last. */
function sessionsTouched(sessions: readonly Session[], start: number, end: number): { from: number; to: number } {
  let from = sessions.length;
  while (from > 0 && (sessions[from - 1] as Session).end > start) from--;
  let to = from;
  while (to < sessions.length && (sessions[to] as Session).start < end) to++;
  return { from, to };
}
