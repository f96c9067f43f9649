/**
 * Rows of windows that close with the same movement of the watermark, side by side: of a small step most windows have few, and each by itself
 * would cost more on its way than they do.
 */
import type { Output, StateKey } from '../../runtime/stream/index.ts';
import { aggregateLimits } from './limits.ts';
import { keyColumns, repeated, resultColumns } from './rows.ts';
import type { AggregateSetting } from './setting.ts';

/** What comes out of one window; the lists are its own. */
export interface WindowRows {
  readonly start: number;
  readonly end: number;
  readonly keys: StateKey[];
  /** Of each value, in the order of the keys. */
  readonly values: unknown[][];
}

export class RowsTogether {
  private readonly setting: AggregateSetting;
  private keys: StateKey[] = [];
  private starts: number[] = [];
  private ends: number[] = [];
  private values: unknown[][] = [];

  constructor(setting: AggregateSetting) {
    this.setting = setting;
  }

  add(rows: WindowRows, out: Output): void {
    const { keys, values, start, end } = rows;
    if (this.keys.length === 0) {
      this.keys = keys;
      this.values = values;
      this.starts = repeated(start, keys.length);
      this.ends = repeated(end, keys.length);
    } else this.append(rows);
    if (this.keys.length >= aggregateLimits.rowsTogetherMax) this.give(out);
  }

  /** All of them, each at the last moment of its window. */
  give(out: Output): void {
    const { keys, starts, ends, values } = this;
    if (keys.length === 0) return;
    const { heldKeys, keyFields, rowNames } = this.setting;
    const rows = { keys: keyColumns(heldKeys, keyFields, keys), starts, ends, values, early: false };
    const times = ends.map((end) => end - 1);
    this.keys = [];
    out.emitColumns(resultColumns(rowNames, rows), times);
  }

  private append({ start, end, keys, values }: WindowRows): void {
    for (let at = 0; at < keys.length; at++) {
      this.keys.push(keys[at] as StateKey);
      this.starts.push(start);
      this.ends.push(end);
      for (let value = 0; value < values.length; value++)
        (this.values[value] as unknown[]).push((values[value] as unknown[])[at]);
    }
  }
}
