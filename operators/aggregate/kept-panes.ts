/**
 * How panes stand in checkpoints. Those of windows of which the best come out: pane by pane, with a cell for each key. All others: key by key, as
 * `GridWindows` keeps them, so that a lateness can be given to windows that had none.
 */
import type { HeldKeys, OperatorContext, StateColumns, StateKey } from '../../runtime/stream/index.ts';
import type { Cell } from './cell.ts';
import { heldOf } from './held.ts';
import { type KeptWindows, keepProgress, nothing, stateOfKeys, toldHeld } from './kept-keys.ts';
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

export function keepPaneByPane(context: OperatorContext, panes: KeyPanes, { heldKeys }: AggregateSetting): KeptWindows {
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
  const tell = context.ownState(
    'keys',
    stateOfKeys(panes.keys, heldKeys, {
      all: (keys, numbers) => keys.map((key, at) => keyOf(key, numbers[at] as number)),
      one: keyOf,
      restore(columns) {
        keptKeys = columns;
      },
    }),
  );
  const takeProgress = keepProgress(context, panes, { name: 'cells', count: () => panes.cells });
  const putTogether = () => {
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
  return { putTogether, touch: toldHeld(tell, heldKeys) };
}

export function keepKeyByKey(context: OperatorContext, panes: KeyPanes, setting: AggregateSetting): KeptWindows {
  const { heldKeys, kind } = setting;
  let kept: StateColumns = nothing;
  const tell = context.ownState(
    'groups',
    stateOfKeys(panes.keys, heldKeys, {
      all: (keys, numbers) => groupsOf(panes, heldKeys, { keys, numbers }),
      one: (key, number) => groupsOf(panes, heldKeys, { keys: [key], numbers: [number] })[0],
      restore(columns) {
        kept = columns;
      },
    }),
  );
  const takeProgress = keepProgress(context, panes, { name: 'panes', count: () => panes.cells });
  const putTogether = () => {
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
  return { putTogether, touch: toldHeld(tell, heldKeys) };
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
