/**
 * How panes stand in checkpoints. Those of windows of which the best come out: pane by pane, with a cell for each key. All others: key by key, as
 * `GridWindows` keeps them, so that a lateness can be given to windows that had none.
 */
import type { HeldKeys, OperatorContext, OwnState, StateColumns, StateKey } from '../../runtime/stream/index.ts';
import type { Cell } from './cell.ts';
import { heldOf } from './held.ts';
import type { KeyPanes } from './key-panes.ts';
import type { LoadedCells, PaneCells } from './pane-cells.ts';
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
    for (let at = 0; at < pane.size; at++)
      cells.set(heldKeys.written(panes.keys.keyOf(pane.numberAt(at))), pane.cellAt(at));
    return cells;
  };
  const keyOf = (key: StateKey, number: number): KeptKey => ({
    order: panes.keys.orderOf(number),
    key: heldKeys.values(key),
    panes: panes.keys.panesOf(number),
  });
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
      all: (keys, numbers) => keys.map((key, at) => keyOf(key, numbers[at] as number)),
      one: keyOf,
      restore(columns) {
        keptKeys = columns;
      },
    }),
  );
  const takeProgress = keepProgress(context, panes, 'cells');
  return () => {
    if (!takeProgress()) return;
    const all = keptKeys.values as readonly KeptKey[];
    panes.keys.load(keptKeys.keys.map(heldKeys.held), { times: keptKeys.times, orders: all.map(({ order }) => order) });
    const cells = new CellsByPane();
    for (const [at, start] of kept.keys.entries()) {
      for (const [written, cell] of kept.values[at] as KeptPane) {
        const key = heldKeys.held(written);
        cells.add(Number(start), { key, number: panes.keys.find(key), cell });
      }
    }
    panes.load(cells.panes);
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
      all: (keys, numbers) => groupsOf(panes, heldKeys, { keys, numbers }),
      one: (key, number) => groupsOf(panes, heldKeys, { keys: [key], numbers: [number] })[0],
      restore(columns) {
        kept = columns;
      },
    }),
  );
  const takeProgress = keepProgress(context, panes, 'panes');
  return () => {
    if (!takeProgress()) return;
    const groups = kept.values as readonly PaneGroup[];
    const keys = kept.keys.map(heldKeys.held);
    panes.keys.load(keys, { times: kept.times, orders: groups.map(({ order }) => order) });
    const cells = new CellsByPane();
    for (let number = 0; number < groups.length; number++) {
      const group = groups[number] as PaneGroup;
      for (let index = 0; index < countPanes(group); index++) {
        const { start, held } = paneAt(group, index);
        cells.add(start, { key: keys[number] as StateKey, number, cell: kind.held.cellOf(held) });
      }
    }
    panes.load(cells.panes);
    kept = nothing;
  };
}

/** Of some of the keys, in their order. */
function groupsOf(
  panes: KeyPanes,
  heldKeys: HeldKeys,
  { keys, numbers }: { readonly keys: readonly StateKey[]; readonly numbers: ArrayLike<number> },
): PaneGroup[] {
  const places: number[] = [];
  for (let at = 0; at < numbers.length; at++) places[numbers[at] as number] = at;
  const groups = new Array<PaneGroup | undefined>(keys.length).fill(undefined);
  for (const pane of [...panes.all()].sort((a, b) => a.start - b.start)) {
    for (let at = 0; at < pane.size; at++) {
      const number = pane.numberAt(at);
      const place = places[number];
      if (place === undefined) continue;
      const held = heldOf(pane.cellAt(at));
      const group = groups[place];
      if (group) {
        addPane(group, pane.start, held);
        continue;
      }
      const values = heldKeys.values(keys[place] as StateKey);
      groups[place] = {
        order: panes.keys.orderOf(number),
        key: values.length === 1 ? values[0] : values,
        start: pane.start,
        held,
        changed: false,
        older: null,
        running: null,
        corrections: null,
      };
    }
  }
  return groups as PaneGroup[];
}

/** Cells of a checkpoint on their way to their panes. */
class CellsByPane {
  readonly panes = new Map<number, LoadedCells>();

  add(start: number, { key, number, cell }: { readonly key: StateKey; readonly number: number; readonly cell: Cell }) {
    let pane = this.panes.get(start);
    if (!pane) {
      pane = { keys: [], numbers: [], cells: [] };
      this.panes.set(start, pane);
    }
    pane.keys.push(key);
    pane.numbers.push(number);
    pane.cells.push(cell);
  }
}

/** `all` and `one`: what checkpoints have of keys. */
function stateOfKeys(
  panes: KeyPanes,
  heldKeys: HeldKeys,
  form: {
    all(keys: readonly StateKey[], numbers: ArrayLike<number>): unknown[];
    one(key: StateKey, number: number): unknown;
    restore(columns: StateColumns): void;
  },
): OwnState {
  const { keys: live } = panes;
  return {
    get size() {
      return live.size;
    },
    has: (written) => live.find(heldKeys.held(written)) >= 0,
    entry(written) {
      const key = heldKeys.held(written);
      const number = live.find(key);
      return number < 0 ? undefined : { value: form.one(key, number), time: live.timeOf(key) };
    },
    snapshot() {
      const { keys, times, numbers } = live.columns();
      return { keys: keys.map(heldKeys.written), times, values: form.all(keys, numbers) };
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
  const hasBegun = () => panes.next > 0 || Number.isFinite(panes.closed);
  context.ownState('progress', {
    get size() {
      return hasBegun() ? 1 : 0;
    },
    has: (key) => key === progressKey && hasBegun(),
    entry: (key) => (key === progressKey && hasBegun() ? { value: value(), time: 0 } : undefined),
    snapshot: () => (hasBegun() ? { keys: [progressKey], times: new Float64Array(1), values: [value()] } : nothing),
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
