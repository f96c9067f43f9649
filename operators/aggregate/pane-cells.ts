/** The cells of one pane, by key. */
import { EntryTable, type StateKey } from '../../runtime/stream/index.ts';
import type { Cell } from './cell.ts';
import type { CellStore } from './cell-store.ts';
import { lastEndOf, type WindowGrid } from './grid.ts';

export class PaneCells {
  start = 0;
  /** Before this time. */
  end = 0;
  /** End of the last window that holds it. */
  lastEnd = 0;
  readonly cells: CellStore;
  /** Key to the number that it has among all keys. Keys only come, so the n-th is the n-th entry. */
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
    this.lastEnd = lastEndOf(grid, start);
    this.table.clear();
    this.cells.clear();
  }

  /** The place of a key's cell, or -1. */
  find(key: StateKey): number {
    const at = this.table.find(key);
    return at < 0 ? -1 : this.placeAt(at);
  }

  /** The place of a new cell for a key that has none. */
  add(key: StateKey, number: number): number {
    const place = this.placeAt(this.table.size);
    this.table.append(key, number, this.start);
    this.cells.begin(place);
    return place;
  }

  keyAt(at: number): StateKey {
    return this.table.keyAt(at);
  }

  /** The number of the n-th key. */
  numberAt(at: number): number {
    return this.table.valueAt(at);
  }

  /** Where the cell of the n-th key stands, and which key has the cell that stands somewhere. */
  placeAt(at: number): number {
    return at * this.cells.width;
  }

  indexOf(place: number): number {
    return place / this.cells.width;
  }

  cellAt(at: number): Cell {
    return this.cells.cellAt(this.placeAt(at));
  }
}
