/** Keyed state and timers of one node: maps with a time-to-live and a bound, saved in checkpoints. */
import { limits } from '../limits.ts';
import type { KeyedState, StateKey, StateOptions, Timers } from './definition.ts';

interface Entry<V> {
  value: V;
  time: number;
}

export interface KeyedStateSnapshot {
  readonly entries: Map<StateKey, Entry<unknown>>;
  readonly evicted: number;
}

/** Entries stand in the order in which they were last set, so that the oldest is found without a search. */
export class KeyedStateMap<V> implements KeyedState<V> {
  private entriesByKey = new Map<StateKey, Entry<V>>();
  private readonly ttlMs: number;
  private readonly keysMax: number;
  /** Keys forgotten because `keysMax` was met. */
  evicted = 0;

  constructor(options: StateOptions = {}) {
    this.ttlMs = options.ttlMs ?? Number.POSITIVE_INFINITY;
    this.keysMax = options.keysMax ?? limits.stateKeysMax;
  }

  get size(): number {
    return this.entriesByKey.size;
  }

  entry(key: StateKey): Readonly<Entry<V>> | undefined {
    return this.entriesByKey.get(key);
  }

  get(key: StateKey): V | undefined {
    return this.entriesByKey.get(key)?.value;
  }

  has(key: StateKey): boolean {
    return this.entriesByKey.has(key);
  }

  set(key: StateKey, value: V, time: number): void {
    const entry = this.entriesByKey.get(key);
    if (entry && this.ttlMs === Number.POSITIVE_INFINITY) {
      entry.value = value;
      entry.time = Math.max(entry.time, time);
      return;
    }
    if (entry) this.entriesByKey.delete(key);
    this.entriesByKey.set(key, { value, time: entry ? Math.max(entry.time, time) : time });
    if (this.entriesByKey.size <= this.keysMax) return;
    const oldest = this.entriesByKey.keys().next();
    if (!oldest.done) this.entriesByKey.delete(oldest.value);
    this.evicted++;
  }

  delete(key: StateKey): boolean {
    return this.entriesByKey.delete(key);
  }

  *entries(): IterableIterator<[StateKey, V]> {
    for (const [key, entry] of this.entriesByKey) yield [key, entry.value];
  }

  /** Forgets what has outlived its time. Entries set out of order may stay until those before them go. */
  expire(watermark: number): void {
    if (this.ttlMs === Number.POSITIVE_INFINITY) return;
    for (const [key, entry] of this.entriesByKey) {
      if (entry.time + this.ttlMs > watermark) return;
      this.entriesByKey.delete(key);
    }
  }

  snapshot(): KeyedStateSnapshot {
    return { entries: this.entriesByKey as Map<StateKey, Entry<unknown>>, evicted: this.evicted };
  }

  restore(snapshot: KeyedStateSnapshot): void {
    this.entriesByKey = snapshot.entries as Map<StateKey, Entry<V>>;
    this.evicted = snapshot.evicted;
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
  private current = new Map<string, PendingTimer>();
  private nextOrder = 0;

  set(key: StateKey, name: string, time: number): void {
    const identity = timerIdentity(key, name);
    const existing = this.current.get(identity);
    if (existing?.time === time) return;
    const timer = { key, name, time, order: this.nextOrder++ };
    this.current.set(identity, timer);
    this.push(timer);
  }

  clear(key: StateKey, name: string): void {
    this.current.delete(timerIdentity(key, name));
  }

  /** Takes the next timer that is due at `watermark`; undefined when there is none. */
  takeDue(watermark: number): PendingTimer | undefined {
    for (let top = this.heap[0]; top && top.time <= watermark; top = this.heap[0]) {
      this.pop();
      const identity = timerIdentity(top.key, top.name);
      if (this.current.get(identity) !== top) continue;
      this.current.delete(identity);
      return top;
    }
    return undefined;
  }

  get size(): number {
    return this.current.size;
  }

  /** Those of a key, so many at most. */
  of(key: StateKey, countMax: number): PendingTimer[] {
    const found: PendingTimer[] = [];
    for (const timer of this.current.values()) {
      if (found.length >= countMax) break;
      if (timer.key === key) found.push(timer);
    }
    return found;
  }

  snapshot(): TimersSnapshot {
    return { pending: [...this.current.values()], nextOrder: this.nextOrder };
  }

  restore(snapshot: TimersSnapshot): void {
    this.heap = [];
    this.current = new Map();
    this.nextOrder = snapshot.nextOrder;
    for (const timer of snapshot.pending) {
      const copy = { ...timer };
      this.current.set(timerIdentity(timer.key, timer.name), copy);
      this.push(copy);
    }
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

/** A key's type is part of it: the number 1 and the text "1" are two keys. */
function timerIdentity(key: StateKey, name: string): string {
  return `${typeof key === 'number' ? 'n' : 's'}${key}\u0000${name}`;
}
