/** The cells of one pane, one for each of its keys, in the order in which they came. Keys are known by their numbers (`LiveKeys`). */
import type { Cell } from './cell.ts';
import type { CellStore } from './cell-store.ts';
import { lastEndOf, type WindowGrid } from './grid.ts';

/** Of some keys: their numbers and cells. */
export interface LoadedCells {
  readonly numbers: number[];
  readonly cells: Cell[];
}

export class PaneCells {
  start = 0;
  /** Before this time. */
  end = 0;
  /** End of the last window that holds it. */
  lastEnd = 0;
  readonly cells: CellStore;
  private readonly numbers: number[] = [];
  /** Of each number the cell; made when somebody looks for one. */
  private index: Map<number, number> | undefined;

  constructor(cells: CellStore) {
    this.cells = cells;
  }

  get size(): number {
    return this.numbers.length;
  }

  /** Empty, for another time. */
  begin(start: number, grid: WindowGrid): void {
    this.start = start;
    this.end = start + grid.paneMs;
    this.lastEnd = lastEndOf(grid, start);
    this.numbers.length = 0;
    this.index = undefined;
    this.cells.clear();
  }

  /** Which cell a key has, or -1. Most are known by their keys: here one is looked for whose key has a newer pane. */
  find(number: number): number {
    this.index ??= new Map(this.numbers.map((one, at) => [one, at]));
    return this.index.get(number) ?? -1;
  }

  /** A cell for a key that has none: which it is. */
  add(number: number): number {
    const at = this.numbers.push(number) - 1;
    this.index?.set(number, at);
    this.cells.begin(this.placeAt(at));
    return at;
  }

  /** The number of the key of a cell. */
  numberAt(at: number): number {
    return this.numbers[at] as number;
  }

  /** Where a cell stands in the store. */
  placeAt(at: number): number {
    return at * this.cells.width;
  }

  cellAt(at: number): Cell {
    return this.cells.cellAt(this.placeAt(at));
  }
}
