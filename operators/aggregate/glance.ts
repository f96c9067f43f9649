/** What open windows of a key wait for, from what checkpoints have of it. */
import type { GlanceAtState, StateGlance } from '../../runtime/stream/index.ts';
import type { Total } from './global-window.ts';
import { firstEndAfter, lastEndOf, type WindowGrid } from './grid.ts';
import type { PaneGroup } from './pane-groups.ts';
import { countPanes, type Pane, paneAt, paneFrom } from './panes.ts';
import type { Session, SessionGroup } from './session-windows.ts';

/** `earlyMs`: of results before the window closes; undefined: there are none. */
interface Early {
  readonly earlyMs: number | undefined;
}

/** Without `earlyMs`: whenever time moves on. */
export function glanceAtTotals({ earlyMs = 1 }: Early): GlanceAtState {
  return ({ state, value, watermark }) => {
    if (state !== 'totals') return undefined;
    const { first, last, changed } = value as Total;
    return { changed: last, waits: changed ? [{ name: 'result', time: instantAfter(first, watermark, earlyMs) }] : [] };
  };
}

export function glanceAtSessions({ earlyMs }: Early): GlanceAtState {
  return ({ state, value, time, watermark }) => {
    if (state !== 'groups') return undefined;
    // The others have been given, and are kept for late events.
    const open = (value as SessionGroup).sessions.filter(({ changed }) => changed);
    const waits = open.flatMap((session) => waitsOf(session, { earlyMs, watermark }));
    return { since: time, waits };
  };
}

function waitsOf(session: Session, { earlyMs, watermark }: Early & { watermark: number }): StateGlance['waits'] {
  const end = { name: 'session', time: session.end };
  if (earlyMs === undefined || !session.changedSinceEarly) return [end];
  const time = instantAfter(session.start, watermark, earlyMs);
  return time < session.end ? [{ name: 'early result', time }, end] : [end];
}

export function glanceAtPanes(grid: WindowGrid, { earlyMs }: Early): GlanceAtState {
  return ({ state, value, time, watermark }) => {
    if (state === 'keys') return { since: time, waits: [] };
    if (state !== 'groups') return undefined;
    const group = value as PaneGroup;
    const end = nextEnd(grid, group, watermark);
    const early = earlyMs === undefined ? undefined : nextEarly(grid, group, { earlyMs, watermark });
    const waits = [
      ...((group.corrections?.again.size ?? 0) > 0 ? [{ name: 'correction', time: watermark }] : []),
      ...(early !== undefined && (end === undefined || early < end) ? [{ name: 'early result', time: early }] : []),
      ...(end === undefined ? [] : [{ name: 'window', time: end }]),
    ];
    return { since: time, waits };
  };
}

/** Of the first window that holds something of the key and is not given yet. */
function nextEnd(grid: WindowGrid, group: PaneGroup, watermark: number): number | undefined {
  const next = Number.isFinite(watermark) ? firstEndAfter(grid, watermark) : watermark;
  const pane = paneFrom(group, next - grid.sizeMs);
  if (!pane) return undefined;
  return pane.start < next ? next : firstEndAfter(grid, pane.start);
}

/** Of the first pane that has changed since the last early results and is in a window that is open. */
function nextEarly(
  grid: WindowGrid,
  group: PaneGroup,
  { earlyMs, watermark }: { earlyMs: number; watermark: number },
): number | undefined {
  const panes = Array.from({ length: countPanes(group) }, (_, index): Pane => paneAt(group, index));
  const pane = panes.find(({ changed, start }) => changed && lastEndOf(grid, start) > watermark);
  return pane && instantAfter(pane.start, watermark, earlyMs);
}

/** The first instant at which something that begins at a time is given: what came before the instant is in it. */
function instantAfter(begin: number, watermark: number, earlyMs: number): number {
  return (Math.floor(Math.max(begin, watermark) / earlyMs) + 1) * earlyMs;
}
