/**
 * How panes stand in checkpoints. Those of windows of which the best come out: pane by pane, with a cell for each key. All others: key by key, as
 * `GridWindows` keeps them, so that a lateness can be given to windows that had none.
 */
import type { HeldKeys, OperatorContext, OwnState, StateColumns, StateKey } from '../../runtime/stream/index.ts';
import type { Cell } from './cell.ts';
import { heldOf } from './held.ts';
import type { KeyPanes } from './key-panes.ts';
import type { PaneCells } from './pane-cells.ts';
import type { PaneGroup } from './pane-groups.ts';
import { addPane, countPanes, paneAt } from './panes.ts';
import type { AggregateSetting } from './setting.ts';

/** Of a key, where panes stand by themselves. */
interface KeptKey {
  readonly order: number;
  readonly key: readonly unknown[];
  readonly panes: number;
}

type KeptPane = Map<StateKey, Cell>;

interface KeptProgress {
  readonly closed: number;
  readonly nextOrder: number;
  readonly floor?: number;
}

const nothing: StateColumns = { keys: [], times: new Float64Array(0), values: [] };

/** Puts together what the states of a checkpoint held, each of which is restored for itself. */
export type PutTogether = () => void;

export function keepPaneByPane(context: OperatorContext, panes: KeyPanes, { heldKeys }: AggregateSetting): PutTogether {
  let kept: StateColumns = nothing;
  let keptKeys: StateColumns = nothing;
  const cellsOf = (pane: PaneCells): KeptPane => {
    const cells: KeptPane = new Map();
    for (let at = 0; at < pane.size; at++) cells.set(heldKeys.written(pane.keyAt(at)), pane.cellAt(at));
    return cells;
  };
  const keyOf = (key: StateKey): KeptKey => {
    const { order, panes: count } = panes.keys.entry(key);
    return { order, key: heldKeys.values(key), panes: count };
  };
  context.ownState('panes', {
    get size() {
      return panes.count;
    },
    has: (start) => panes.find(start) !== undefined,
    entry(start) {
      const pane = panes.find(start);
      return pane && { value: cellsOf(pane), time: pane.start };
    },
    snapshot() {
      const all = [...panes.all()];
      const starts = all.map(({ start }) => start);
      return { keys: starts, times: Float64Array.from(starts), values: all.map(cellsOf) };
    },
    restore(columns) {
      kept = columns;
    },
  });
  context.ownState(
    'keys',
    stateOfKeys(panes, heldKeys, {
      valuesOf: (keys) => keys.map(keyOf),
      restore(columns) {
        keptKeys = columns;
      },
    }),
  );
  const takeProgress = keepProgress(context, panes, 'cells');
  return () => {
    if (!takeProgress()) return;
    for (const [at, key] of keptKeys.keys.entries())
      panes.putKey(heldKeys.held(key), {
        order: (keptKeys.values[at] as KeptKey).order,
        time: keptKeys.times[at] as number,
      });
    for (const [at, start] of kept.keys.entries())
      for (const [key, cell] of kept.values[at] as KeptPane) panes.putCell(Number(start), heldKeys.held(key), cell);
    kept = nothing;
    keptKeys = nothing;
  };
}

export function keepKeyByKey(context: OperatorContext, panes: KeyPanes, setting: AggregateSetting): PutTogether {
  const { heldKeys, kind } = setting;
  let kept: StateColumns = nothing;
  context.ownState(
    'groups',
    stateOfKeys(panes, heldKeys, {
      valuesOf: (keys) => groupsOf(panes, heldKeys, keys),
      restore(columns) {
        kept = columns;
      },
    }),
  );
  const takeProgress = keepProgress(context, panes, 'panes');
  return () => {
    if (!takeProgress()) return;
    for (const [at, written] of kept.keys.entries()) {
      const key = heldKeys.held(written);
      const group = kept.values[at] as PaneGroup;
      panes.putKey(key, { order: group.order, time: kept.times[at] as number });
      for (let index = 0; index < countPanes(group); index++) {
        const { start, held } = paneAt(group, index);
        panes.putCell(start, key, kind.held.cellOf(held));
      }
    }
    kept = nothing;
  };
}

/** Of some of the keys, in their order. */
function groupsOf(panes: KeyPanes, heldKeys: HeldKeys, keys: readonly StateKey[]): PaneGroup[] {
  const places = new Map(keys.map((key, at) => [panes.keys.find(key), at]));
  const groups = new Array<PaneGroup | undefined>(keys.length);
  for (const pane of [...panes.all()].sort((a, b) => a.start - b.start)) {
    for (let at = 0; at < pane.size; at++) {
      const place = places.get(pane.numberAt(at));
      if (place === undefined) continue;
      const held = heldOf(pane.cellAt(at));
      const group = groups[place];
      if (group) addPane(group, pane.start, held);
      else groups[place] = newGroup(panes, heldKeys, { key: pane.keyAt(at), start: pane.start, held });
    }
  }
  return groups as PaneGroup[];
}

function newGroup(
  panes: KeyPanes,
  heldKeys: HeldKeys,
  { key, start, held }: { readonly key: StateKey; readonly start: number; readonly held: unknown },
): PaneGroup {
  const values = heldKeys.values(key);
  return {
    order: panes.keys.entry(key).order,
    key: values.length === 1 ? values[0] : values,
    start,
    held,
    changed: false,
    older: null,
    running: null,
    corrections: null,
  };
}

function stateOfKeys(
  panes: KeyPanes,
  heldKeys: HeldKeys,
  form: { valuesOf(keys: readonly StateKey[]): unknown[]; restore(columns: StateColumns): void },
): OwnState {
  const { keys } = panes;
  return {
    get size() {
      return keys.size;
    },
    has: (written) => keys.find(heldKeys.held(written)) >= 0,
    entry(written) {
      const key = heldKeys.held(written);
      return keys.find(key) < 0 ? undefined : { value: form.valuesOf([key])[0], time: keys.entry(key).time };
    },
    snapshot() {
      const all = [...keys.all()];
      const times = Float64Array.from(all, (key) => keys.entry(key).time);
      return { keys: all.map(heldKeys.written), times, values: form.valuesOf(all) };
    },
    restore: form.restore,
  };
}

const progressKey = 'now';

/** What comes back takes in what a checkpoint held, where there was one; then all panes are gone. */
function keepProgress(context: OperatorContext, panes: KeyPanes, nameOfCells: 'cells' | 'panes'): () => boolean {
  let kept: KeptProgress | undefined;
  /** Of windows that had a lateness: it stays with them. */
  let floor: number | undefined;
  const value = () => ({
    closed: panes.closed,
    [nameOfCells]: panes.cells,
    nextOrder: panes.next,
    ...(floor !== undefined && { floor }),
  });
  context.ownState('progress', {
    size: 1,
    has: (key) => key === progressKey,
    entry: (key) => (key === progressKey ? { value: value(), time: 0 } : undefined),
    snapshot: () => ({ keys: [progressKey], times: new Float64Array(1), values: [value()] }),
    restore({ values }) {
      kept = values[0] as KeptProgress | undefined;
    },
  });
  return () => {
    if (!kept) return false;
    panes.begin(kept);
    floor = kept.floor;
    kept = undefined;
    return true;
  };
}
