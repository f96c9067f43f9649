/** Cells by place, side by side: as rows of numbers where their values are numbers alone, or as lists. */
import type { Event, RowPlaces, TimedColumns } from '../../runtime/stream/index.ts';
import { type Cell, type CellKind, mergeCells, subtractCells } from './cell.ts';
import type { NumberCells } from './number-cells.ts';

export interface CellStore {
  /** Numbers that a cell takes; its place is where the first stands. */
  readonly width: number;
  /** A cell into which nothing was taken yet, in place of what stood there. */
  begin(place: number): void;
  add(place: number, event: Event, time: number): void;
  /** Undefined where events are needed as objects. */
  readonly addAll: ((places: RowPlaces, batch: TimedColumns) => void) | undefined;
  admits(place: number, event: Event): boolean;
  /**
   * Puts a cell of another store of the kind into one, or takes it out; where values can be taken out at all. False: it is not exact now, and what
   * is taken out later may leave an error behind.
   */
  change(place: number, from: CellStore, fromPlace: number, sign: 1 | -1): boolean;
  /** The result of the value in a slot, where it is a number. */
  numberAt(place: number, slot: number): number | null;
  /** Of each value, in order, the results of the cells at these places. */
  columnsOf(places: readonly number[]): unknown[][];
  cellAt(place: number): Cell;
  put(place: number, cell: Cell): void;
  clear(): void;
}

export function cellStoreOf(kind: CellKind, numbers: NumberCells | undefined): CellStore {
  return numbers ? new NumberStore(numbers) : new ListStore(kind);
}

const cellsMin = 16;
const exactMax = Number.MAX_SAFE_INTEGER;

class NumberStore implements CellStore {
  readonly width: number;
  readonly addAll: CellStore['addAll'];
  private readonly cells: NumberCells;
  private numbers: Float64Array;

  constructor(cells: NumberCells) {
    this.cells = cells;
    this.width = cells.width;
    this.numbers = new Float64Array(cells.width * cellsMin);
    const { addAll } = cells;
    this.addAll = addAll && ((places, batch) => addAll(this.numbers, places, batch));
  }

  begin(place: number): void {
    this.makeRoom(place);
    this.cells.begin(this.numbers, place);
  }

  add(place: number, event: Event, time: number): void {
    this.cells.add(this.numbers, place, event, time);
  }

  admits(): boolean {
    return true;
  }

  change(place: number, from: CellStore, fromPlace: number, sign: 1 | -1): boolean {
    const { numbers, width } = this;
    const others = (from as NumberStore).numbers;
    let isExact = true;
    for (let at = 0; at < width; at++) {
      const number = (numbers[place + at] as number) + sign * (others[fromPlace + at] as number);
      numbers[place + at] = number;
      if (number > exactMax || number < -exactMax) isExact = false;
    }
    return isExact;
  }

  numberAt(place: number, slot: number): number {
    return this.numbers[place + slot] as number;
  }

  columnsOf(places: readonly number[]): unknown[][] {
    return this.cells.columnsOf(this.numbers, places);
  }

  cellAt(place: number): Cell {
    return this.cells.cellOf(this.numbers, place);
  }

  put(place: number, cell: Cell): void {
    this.makeRoom(place);
    this.cells.put(cell, this.numbers, place);
  }

  clear(): void {
    // A cell is begun before anything is added to it.
  }

  private makeRoom(place: number): void {
    if (place + this.width <= this.numbers.length) return;
    const larger = new Float64Array(Math.max(this.numbers.length * 2, place + this.width));
    larger.set(this.numbers);
    this.numbers = larger;
  }
}

class ListStore implements CellStore {
  readonly width = 1;
  readonly addAll = undefined;
  private readonly kind: CellKind;
  private readonly cells: Cell[] = [];

  constructor(kind: CellKind) {
    this.kind = kind;
  }

  begin(place: number): void {
    this.cells[place] = this.kind.create();
  }

  add(place: number, event: Event, time: number): void {
    this.kind.add(this.cellAt(place), event, time);
  }

  admits(place: number, event: Event): boolean {
    return !this.kind.bounded || this.kind.admits(this.cellAt(place), event);
  }

  change(place: number, from: CellStore, fromPlace: number, sign: 1 | -1): boolean {
    const { kind } = this;
    const cell = this.cellAt(place);
    if (sign === 1) mergeCells(kind, cell, from.cellAt(fromPlace), kind.invertible);
    else subtractCells(kind, cell, from.cellAt(fromPlace));
    return kind.isExact(cell);
  }

  numberAt(place: number, slot: number): number | null {
    const result = this.kind.accumulators[slot]?.result(this.cellAt(place)[slot]);
    return typeof result === 'number' ? result : null;
  }

  columnsOf(places: readonly number[]): unknown[][] {
    const rows = places.map((place) => this.kind.resultsOf(this.cellAt(place)));
    return this.kind.accumulators.map((_, slot) => rows.map((row) => row[slot]));
  }

  cellAt(place: number): Cell {
    return this.cells[place] as Cell;
  }

  put(place: number, cell: Cell): void {
    this.cells[place] = cell;
  }

  clear(): void {
    this.cells.length = 0;
  }
}
