/** Keyed state as columns, in the order of insertion: what a checkpoint copies. */
import type { StateKey } from './operator-state.ts';

export interface StateColumns {
  readonly keys: readonly StateKey[];
  readonly times: Float64Array;
  /** Numbers alone are a column of numbers. */
  readonly values: readonly unknown[] | Float64Array;
}

export interface TimedValue {
  readonly value: unknown;
  readonly time: number;
}

export function entriesOf({ keys, times, values }: StateColumns): Map<StateKey, { value: unknown; time: number }> {
  return new Map(keys.map((key, at) => [key, { value: values[at], time: times[at] as number }]));
}

export function columnsOf(entries: ReadonlyMap<StateKey, TimedValue>): StateColumns {
  const all = [...entries.values()];
  const values = all.map(({ value }) => value);
  return {
    keys: [...entries.keys()],
    times: Float64Array.from(all, ({ time }) => time),
    values: values.every((value) => typeof value === 'number') ? Float64Array.from(values) : values,
  };
}

/** Searches one by one. */
export function entryOf({ keys, times, values }: StateColumns, key: StateKey): TimedValue | undefined {
  const at = keys.indexOf(key);
  return at < 0 ? undefined : { value: values[at], time: times[at] as number };
}
