/**
 * The cells of one pane, one for each of its keys, in the order in which they came. A pane finds its keys by itself: they are few beside all that
 * live, and what is looked at for each event lies close together.
 */
import { EntryTable, type StateKey } from '../../runtime/stream/index.ts';
import type { Cell } from './cell.ts';
import type { CellStore } from './cell-store.ts';
import type { WindowGrid } from './grid.ts';

/** Of some keys, unlike each other: their numbers (`LiveKeys`) and cells. */
export interface LoadedCells {
  readonly keys: StateKey[];
  readonly numbers: number[];
  readonly cells: Cell[];
}

export class PaneCells {
  start = 0;
  /** Before this time. */
  end = 0;
  readonly cells: CellStore;
  /** Key to number. Keys only come, so the n-th cell is that of the n-th key. */
  private readonly table = new EntryTable<number>();

  constructor(cells: CellStore) {
    this.cells = cells;
  }

  get size(): number {
    return this.table.size;
  }

  /** Empty, for another time. */
  begin(start: number, grid: WindowGrid): void {
    this.start = start;
    this.end = start + grid.paneMs;
    this.table.clear();
    this.cells.clear();
  }

  /** Which cell a key has, or -1. */
  find(key: StateKey): number {
    return this.table.find(key);
  }

  /** A cell for a key that has none: which it is. */
  add(key: StateKey, number: number): number {
    const cell = this.table.size;
    this.table.append(key, number, this.start);
    this.cells.begin(this.placeAt(cell));
    return cell;
  }

  /** In place of what is there. */
  load({ keys, numbers, cells }: LoadedCells): void {
    const times = new Float64Array(keys.length).fill(this.start);
    this.table.load({ keys, times, values: new Float64Array(numbers) });
    for (let cell = 0; cell < cells.length; cell++) this.cells.put(this.placeAt(cell), cells[cell] as Cell);
  }

  /** The number of the key of a cell. */
  numberAt(cell: number): number {
    return this.table.valueAt(cell);
  }

  /** Where a cell stands in the store. */
  placeAt(cell: number): number {
    return cell * this.cells.width;
  }

  cellAt(cell: number): Cell {
    return this.cells.cellAt(this.placeAt(cell));
  }
}
