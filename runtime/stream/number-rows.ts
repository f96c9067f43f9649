/**
 * State whose values are rows of numbers, side by side in one column: nothing for the collector of garbage to follow, and a value is found and
 * changed without an object in between. Keys only come. In checkpoints and for who looks on, a row is what `written` makes of it.
 */
import { limits } from '../limits.ts';
import { EntryTable } from './entry-table.ts';
import type { KeyedStateSnapshot } from './keyed-state.ts';
import type { RowState, RowStateOptions, StateKey } from './operator-state.ts';
import type { TimedValue } from './state-columns.ts';

const capacityMin = 16;

export class NumberRows<V> implements RowState {
  rows: Float64Array;
  /** Bounded by who adds keys: nothing is ever forgotten. */
  readonly evicted = 0;
  private readonly options: RowStateOptions<V>;
  private readonly table = new EntryTable<number>();

  constructor(options: RowStateOptions<V>) {
    this.options = options;
    this.rows = new Float64Array(options.width * capacityMin);
  }

  get size(): number {
    return this.table.size;
  }

  slotOf(key: StateKey): number {
    return this.table.find(key);
  }

  add(key: StateKey, time: number): number {
    const { width, keysMax = limits.stateKeysMax } = this.options;
    const slot = this.table.size;
    if (slot >= keysMax) throw new Error(`invariant broken: more than ${keysMax} keys in a state of rows`);
    if ((slot + 1) * width > this.rows.length) {
      const larger = new Float64Array(this.rows.length * 2);
      larger.set(this.rows);
      this.rows = larger;
    }
    this.table.append(key, 0, time);
    return slot;
  }

  keyAt(slot: number): StateKey {
    return this.table.keyAt(slot);
  }

  entryOfWritten(key: StateKey): TimedValue | undefined {
    const slot = this.table.find(this.options.keys.held(key));
    return slot < 0 ? undefined : { value: this.writtenAt(slot), time: this.timeAt(slot, this.table.timeAt(slot)) };
  }

  expire(): void {
    // Keys only come.
  }

  snapshot(): KeyedStateSnapshot {
    const { keys, times } = this.table.columns();
    const values = new Array<unknown>(keys.length);
    for (let slot = 0; slot < values.length; slot++) {
      values[slot] = this.writtenAt(slot);
      times[slot] = this.timeAt(slot, times[slot] as number);
    }
    return { keys: keys.map(this.options.keys.written), times, values, evicted: 0 };
  }

  restore({ keys, times, values }: KeyedStateSnapshot): void {
    const { width, held, keys: forms } = this.options;
    this.table.load({ keys: keys.map(forms.held), times, values: new Float64Array(keys.length) });
    this.rows = new Float64Array(width * Math.max(capacityMin, keys.length));
    for (let slot = 0; slot < keys.length; slot++)
      held(values[slot] as V, this.rows, slot * width, times[slot] as number);
  }

  private timeAt(slot: number, added: number): number {
    const { width, timeOf } = this.options;
    return timeOf ? timeOf(this.rows, slot * width) : added;
  }

  private writtenAt(slot: number): V {
    const { width, written, keys } = this.options;
    return written(this.rows, slot * width, keys.written(this.table.keyAt(slot)));
  }
}
