/**
 * A stage's state in the form in which checkpoints keep it: values of one shape and timers as columns, as keys and times of states are
 * by themselves. A million keys as a million objects take seconds to write and to read, and the stage stands still meanwhile.
 */
import { columnAccess } from '../stream/compiled-access.ts';
import { type PackedKeys, packKeys, withPackedKeys } from '../stream/key-texts.ts';
import type { KeyedStateSnapshot, TimersSnapshot } from '../stream/keyed-state.ts';
import type { RunnerSnapshot } from '../stream/node-runner.ts';
import type { Event } from '../stream/schema.ts';
import { columnsOf as columnsOfEntries, type TimedValue } from '../stream/state-columns.ts';
import { type PackedNumbers, packNumbers, unpackNumbers } from './pack-numbers.ts';
import type { StageSnapshot } from './stage-machine.ts';

type StateKey = KeyedStateSnapshot['keys'][number];

type Column = PackedNumbers | readonly unknown[];

/** Plain objects of one shape, or plain numbers (`fields` is null). What is a number in every one is a column of numbers. */
interface Columns {
  readonly fields: readonly string[] | null;
  readonly columns: readonly Column[];
}

interface PackedState {
  readonly keys: readonly StateKey[] | PackedKeys;
  readonly times: PackedNumbers;
  readonly values: Columns | readonly unknown[];
  readonly evicted: number;
}

interface PackedTimers {
  readonly keys: readonly StateKey[];
  readonly names: readonly string[];
  /** For each timer the index of its name. */
  readonly nameIndexes: Uint32Array;
  readonly times: PackedNumbers;
  readonly orders: PackedNumbers;
  readonly nextOrder: number;
}

type PackedRunner = Omit<RunnerSnapshot, 'states' | 'timers'> & {
  readonly states: Map<string, PackedState>;
  readonly timers: PackedTimers;
};

export type PackedSnapshot = Omit<StageSnapshot, 'nodes'> & { readonly nodes: Map<string, PackedRunner> };

export function packSnapshot(snapshot: StageSnapshot): PackedSnapshot {
  const nodes = new Map<string, PackedRunner>();
  for (const [id, { states, timers, ...rest }] of snapshot.nodes) {
    const packed = new Map([...states].map(([name, state]) => [name, packState(state)]));
    nodes.set(id, { ...rest, states: packed, timers: packTimers(timers) });
  }
  return { ...snapshot, nodes };
}

/** Of the first form of checkpoints: each state a map of entries. */
interface PlainRunner extends Omit<RunnerSnapshot, 'states'> {
  readonly states: Map<string, { readonly entries: Map<StateKey, TimedValue>; readonly evicted: number }>;
}

export type PlainSnapshot = Omit<StageSnapshot, 'nodes'> & { readonly nodes: Map<string, PlainRunner> };

export function fromPlainSnapshot(plain: PlainSnapshot): StageSnapshot {
  const nodes = new Map<string, RunnerSnapshot>();
  for (const [id, { states, ...rest }] of plain.nodes) {
    const columns = [...states].map(
      ([name, { entries, evicted }]) => [name, { ...columnsOfEntries(entries), evicted }] as const,
    );
    nodes.set(id, { ...rest, states: new Map(columns) });
  }
  return { ...plain, nodes };
}

export function unpackSnapshot(packed: PackedSnapshot): StageSnapshot {
  const nodes = new Map<string, RunnerSnapshot>();
  for (const [id, { states, timers, ...rest }] of packed.nodes) {
    const unpacked = new Map([...states].map(([name, state]) => [name, unpackState(state)]));
    nodes.set(id, { ...rest, states: unpacked, timers: unpackTimers(timers) });
  }
  return { ...packed, nodes };
}

function packState({ keys, times, values, evicted }: KeyedStateSnapshot): PackedState {
  const packed = columnsOf(values) ?? (values as readonly unknown[]);
  return { keys: packKeys(keys) ?? keys, times: packNumbers(times), values: packed, evicted };
}

function unpackState({ keys, times, values, evicted }: PackedState): KeyedStateSnapshot {
  const isPacked = 'lengths' in keys;
  const count = isPacked ? keys.lengths.length : keys.length;
  const unpacked = 'columns' in values ? valuesOf(values, count) : values;
  const rest = { times: unpackNumbers(times), values: unpacked, evicted };
  return isPacked ? withPackedKeys(keys, rest) : { keys, ...rest };
}

/** Undefined where the values are not of one flat shape. */
function columnsOf(values: KeyedStateSnapshot['values']): Columns | undefined {
  if (values instanceof Float64Array) return { fields: null, columns: [packNumbers(values)] };
  const [first] = values;
  if (!isPlain(first)) return undefined;
  const fields = Object.keys(first);
  for (const value of values) if (!isPlain(value) || !hasFields(value, fields)) return undefined;
  return { fields, columns: fields.map((field) => columnOf(values as readonly Event[], field)) };
}

/** These, and no others. Their order is part of the shape: whoever compares states as text sees no difference. */
function hasFields(value: object, fields: readonly string[]): boolean {
  let at = 0;
  for (const name in value) if (name !== fields[at++]) return false;
  return at === fields.length;
}

function columnOf(values: readonly Event[], field: string): Column {
  const numbers = new Float64Array(values.length);
  for (let at = 0; at < values.length; at++) {
    const part = (values[at] as Event)[field];
    if (typeof part !== 'number') return values.map((value) => value[field]);
    numbers[at] = part;
  }
  return packNumbers(numbers);
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function valuesOf({ fields, columns }: Columns, count: number): KeyedStateSnapshot['values'] {
  const values = columns.map((column) => (isList(column) ? column : unpackNumbers(column)));
  return fields === null ? (values[0] as Float64Array) : columnAccess(fields).build(values, 0, count);
}

const isList = (column: Column): column is readonly unknown[] => Array.isArray(column);

function packTimers({ pending, nextOrder }: TimersSnapshot): PackedTimers {
  const names = new Map<string, number>();
  const nameIndexes = new Uint32Array(pending.length);
  pending.forEach(({ name }, at) => {
    const index = names.get(name) ?? names.size;
    names.set(name, index);
    nameIndexes[at] = index;
  });
  return {
    keys: pending.map(({ key }) => key),
    names: [...names.keys()],
    nameIndexes,
    times: packNumbers(Float64Array.from(pending, ({ time }) => time)),
    orders: packNumbers(Float64Array.from(pending, ({ order }) => order)),
    nextOrder,
  };
}

function unpackTimers({ keys, names, nameIndexes, nextOrder, ...packed }: PackedTimers): TimersSnapshot {
  const [times, orders] = [unpackNumbers(packed.times), unpackNumbers(packed.orders)];
  const pending = keys.map((key, at) => ({
    key,
    name: names[nameIndexes[at] as number] as string,
    time: times[at] as number,
    order: orders[at] as number,
  }));
  return { pending, nextOrder };
}
