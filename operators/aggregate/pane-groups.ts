/** The panes of every key: what `gridWindows` keeps in checkpoints. */
import type { Event, KeyedState, OperatorContext, StateKey } from '../../runtime/stream/index.ts';
import { type CellKind, resultsOf } from './cell.ts';
import type { WindowGrid } from './grid.ts';
import { moveRunning, type Pane, paneIndexFrom, type Running, runningResults, startRunning } from './running.ts';
import type { AggregateSetting } from './setting.ts';

export interface PaneGroup {
  /** Place in the order in which keys came. */
  readonly order: number;
  readonly key: readonly unknown[];
  /** By start. */
  panes: Pane[];
  running: Running | null;
  /** Of closed windows that late events have changed: end to the last revision given, -1 when none was. Null: of none, as of most keys. */
  revisions: Map<number, number> | null;
  /** Ends of closed windows that are to be given again. */
  again: Set<number> | null;
}

export interface Progress {
  /** Windows that end at this time or before have been given. */
  closed: number;
  /** Windows that end at this time or before stay as they were given, whatever the lateness is now. */
  floor?: number;
  panes: number;
  nextOrder: number;
}

/** Lists of panes up to this length have room for no more than they hold. */
const shortPanes = 4;

export class PaneGroups {
  readonly byKey: KeyedState<PaneGroup>;
  private readonly kept: KeyedState<Progress>;
  private readonly kind: CellKind;
  private readonly keyFields: readonly string[];

  constructor(context: OperatorContext, { kind, keyFields, keysMax }: AggregateSetting) {
    this.kind = kind;
    this.keyFields = keyFields;
    this.byKey = context.keyedState('groups', { keysMax, bytesPerKey: kind.bytes });
    this.kept = context.keyedState('progress');
  }

  get progress(): Progress {
    const found = this.kept.get('now');
    if (found) return found;
    const begun = { closed: Number.NEGATIVE_INFINITY, panes: 0, nextOrder: 0 };
    this.kept.set('now', begun, 0);
    return begun;
  }

  *all(): IterableIterator<PaneGroup> {
    for (const [, group] of this.byKey.entries()) yield group;
  }

  add(key: StateKey, event: Event, time: number): PaneGroup {
    const group: PaneGroup = {
      order: this.progress.nextOrder++,
      key: this.keyFields.map((field) => event[field]),
      panes: [],
      running: null,
      revisions: null,
      again: null,
    };
    this.byKey.set(key, group, time);
    return group;
  }

  addPane(group: PaneGroup, start: number): Pane {
    const { panes } = group;
    this.progress.panes++;
    const pane = { start, cell: this.kind.create(), changed: false };
    const last = panes[panes.length - 1];
    // A list that begins with room for many would cost more than all else of a key: `concat` takes what it needs, a list that is spread does not.
    if (panes.length < shortPanes) {
      const at = paneIndexFrom(panes, start);
      group.panes = panes.slice(0, at).concat(pane, panes.slice(at));
    } else if (!last || last.start < start) panes.push(pane);
    else panes.splice(paneIndexFrom(panes, start), 0, pane);
    return pane;
  }

  /** Forgets the panes before a time, and the keys that have none left. */
  forget(from: number, closedUntil: number): void {
    const { progress } = this;
    for (const [key, group] of this.byKey.entries()) {
      const { panes, running, revisions } = group;
      const gone = paneIndexFrom(panes, from);
      if (gone > 0) {
        if (running && running.from < from) moveRunning(this.kind, running, panes, { from, to: running.to });
        if (gone === 1) panes.shift();
        else panes.splice(0, gone);
        progress.panes -= gone;
      }
      if (revisions && revisions.size > 0) {
        for (const end of revisions.keys()) if (end <= closedUntil) revisions.delete(end);
      }
      if (panes.length === 0) this.byKey.delete(key);
    }
  }
}

export function findPane(panes: readonly Pane[], start: number): Pane | undefined {
  const pane = panes[paneIndexFrom(panes, start)];
  return pane?.start === start ? pane : undefined;
}

/** The values of the window that ends at `end`, which lies after those closed before; undefined when it is empty. */
export function closeWindow(kind: CellKind, group: PaneGroup, grid: WindowGrid, end: number): unknown[] | undefined {
  const start = end - grid.sizeMs;
  if (grid.sizeMs === grid.everyMs) {
    const pane = findPane(group.panes, start);
    return pane && resultsOf(kind, pane.cell);
  }
  group.running ??= startRunning(kind, start);
  moveRunning(kind, group.running, group.panes, { from: start, to: end });
  return group.running.panes === 0 ? undefined : runningResults(kind, group.running);
}

/** The values of windows anywhere, by end, in one pass over their panes; empty windows are left out. */
export function* windowsOf(
  kind: CellKind,
  { panes }: PaneGroup,
  ends: readonly number[],
  sizeMs: number,
): IterableIterator<{ start: number; end: number; values: unknown[] }> {
  const [first] = ends;
  if (first === undefined) return;
  const running = startRunning(kind, first - sizeMs);
  for (const end of ends) {
    const start = end - sizeMs;
    moveRunning(kind, running, panes, { from: start, to: end });
    if (running.panes > 0) yield { start, end, values: runningResults(kind, running) };
  }
}
