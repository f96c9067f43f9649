/** The panes of every key: what `gridWindows` keeps in checkpoints. */
import type { Event, KeyedState, OperatorContext, StateKey } from '../../runtime/stream/index.ts';
import type { CellKind } from './cell.ts';
import type { WindowGrid } from './grid.ts';
import { addPane, countPanes, dropPanes, findPane, type Pane, type Panes, paneIndexFrom } from './panes.ts';
import { moveRunning, type Running, runningResults, startRunning } from './running.ts';
import type { AggregateSetting } from './setting.ts';

export interface PaneGroup extends Panes {
  /** Place in the order in which keys came. */
  readonly order: number;
  /** The value of the only field of the key; of several fields, or none, the list of their values. */
  readonly key: unknown;
  running: Running | null;
  corrections: Corrections | null;
}

/** What late events have changed. */
export interface Corrections {
  /** Of closed windows: end to the last revision given, -1 when none was. */
  readonly revisions: Map<number, number>;
  /** Ends of closed windows that are to be given again. */
  readonly again: Set<number>;
}

export interface Progress {
  /** Windows that end at this time or before have been given. */
  closed: number;
  /** Windows that end at this time or before stay as they were given, whatever the lateness is now. */
  floor?: number;
  panes: number;
  nextOrder: number;
}

export class PaneGroups {
  readonly byKey: KeyedState<PaneGroup>;
  private readonly kept: KeyedState<Progress>;
  private readonly kind: CellKind;
  private readonly keyFields: readonly string[];

  constructor(context: OperatorContext, { kind, keyFields, keysMax, heldKeys: keys }: AggregateSetting) {
    this.kind = kind;
    this.keyFields = keyFields;
    this.byKey = context.keyedState('groups', { keysMax, keys, bytesPerKey: kind.bytes });
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

  /** Of a new key, with its first pane. */
  add(of: StateKey, event: Event, time: number, start: number): PaneGroup {
    const { kind, keyFields, progress } = this;
    const key = keyFields.map((name) => event[name]);
    const group: PaneGroup = {
      order: progress.nextOrder++,
      key: key.length === 1 ? key[0] : key,
      start,
      held: kind.held.create(),
      changed: false,
      older: null,
      running: null,
      corrections: null,
    };
    progress.panes++;
    this.byKey.set(of, group, time);
    return group;
  }

  addPane(group: PaneGroup, start: number): Pane {
    this.progress.panes++;
    return addPane(group, start, this.kind.held.create());
  }

  keyValues({ key }: PaneGroup): readonly unknown[] {
    return this.keyFields.length === 1 ? [key] : (key as readonly unknown[]);
  }

  /** Forgets the panes before a time, and the keys that have none left. */
  forget(from: number, closedUntil: number): void {
    const { progress } = this;
    for (const [key, group] of this.byKey.entries()) {
      const { running, corrections } = group;
      const gone = paneIndexFrom(group, from);
      progress.panes -= gone;
      if (gone === countPanes(group)) {
        this.byKey.delete(key);
        continue;
      }
      if (gone > 0 && running && running.from < from) moveRunning(this.kind, running, group, { from, to: running.to });
      dropPanes(group, gone);
      if (!corrections) continue;
      const { revisions } = corrections;
      for (const end of revisions.keys()) if (end <= closedUntil) revisions.delete(end);
      if (revisions.size === 0) group.corrections = null;
    }
  }
}

/** The values of the window that ends at `end`, which lies after those closed before; undefined when it is empty. */
export function closeWindow(kind: CellKind, group: PaneGroup, grid: WindowGrid, end: number): unknown[] | undefined {
  const start = end - grid.sizeMs;
  if (grid.sizeMs === grid.everyMs) {
    const pane = findPane(group, start);
    return pane && kind.resultsOf(kind.held.cellOf(pane.held));
  }
  group.running ??= startRunning(kind, start);
  moveRunning(kind, group.running, group, { from: start, to: end });
  return group.running.panes === 0 ? undefined : runningResults(kind, group.running);
}

/** The values of windows anywhere, by end, in one pass over their panes; empty windows are left out. */
export function* windowsOf(
  kind: CellKind,
  panes: Panes,
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
