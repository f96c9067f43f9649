/** State of an operator, by key, and its timers: what a handler may keep between events. Saved in checkpoints, restored on start. */
import type { HeldKeys } from './held-keys.ts';
import type { StateColumns } from './state-columns.ts';

/** State of one node, by key. Iteration is in order of insertion. Saved in checkpoints, restored on start. */
export interface KeyedState<V> {
  get(key: StateKey): V | undefined;
  /** With the newest time at which it was set. */
  entry(key: StateKey): { readonly value: V; readonly time: number } | undefined;
  set(key: StateKey, value: V, time: number): void;
  delete(key: StateKey): boolean;
  has(key: StateKey): boolean;
  entries(): IterableIterator<[StateKey, V]>;
  /** Takes all out. */
  clear(): void;
  readonly size: number;
}

export type StateKey = string | number;

export interface StateOptions<V = unknown> {
  /** A key untouched (`set`) for this long in event time is forgotten. */
  readonly ttlMs?: number;
  /** At most this many keys; beyond it the oldest is forgotten and counted (default `limits.stateKeysMax`). */
  readonly keysMax?: number;
  /** Estimate for `mach explain`. */
  readonly bytesPerKey?: number;
  /** What its keys are where they are not those of `eventKey`. */
  readonly keys?: HeldKeys;
  /** Where values stand otherwise in checkpoints, and for who looks on; `key`: as the state holds it. */
  readonly values?: HeldValues<V>;
}

/** Values as state holds them while it runs, and as they are written. */
export interface HeldValues<V> {
  written(value: V, key: StateKey): unknown;
  held(written: unknown, key: StateKey): V;
}

/** State of one node whose values are rows of numbers; see `NumberRows`. A slot holds good as long as the state. */
export interface RowState {
  readonly size: number;
  /** Of all slots, one after the other; another array once a key was added. */
  readonly rows: Float64Array;
  /** -1: the key is not there. */
  slotOf(key: StateKey): number;
  /** A key that is not there; its row is zeros. The next slot. */
  add(key: StateKey, time: number): number;
  keyAt(slot: number): StateKey;
}

export interface RowStateOptions<V> {
  /** Numbers in a row. */
  readonly width: number;
  readonly keys: HeldKeys;
  readonly keysMax?: number;
  /** Estimate for `mach explain`. */
  readonly bytesPerKey?: number;
  /** What a row is in checkpoints; `key`: as it stands there. */
  written(rows: Float64Array, from: number, key: StateKey): V;
  /** The same back; `time`: its time in the checkpoint. */
  held(value: V, rows: Float64Array, from: number, time: number): void;
  /** The time of an entry in checkpoints, by which keys are forgotten where a change of the topology begins to; absent: that of the event that added it. */
  timeOf?(rows: Float64Array, from: number): number;
}

/** Timers in event time. They fire when the watermark reaches them, by time, then by the order in which they were set. */
export interface Timers {
  /** One timer for each (key, name): setting it again moves it. */
  set(key: StateKey, name: string, time: number): void;
  clear(key: StateKey, name: string): void;
}

/**
 * State of one node that the operator keeps in a form of its own. Checkpoints and those who look on see entries of keys, as of any other state:
 * their values must survive the structured clone algorithm.
 */
export interface OwnState {
  /** Keys that are held. */
  readonly size: number;
  has(key: StateKey): boolean;
  entry(key: StateKey): { readonly value: unknown; readonly time: number } | undefined;
  snapshot(): StateColumns;
  /** Instead of what is there. */
  restore(snapshot: StateColumns): void;
}
