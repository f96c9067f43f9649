/**
 * The aggregate over a window that moves along the panes of one key.
 *
 * What can be taken out of a total exactly (counts, sums of whole numbers, bins) is: one merge when a pane comes in, one subtraction
 * when it leaves. The rest keeps two stacks (Tangwongsan, Hirzel, Schneider: Low-latency sliding-window aggregation, DEBS 2017):
 * totals from each older pane up to a border, one total of all panes after it; when the border is passed, the totals are made anew.
 * Either way a step costs a constant number of merges on average, however many panes a window has.
 */
import { type Cell, type CellKind, mergeCells, subtractCells } from './cell.ts';
import { countPanes, type Panes, paneAt, paneIndexFrom } from './panes.ts';

export interface Running {
  from: number;
  to: number;
  /** The totals in `older` reach up to here. */
  border: number;
  panes: number;
  /** Of all panes for what can be taken out; of those from the border on for the rest. */
  total: Cell;
  /** Something in the total was too large to be exact since the panes were last added up. */
  isRounded?: boolean;
  /** Totals from the start given up to the border, the earliest start last. */
  older: { readonly start: number; readonly cell: Cell }[];
}

export function startRunning(kind: CellKind, from: number): Running {
  return { from, to: from, border: from, panes: 0, total: kind.create(), older: [], isRounded: false };
}

interface Bounds {
  readonly from: number;
  readonly to: number;
}

/** Moves the window to [from, to). Neither end may go back. */
export function moveRunning(kind: CellKind, running: Running, panes: Panes, bounds: Bounds): void {
  moveBounds(kind, running, panes, bounds);
  if (running.isRounded) addUp(kind, running, panes);
}

/** What can be taken out is added up anew, pane by pane: so it hangs on what the panes hold alone, and not on what has left the window. */
function addUp(kind: CellKind, running: Running, panes: Panes): void {
  const { from, to, total } = running;
  running.isRounded = false;
  for (const slot of kind.invertible) total[slot] = kind.accumulators[slot]?.create();
  const count = countPanes(panes);
  for (let at = paneIndexFrom(panes, from); at < count; at++) {
    const { start, held } = paneAt(panes, at);
    if (start >= to) break;
    mergeCells(kind, total, kind.held.cellOf(held), kind.invertible);
    if (!kind.isExact(total)) running.isRounded = true;
  }
}

function moveBounds(kind: CellKind, running: Running, panes: Panes, { from, to }: Bounds): void {
  if (from >= running.to) Object.assign(running, startRunning(kind, from));
  else if (from > running.from) leaveBehind(kind, running, panes, from);
  if (to <= running.to) return;
  const count = countPanes(panes);
  for (let at = paneIndexFrom(panes, running.to); at < count; at++) {
    const { start, held } = paneAt(panes, at);
    if (start >= to) break;
    const cell = kind.held.cellOf(held);
    mergeCells(kind, running.total, cell, kind.invertible);
    mergeCells(kind, running.total, cell, kind.monotone);
    if (!kind.isExact(running.total)) running.isRounded = true;
    running.panes++;
  }
  running.to = to;
}

function leaveBehind(kind: CellKind, running: Running, panes: Panes, from: number): void {
  const first = paneIndexFrom(panes, running.from);
  const kept = paneIndexFrom(panes, from);
  for (let at = first; at < kept; at++) {
    subtractCells(kind, running.total, kind.held.cellOf(paneAt(panes, at).held));
    if (!kind.isExact(running.total)) running.isRounded = true;
  }
  running.panes -= kept - first;
  running.from = from;
  if (kind.monotone.length === 0) return;
  const { older } = running;
  while (older.length > 0 && (older[older.length - 1] as { start: number }).start < from) older.pop();
  if (from > running.border) passBorder(kind, running, panes, kept);
}

/** Some of the panes after the border have left: totals are made anew for those that remain. */
function passBorder(kind: CellKind, running: Running, panes: Panes, kept: number): void {
  const { accumulators, monotone } = kind;
  running.older = [];
  let later: Cell | undefined;
  for (let at = paneIndexFrom(panes, running.to) - 1; at >= kept; at--) {
    const { start, held } = paneAt(panes, at);
    const cell = kind.held.cellOf(held);
    const total: Cell = accumulators.map(() => null);
    for (const slot of monotone) {
      total[slot] = accumulators[slot]?.copy(cell[slot]);
      if (later) total[slot] = accumulators[slot]?.merge(total[slot], later[slot]);
    }
    running.older.push({ start, cell: total });
    later = total;
  }
  running.border = running.to;
  for (const slot of monotone) running.total[slot] = accumulators[slot]?.create();
}

export function runningResults(kind: CellKind, running: Running): unknown[] {
  const { accumulators } = kind;
  const older = running.older[running.older.length - 1];
  return accumulators.map((accumulator, slot) => {
    if (!older || accumulator.subtract) return accumulator.result(running.total[slot]);
    return accumulator.result(accumulator.merge(accumulator.copy(older.cell[slot]), running.total[slot]));
  });
}
