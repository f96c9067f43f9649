/** Panes that hold a cell for each of their keys, the keys of all of them, and how far windows have been given: what `PaneWindows` keeps. */
import type { StateKey } from '../../runtime/stream/index.ts';
import { cellStoreOf } from './cell-store.ts';
import type { WindowGrid } from './grid.ts';
import type { Given } from './kept-keys.ts';
import { LiveKeys } from './live-keys.ts';
import { type LoadedCells, PaneCells } from './pane-cells.ts';
import type { AggregateSetting } from './setting.ts';

/** Panes that have gone are kept so many at a time, to be used again with their room, where they had no more keys than this. */
const sparePanesMax = 64;
const spareKeysMax = 4_096;

export class KeyPanes {
  readonly keys = new LiveKeys();
  /** Windows that end at this time or before have been given. */
  closed = Number.NEGATIVE_INFINITY;
  private nextOrder = 0;
  private countOfCells = 0;
  private readonly setting: AggregateSetting;
  private readonly grid: WindowGrid;
  private readonly panes = new Map<number, PaneCells>();
  private readonly spare: PaneCells[] = [];
  private newest: PaneCells | undefined;

  constructor(setting: AggregateSetting, grid: WindowGrid) {
    this.setting = setting;
    this.grid = grid;
  }

  /** Cells in all panes. */
  get cells(): number {
    return this.countOfCells;
  }

  /** The place that the next key gets in the order in which keys come. */
  get next(): number {
    return this.nextOrder;
  }

  /** Panes. */
  get count(): number {
    return this.panes.size;
  }

  find(start: StateKey): PaneCells | undefined {
    return typeof start === 'number' ? this.panes.get(start) : undefined;
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

  /** The pane of a time, made where there is none. */
  open(start: number): PaneCells {
    const known = this.paneAt(start);
    if (known) return known;
    const { kind, numberCells } = this.setting;
    const pane = this.spare.pop() ?? new PaneCells(cellStoreOf(kind, numberCells));
    pane.begin(start, this.grid);
    this.panes.set(start, pane);
    this.newest = pane;
    return pane;
  }

  /** A new cell of a key that had none in the pane: which it is. */
  addCell(pane: PaneCells, key: StateKey, time: number): number {
    const { keys } = this;
    let number = keys.find(key);
    if (number < 0) number = keys.add(key, { order: this.nextOrder++, time });
    keys.enterPane(number);
    this.countOfCells++;
    return pane.add(key, number);
  }

  drop(pane: PaneCells): void {
    const { keys, panes, spare } = this;
    for (let at = 0; at < pane.size; at++) keys.leavePane(pane.numberAt(at));
    this.countOfCells -= pane.size;
    panes.delete(pane.start);
    if (this.newest === pane) this.newest = undefined;
    if (spare.length < sparePanesMax && pane.size <= spareKeysMax) spare.push(pane);
  }

  /** Nothing is kept; what was given before, and the order of the next key, are those of a checkpoint. */
  begin({ closed, nextOrder }: Given): void {
    for (const pane of [...this.panes.values()]) this.drop(pane);
    this.closed = closed;
    this.nextOrder = nextOrder;
  }

  /** Cells by the start of their pane; their keys are there. */
  load(panes: ReadonlyMap<number, LoadedCells>): void {
    for (const [start, loaded] of panes) {
      this.open(start).load(loaded);
      for (const number of loaded.numbers) this.keys.enterPane(number);
      this.countOfCells += loaded.numbers.length;
    }
  }
}
