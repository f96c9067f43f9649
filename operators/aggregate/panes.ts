/**
 * The panes of one key, by start. The newest is part of the whole itself: most keys have no other, and an object, a list and an entry for it would
 * take more than all else of a key.
 */
import type { Held } from './held.ts';

export interface Pane {
  start: number;
  held: Held;
  /** Since the last early result. */
  changed: boolean;
}

export interface Panes extends Pane {
  /** Before the newest; null: none. */
  older: Pane[] | null;
}

/** Lists of panes up to this length have room for no more than they hold. */
const shortPanes = 4;

export function countPanes({ older }: Panes): number {
  return older === null ? 1 : older.length + 1;
}

/** One of them: from 0, the oldest. */
export function paneAt(panes: Panes, index: number): Pane {
  return panes.older?.[index] ?? panes;
}

/** Index of the first pane that starts at `time` or later. */
export function paneIndexFrom(panes: Panes, time: number): number {
  const { older, start } = panes;
  if (older === null) return start < time ? 1 : 0;
  if (start < time) return older.length + 1;
  let low = 0;
  let high = older.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((older[middle] as Pane).start < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first pane that starts at `time` or later. */
export function paneFrom(panes: Panes, time: number): Pane | undefined {
  return panes.start < time ? undefined : paneAt(panes, paneIndexFrom(panes, time));
}

export function findPane(panes: Panes, start: number): Pane | undefined {
  if (panes.start === start) return panes;
  const pane = paneFrom(panes, start);
  return pane?.start === start ? pane : undefined;
}

/** Adds one that is not there. */
export function addPane(panes: Panes, start: number, held: Held): Pane {
  if (start < panes.start) {
    const pane = { start, held, changed: false };
    panes.older = inserted(panes.older ?? [], paneIndexFrom(panes, start), pane);
    return pane;
  }
  const { older } = panes;
  const before = { start: panes.start, held: panes.held, changed: panes.changed };
  panes.older = inserted(older ?? [], older?.length ?? 0, before);
  panes.start = start;
  panes.held = held;
  panes.changed = false;
  return panes;
}

function inserted(list: Pane[], at: number, pane: Pane): Pane[] {
  // `concat` takes the room that it needs; a list that grows takes room for many.
  if (list.length < shortPanes) return list.slice(0, at).concat(pane, list.slice(at));
  if (at === list.length) list.push(pane);
  else list.splice(at, 0, pane);
  return list;
}

/** Takes out the oldest; the newest stays. */
export function dropPanes(panes: Panes, count: number): void {
  const { older } = panes;
  if (older === null || count === 0) return;
  if (count === older.length) panes.older = null;
  else if (count === 1) older.shift();
  else older.splice(0, count);
}
