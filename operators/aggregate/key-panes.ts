/** Panes that hold a cell for each of their keys, and the keys of all of them: what `BestWindows` keeps, and how it stands in checkpoints. */
import type { HeldKeys, OperatorContext, OwnState, StateColumns, StateKey } from '../../runtime/stream/index.ts';
import type { Cell } from './cell.ts';
import { cellStoreOf } from './cell-store.ts';
import type { WindowGrid } from './grid.ts';
import { LiveKeys } from './live-keys.ts';
import { PaneCells } from './pane-cells.ts';
import type { AggregateSetting } from './setting.ts';

/** Of a key, in checkpoints. */
interface KeptKey {
  readonly order: number;
  readonly key: readonly unknown[];
  readonly panes: number;
}

type KeptPane = Map<StateKey, Cell>;

/** Panes that have gone are kept so many at a time, to be used again with their room. */
const sparePanesMax = 64;

const nothing: StateColumns = { keys: [], times: new Float64Array(0), values: [] };

export class KeyPanes {
  readonly keys = new LiveKeys();
  private readonly setting: AggregateSetting;
  private readonly grid: WindowGrid;
  private readonly heldKeys: HeldKeys;
  private readonly panes = new Map<number, PaneCells>();
  private readonly spare: PaneCells[] = [];
  private newest: PaneCells | undefined;
  /** Of a checkpoint: neither can be taken in without the other. */
  private kept = { panes: nothing, keys: nothing };

  constructor(context: OperatorContext, setting: AggregateSetting, grid: WindowGrid) {
    this.setting = setting;
    this.grid = grid;
    this.heldKeys = setting.heldKeys;
    context.ownState('panes', this.panesState());
    context.ownState('keys', this.keysState());
  }

  all(): IterableIterator<PaneCells> {
    return this.panes.values();
  }

  /** Most events belong to the pane of the event before. */
  paneAt(start: number): PaneCells | undefined {
    if (this.newest?.start === start) return this.newest;
    const pane = this.panes.get(start);
    if (pane) this.newest = pane;
    return pane;
  }

  /** A pane of a time that has none. */
  open(start: number): PaneCells {
    const { kind, numberCells } = this.setting;
    const pane = this.spare.pop() ?? new PaneCells(cellStoreOf(kind, numberCells));
    pane.begin(start, this.grid);
    this.panes.set(start, pane);
    this.newest = pane;
    return pane;
  }

  drop(pane: PaneCells): void {
    for (let at = 0; at < pane.size; at++) this.keys.leavePane(pane.numberAt(at));
    this.panes.delete(pane.start);
    if (this.newest === pane) this.newest = undefined;
    if (this.spare.length < sparePanesMax) this.spare.push(pane);
  }

  /** Takes in what a checkpoint held. */
  resume(): void {
    const { panes, keys } = this.kept;
    const { heldKeys } = this;
    if (panes === nothing && keys === nothing) return;
    this.kept = { panes: nothing, keys: nothing };
    this.keys.clear();
    for (const pane of [...this.panes.values()]) {
      this.panes.delete(pane.start);
      this.spare.push(pane);
    }
    for (const [at, key] of keys.keys.entries())
      this.keys.add(heldKeys.held(key), {
        order: (keys.values[at] as KeptKey).order,
        time: keys.times[at] as number,
      });
    for (const [at, start] of panes.keys.entries()) {
      const pane = this.open(Number(start));
      for (const [written, cell] of panes.values[at] as KeptPane) {
        const key = heldKeys.held(written);
        const number = this.keys.find(key);
        this.keys.enterPane(number);
        pane.cells.put(pane.add(key, number), cell);
      }
    }
  }

  private panesState(): OwnState {
    const { panes, heldKeys } = this;
    const valueOf = (pane: PaneCells): KeptPane => {
      const cells: KeptPane = new Map();
      for (let at = 0; at < pane.size; at++) cells.set(heldKeys.written(pane.keyAt(at)), pane.cellAt(at));
      return cells;
    };
    return {
      get size() {
        return panes.size;
      },
      has: (start) => panes.has(Number(start)),
      entry(start) {
        const pane = typeof start === 'number' ? panes.get(start) : undefined;
        return pane && { value: valueOf(pane), time: pane.start };
      },
      snapshot: () => ({
        keys: [...panes.keys()],
        times: Float64Array.from(panes.keys()),
        values: [...panes.values()].map(valueOf),
      }),
      restore: (columns) => {
        this.kept.panes = columns;
      },
    };
  }

  private keysState(): OwnState {
    const { keys, heldKeys } = this;
    const valueOf = (key: StateKey): KeptKey => {
      const { order, panes } = keys.entry(key);
      return { order, key: heldKeys.values(key), panes };
    };
    return {
      get size() {
        return keys.size;
      },
      has: (key) => keys.find(heldKeys.held(key)) >= 0,
      entry(written) {
        const key = heldKeys.held(written);
        return keys.find(key) < 0 ? undefined : { value: valueOf(key), time: keys.entry(key).time };
      },
      snapshot() {
        const all = [...keys.all()];
        return {
          keys: all.map(heldKeys.written),
          times: Float64Array.from(all, (key) => keys.entry(key).time),
          values: all.map(valueOf),
        };
      },
      restore: (columns) => {
        this.kept.keys = columns;
      },
    };
  }
}
