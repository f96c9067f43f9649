/**
 * What an alert watches for one key. A condition that was true at the last event counts as true until the next one; so the
 * state changes at exact times, whether an event or only the watermark tells that they have come.
 */
import type { Event } from '../../runtime/stream/index.ts';

export interface Holds {
  readonly raiseMs: number;
  readonly escalateMs: number;
  readonly clearMs: number;
  /** null: never reminds. */
  readonly remindMs: number | null;
}

export interface OpenAlert {
  readonly id: string;
  readonly raisedAt: number;
  /** When the condition became true. */
  readonly since: number;
  severity: number;
  clearSince: number | null;
  remindAt: number | null;
  acknowledgedBy: string | null;
  assignedTo: string | null;
}

export interface Watch {
  /** Time of the newest event. */
  lastTime: number;
  /** Key, chosen values and what the conditions read, of the newest event. */
  last: Event;
  /** While not open: since when the raise condition has been true. */
  since: number | null;
  /** For each level of escalation: since when its condition has been true. */
  readonly levelSince: (number | null)[];
  open: OpenAlert | null;
}

/** What the conditions say of an event. */
export interface Judgement {
  readonly raise: boolean;
  readonly clear: boolean;
  readonly levels: readonly boolean[];
}

export type Change =
  | { readonly kind: 'raise' | 'clear' | 'remind'; readonly at: number }
  | { readonly kind: 'escalate'; readonly at: number; readonly level: number };

export function newWatch(levels: number): Watch {
  const levelSince = Array.from({ length: levels }, () => null);
  return { lastTime: Number.NEGATIVE_INFINITY, last: {}, since: null, levelSince, open: null };
}

/** Takes note of what the conditions say at a time. */
export function judge(watch: Watch, time: number, { raise, clear, levels }: Judgement): void {
  const held = (since: number | null, holds: boolean) => (holds ? (since ?? time) : null);
  levels.forEach((holds, index) => {
    watch.levelSince[index] = held(watch.levelSince[index] ?? null, holds);
  });
  if (watch.open) watch.open.clearSince = held(watch.open.clearSince, clear);
  else watch.since = held(watch.since, raise);
}

/** Nothing has begun that could come to anything. */
export function isIdle({ open, since, levelSince }: Watch): boolean {
  return open === null && since === null && levelSince.every((level) => level === null);
}

/** The next change that will come if nothing else happens. Of several at one time: clear, then the highest level, then remind. */
export function nextChange(watch: Watch, holds: Holds): Change | null {
  const { open } = watch;
  if (!open) return watch.since === null ? null : { kind: 'raise', at: watch.since + holds.raiseMs };
  let next: Change | null = null;
  const consider = (change: Change) => {
    if (!next || change.at < next.at) next = change;
  };
  if (open.clearSince !== null) consider({ kind: 'clear', at: open.clearSince + holds.clearMs });
  for (let level = watch.levelSince.length - 1; level >= 0; level--) {
    const since = watch.levelSince[level] ?? null;
    // Severity 1 is that of the raising, so that level 0 makes it 2.
    if (since === null || open.severity >= level + 2) continue;
    consider({ kind: 'escalate', at: Math.max(since + holds.escalateMs, open.raisedAt), level });
  }
  if (open.remindAt !== null) consider({ kind: 'remind', at: open.remindAt });
  return next;
}

/** Carries a change out; `id` makes the identity of an alert that is raised. Returns the alert that it is about. */
export function carryOut(watch: Watch, change: Change, holds: Holds, id: (raisedAt: number) => string): OpenAlert {
  const { at } = change;
  const remindAt = holds.remindMs === null ? null : at + holds.remindMs;
  if (!watch.open) {
    watch.open = {
      id: id(at),
      raisedAt: at,
      since: watch.since ?? at,
      severity: 1,
      clearSince: null,
      remindAt,
      acknowledgedBy: null,
      assignedTo: null,
    };
    watch.since = null;
    return watch.open;
  }
  const { open } = watch;
  if (change.kind === 'clear') watch.open = null;
  if (change.kind === 'escalate') open.severity = change.level + 2;
  if (open.acknowledgedBy === null) open.remindAt = remindAt;
  return open;
}
