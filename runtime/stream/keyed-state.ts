/** Keyed state and timers of one node: with a time-to-live and a bound, saved in checkpoints. */
import { limits } from '../limits.ts';
import { EntryTable } from './entry-table.ts';
import type { HeldKeys } from './held-keys.ts';
import type { HeldValues, KeyedState, StateKey, StateOptions, Timers } from './operator-state.ts';
import type { StateColumns, TimedValue } from './state-columns.ts';

/** Entries in the order in which they were last set: plain data, the values themselves not copied. */
export interface KeyedStateSnapshot extends StateColumns {
  readonly evicted: number;
}

/** Entries stand in the order in which they were last set, so that the oldest is found without a search. */
export class KeyedStateMap<V> implements KeyedState<V> {
  private readonly table = new EntryTable<V>();
  private readonly ttlMs: number;
  private readonly keysMax: number;
  private readonly keys: HeldKeys | undefined;
  private readonly values: HeldValues<V> | undefined;
  /** Keys forgotten because `keysMax` was met. */
  evicted = 0;

  constructor(options: StateOptions<V> = {}) {
    this.ttlMs = options.ttlMs ?? Number.POSITIVE_INFINITY;
    this.keysMax = options.keysMax ?? limits.stateKeysMax;
    this.keys = options.keys;
    this.values = options.values;
  }

  get size(): number {
    return this.table.size;
  }

  entry(key: StateKey): { readonly value: V; readonly time: number } | undefined {
    const slot = this.table.find(key);
    return slot < 0 ? undefined : { value: this.table.valueAt(slot), time: this.table.timeAt(slot) };
  }

  /** Of a key as checkpoints have it. */
  entryOfWritten(key: StateKey): TimedValue | undefined {
    const held = this.keys ? this.keys.held(key) : key;
    const entry = this.entry(held);
    return entry && this.values ? { ...entry, value: this.values.written(entry.value, held) } : entry;
  }

  get(key: StateKey): V | undefined {
    const slot = this.table.find(key);
    return slot < 0 ? undefined : this.table.valueAt(slot);
  }

  has(key: StateKey): boolean {
    return this.table.find(key) >= 0;
  }

  set(key: StateKey, value: V, time: number): void {
    const { table } = this;
    const slot = table.find(key);
    const newest = slot < 0 ? time : Math.max(table.timeAt(slot), time);
    if (slot >= 0 && this.ttlMs === Number.POSITIVE_INFINITY) {
      table.put(slot, value, newest);
      return;
    }
    if (slot >= 0) table.remove(slot);
    table.append(key, value, newest);
    if (table.size <= this.keysMax) return;
    table.remove(table.oldest());
    this.evicted++;
  }

  delete(key: StateKey): boolean {
    const slot = this.table.find(key);
    if (slot < 0) return false;
    this.table.remove(slot);
    return true;
  }

  *entries(): IterableIterator<[StateKey, V]> {
    const { table } = this;
    for (const slot of table.slots()) yield [table.keyAt(slot), table.valueAt(slot)];
  }

  clear(): void {
    this.table.clear();
  }

  /** Forgets what has outlived its time. Entries set out of order may stay until those before them go. */
  expire(watermark: number): void {
    if (this.ttlMs === Number.POSITIVE_INFINITY) return;
    const { table } = this;
    for (let slot = table.oldest(); slot >= 0; slot = table.oldest()) {
      if (table.timeAt(slot) + this.ttlMs > watermark) return;
      table.remove(slot);
    }
  }

  snapshot(): KeyedStateSnapshot {
    const { evicted, keys: heldKeys, values: heldValues } = this;
    const { keys, times, values } = this.table.columns();
    return {
      keys: heldKeys ? keys.map(heldKeys.written) : keys,
      times,
      values: heldValues ? keys.map((key, at) => heldValues.written(values[at] as V, key)) : values,
      evicted,
    };
  }

  restore(snapshot: KeyedStateSnapshot): void {
    this.table.load(this.heldOf(snapshot));
    this.evicted = snapshot.evicted;
  }

  private heldOf(columns: StateColumns): StateColumns {
    const { keys: heldKeys, values: heldValues } = this;
    // As they are: of a copy the keys would have to be read.
    if (!heldKeys && !heldValues) return columns;
    const keys = heldKeys ? columns.keys.map(heldKeys.held) : columns.keys;
    const values = heldValues ? keys.map((key, at) => heldValues.held(columns.values[at], key)) : columns.values;
    return { keys, times: columns.times, values };
  }
}

interface PendingTimer {
  key: StateKey;
  name: string;
  time: number;
  order: number;
}

export interface TimersSnapshot {
  readonly pending: readonly PendingTimer[];
  readonly nextOrder: number;
}

/** A binary heap by (time, order of setting); moved and cleared timers are left in it and skipped when they come up. */
export class EventTimers implements Timers {
  private heap: PendingTimer[] = [];
  /** Those that hold good, by name and key: a node has few names. */
  private current = new Map<string, Map<StateKey, PendingTimer>>();
  private nextOrder = 0;

  set(key: StateKey, name: string, time: number): void {
    const named = this.named(name);
    if (named.get(key)?.time === time) return;
    const timer = { key, name, time, order: this.nextOrder++ };
    named.set(key, timer);
    this.push(timer);
  }

  clear(key: StateKey, name: string): void {
    this.current.get(name)?.delete(key);
  }

  /** Takes the next timer that is due at `watermark`; undefined when there is none. */
  takeDue(watermark: number): PendingTimer | undefined {
    for (let top = this.heap[0]; top && top.time <= watermark; top = this.heap[0]) {
      this.pop();
      const named = this.current.get(top.name);
      if (named?.get(top.key) !== top) continue;
      named.delete(top.key);
      return top;
    }
    return undefined;
  }

  get size(): number {
    let size = 0;
    for (const named of this.current.values()) size += named.size;
    return size;
  }

  /** Those of a key, so many at most. */
  of(key: StateKey, countMax: number): PendingTimer[] {
    const found: PendingTimer[] = [];
    for (const named of this.current.values()) {
      const timer = named.get(key);
      if (timer && found.length < countMax) found.push(timer);
    }
    return found;
  }

  snapshot(): TimersSnapshot {
    return { pending: [...this.current.values()].flatMap((named) => [...named.values()]), nextOrder: this.nextOrder };
  }

  restore(snapshot: TimersSnapshot): void {
    this.heap = [];
    this.current = new Map();
    this.nextOrder = snapshot.nextOrder;
    for (const timer of snapshot.pending) {
      const copy = { ...timer };
      this.named(timer.name).set(timer.key, copy);
      this.push(copy);
    }
  }

  private named(name: string): Map<StateKey, PendingTimer> {
    const known = this.current.get(name);
    if (known) return known;
    const made = new Map<StateKey, PendingTimer>();
    this.current.set(name, made);
    return made;
  }

  private push(timer: PendingTimer): void {
    const { heap } = this;
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as PendingTimer;
      if (!isBefore(timer, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = timer;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = child + 1;
      if (right < heap.length && isBefore(heap[right] as PendingTimer, heap[child] as PendingTimer)) child = right;
      if (!isBefore(heap[child] as PendingTimer, last)) break;
      heap[at] = heap[child] as PendingTimer;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: PendingTimer, b: PendingTimer): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
