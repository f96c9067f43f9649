/** What open windows of a key wait for, from what checkpoints have of it. */
import type { GlanceAtState } from '../../runtime/stream/index.ts';
import type { Total } from './global-window.ts';
import { firstEndAfter, type WindowGrid } from './grid.ts';
import type { PaneGroup } from './pane-groups.ts';
import { paneFrom } from './panes.ts';
import type { SessionGroup } from './session-windows.ts';

/** `earlyMs`: of results before the input ends. */
export function glanceAtTotals(earlyMs = 1): GlanceAtState {
  return ({ state, value, watermark }) => {
    if (state !== 'totals') return undefined;
    const { first, last, changed } = value as Total;
    // Of that instant is what came before it.
    const due = (Math.floor(Math.max(first, watermark) / earlyMs) + 1) * earlyMs;
    return { changed: last, waits: changed ? [{ name: 'result', time: due }] : [] };
  };
}

export const glanceAtSessions: GlanceAtState = ({ state, value, time, watermark }) => {
  if (state !== 'groups') return undefined;
  const { sessions, timerAt } = value as SessionGroup;
  // Those of a key that has a timer are looked at when it fires.
  const open = Number.isFinite(timerAt) ? [] : sessions.filter(({ end }) => end > watermark);
  return { since: time, waits: open.map(({ end }) => ({ name: 'session', time: end })) };
};

export function glanceAtPanes(grid: WindowGrid): GlanceAtState {
  return ({ state, value, time, watermark }) => {
    if (state === 'keys') return { since: time, waits: [] };
    if (state !== 'groups') return undefined;
    const end = nextEnd(grid, value as PaneGroup, watermark);
    return { since: time, waits: end === undefined ? [] : [{ name: 'window', time: end }] };
  };
}

/** Of the first window that holds something of the key and is not given yet. */
function nextEnd(grid: WindowGrid, group: PaneGroup, watermark: number): number | undefined {
  const next = Number.isFinite(watermark) ? firstEndAfter(grid, watermark) : watermark;
  const pane = paneFrom(group, next - grid.sizeMs);
  if (!pane) return undefined;
  return pane.start < next ? next : firstEndAfter(grid, pane.start);
}
