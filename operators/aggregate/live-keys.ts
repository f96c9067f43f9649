/** Keys that some pane holds: each has a number, which it keeps while it lives and which is given again to another when it has gone. */
import { EntryTable, type StateKey } from '../../runtime/stream/index.ts';
import type { PaneCells } from './pane-cells.ts';

export class LiveKeys {
  private readonly table = new EntryTable<number>();
  private readonly free: number[] = [];
  /** Of each number the key, its place in the order in which keys came, and the panes that hold it. */
  private keys: StateKey[] = [];
  private orders: number[] = [];
  private panes: number[] = [];
  /** The newest of those, by its start, and which of its cells the key has: where most events go. */
  private newestStarts: number[] = [];
  private newestCells: number[] = [];

  get size(): number {
    return this.table.size;
  }

  /** The number of a key, or -1. */
  find(key: StateKey): number {
    const slot = this.table.find(key);
    return slot < 0 ? -1 : this.table.valueAt(slot);
  }

  /** The number of a key that had none; no pane holds it yet. */
  add(key: StateKey, { order, time }: { order: number; time: number }): number {
    const number = this.free.pop() ?? this.keys.length;
    this.table.append(key, number, time);
    this.keys[number] = key;
    this.orders[number] = order;
    this.panes[number] = 0;
    this.newestStarts[number] = Number.NEGATIVE_INFINITY;
    return number;
  }

  keyOf(number: number): StateKey {
    return this.keys[number] as StateKey;
  }

  /** Which of a pane's cells the key has, or -1. */
  cellIn(pane: PaneCells, number: number): number {
    const newest = this.newestStarts[number] as number;
    if (newest === pane.start) return this.newestCells[number] as number;
    return newest < pane.start ? -1 : pane.find(number);
  }

  /** A pane holds a cell of the key from now on. */
  enterPane(number: number, { start, cell }: { readonly start: number; readonly cell: number }): void {
    (this.panes[number] as number)++;
    if (start < (this.newestStarts[number] as number)) return;
    this.newestStarts[number] = start;
    this.newestCells[number] = cell;
  }

  /** A key that no pane holds any more goes. */
  leavePane(number: number): void {
    (this.panes[number] as number)--;
    if (this.panes[number] !== 0) return;
    this.table.remove(this.table.find(this.keyOf(number)));
    this.free.push(number);
  }

  inOrder(numbers: number[]): number[] {
    const { orders } = this;
    return numbers.sort((a, b) => (orders[a] as number) - (orders[b] as number));
  }

  orderOf(number: number): number {
    return this.orders[number] as number;
  }

  /** The numbers of all, in the order in which their keys came. */
  *numbers(): IterableIterator<number> {
    for (const slot of this.table.slots()) yield this.table.valueAt(slot);
  }

  /** Of a key that is there, when it came. */
  timeOf(key: StateKey): number {
    return this.table.timeAt(this.table.find(key));
  }

  /** All, in the order in which they came, with their numbers. */
  columns(): { readonly keys: readonly StateKey[]; readonly times: Float64Array; readonly numbers: ArrayLike<number> } {
    const { keys, times, values } = this.table.columns();
    return { keys, times, numbers: values as ArrayLike<number> };
  }

  panesOf(number: number): number {
    return this.panes[number] as number;
  }

  /** Instead of what is there: each gets its place as its number, and no pane holds it yet. */
  load(keys: readonly StateKey[], { times, orders }: { times: Float64Array; orders: readonly number[] }): void {
    this.table.load({ keys, times, values: Float64Array.from(keys, (_, number) => number) });
    this.free.length = 0;
    this.keys = keys.slice();
    this.orders = orders.slice();
    this.panes = new Array<number>(keys.length).fill(0);
    this.newestStarts = new Array<number>(keys.length).fill(Number.NEGATIVE_INFINITY);
    this.newestCells = new Array<number>(keys.length).fill(0);
  }
}
