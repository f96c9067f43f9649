/** Keys that some pane holds: each has a number, which it keeps while it lives and which is given again to another when it has gone. */
import { EntryTable, type StateKey } from '../../runtime/stream/index.ts';
import type { KeyColumns } from './kept-keys.ts';

export class LiveKeys {
  private readonly table = new EntryTable<number>();
  private readonly free: number[] = [];
  /** Of each number the key, its place in the order in which keys came, and the panes that hold it. */
  private keys: StateKey[] = [];
  private orders: number[] = [];
  private panes: number[] = [];

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
    return number;
  }

  keyOf(number: number): StateKey {
    return this.keys[number] as StateKey;
  }

  /** A pane holds it from now on. */
  enterPane(number: number): void {
    (this.panes[number] as number)++;
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
  columns(): KeyColumns {
    const { keys, times, values } = this.table.columns();
    return { keys, times, numbers: values as ArrayLike<number> };
  }

  panesOf(number: number): number {
    return this.panes[number] as number;
  }

  /** Instead of what is there: each gets its place as its number, and no pane holds it yet. */
  load(keys: readonly StateKey[], { times, orders }: { times: Float64Array; orders: readonly number[] }): void {
    const numbers = new Float64Array(keys.length);
    for (let number = 0; number < numbers.length; number++) numbers[number] = number;
    this.table.load({ keys, times, values: numbers });
    this.free.length = 0;
    this.keys = keys.slice();
    this.orders = orders.slice();
    this.panes = new Array<number>(keys.length).fill(0);
  }
}
