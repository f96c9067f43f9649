/**
 * What waits on one side of a join, put together by key in two passes over the rows as they lie. To look for the rows of each key would be to read memory
 * here and there for every one of them, and a checkpoint of a large join would take twice as long.
 */
import type { StateKey } from '../../runtime/stream/index.ts';
import type { Side } from './side.ts';
import { matched } from './waiting.ts';

/** In the order in which they came. */
export interface RowsOfKey<V> {
  readonly values: V[];
  readonly times: number[];
  /** Places among the rows of all keys. */
  readonly places: number[];
  readonly matches: number[];
}

/** Of the rows of one key. */
export function rowsOf<V>(side: Side<V>, key: StateKey): RowsOfKey<V> {
  const { rows } = side;
  const waiting = side.waiting(key);
  return {
    values: waiting.map((row) => rows.valueOf(row)),
    times: waiting.map((row) => rows.timeOf(row)),
    places: waiting.map((row) => row - rows.first),
    matches: waiting.map((row) => (rows.isMarked(row) ? matched : 0)),
  };
}

/** Numbers of keys, in the order in which they came. */
export type KeyNumbers = Map<StateKey, number>;

export class RowsByKey<V> {
  private readonly side: Side<V>;
  /** Of each row the number of its key; -1: it waits no more. */
  private readonly keyOfRow: Int32Array;
  /** Of each key its first place in the lists, and behind the last the end. */
  private readonly starts: Int32Array;
  private readonly lists: RowsOfKey<V>;

  /** Keys that are new get a number. */
  static number<V>(side: Side<V>, keys: KeyNumbers): Int32Array {
    const { rows } = side;
    const numbers = new Int32Array(rows.size);
    for (let at = 0; at < numbers.length; at++) {
      const row = rows.first + at;
      numbers[at] = side.waits(row) ? numberOf(rows.keyOf(row), keys) : -1;
    }
    return numbers;
  }

  /** `keyOfRow`: as `number` gave them, once all sides have been numbered. */
  constructor(side: Side<V>, keyOfRow: Int32Array, keys: KeyNumbers) {
    this.side = side;
    this.keyOfRow = keyOfRow;
    this.starts = startsOf(keyOfRow, keys.size);
    this.lists = this.lay();
  }

  rowsOf(key: number): RowsOfKey<V> {
    const { values, times, places, matches } = this.lists;
    const from = this.starts[key] as number;
    const to = this.starts[key + 1] as number;
    return {
      values: values.slice(from, to),
      times: times.slice(from, to),
      places: places.slice(from, to),
      matches: matches.slice(from, to),
    };
  }

  private lay(): RowsOfKey<V> {
    const { keyOfRow, starts } = this;
    const { rows } = this.side;
    const count = starts[starts.length - 1] as number;
    const values = new Array<V>(count);
    const times = new Array<number>(count);
    const places = new Array<number>(count);
    const matches = new Array<number>(count);
    const next = starts.slice();
    for (let at = 0; at < keyOfRow.length; at++) {
      const key = keyOfRow[at] as number;
      if (key < 0) continue;
      const row = rows.first + at;
      const to = next[key] as number;
      next[key] = to + 1;
      values[to] = rows.valueOf(row);
      times[to] = rows.timeOf(row);
      places[to] = at;
      matches[to] = rows.isMarked(row) ? matched : 0;
    }
    return { values, times, places, matches };
  }
}

function numberOf(key: StateKey, keys: KeyNumbers): number {
  const known = keys.get(key);
  if (known !== undefined) return known;
  keys.set(key, keys.size);
  return keys.size - 1;
}

function startsOf(keyOfRow: Int32Array, keys: number): Int32Array {
  const starts = new Int32Array(keys + 1);
  for (const key of keyOfRow) if (key >= 0) (starts[key + 1] as number)++;
  for (let key = 0; key < keys; key++) (starts[key + 1] as number) += starts[key] as number;
  return starts;
}
