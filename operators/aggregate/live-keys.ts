/** Keys that some pane holds: each has a number, which it keeps while it lives and which is given again to another when it has gone. */
import { EntryTable, type StateKey } from '../../runtime/stream/index.ts';

export class LiveKeys {
  private readonly table = new EntryTable<number>();
  private readonly free: number[] = [];
  /** Of each number the key, its place in the order in which keys came, and the panes that hold it. */
  private readonly keys: StateKey[] = [];
  private readonly orders: number[] = [];
  private readonly panes: number[] = [];

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

  /** Of a key that is there: its place in the order, the panes that hold it, and when it came. */
  entry(key: StateKey): { readonly order: number; readonly panes: number; readonly time: number } {
    const slot = this.table.find(key);
    const number = this.table.valueAt(slot);
    const [order, panes] = [this.orders[number] as number, this.panes[number] as number];
    return { order, panes, time: this.table.timeAt(slot) };
  }

  /** All, in the order in which they came. */
  *all(): IterableIterator<StateKey> {
    for (const slot of this.table.slots()) yield this.table.keyAt(slot);
  }

  clear(): void {
    this.table.clear();
    for (const column of [this.free, this.keys, this.orders, this.panes]) column.length = 0;
  }
}
