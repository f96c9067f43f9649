/** Cells of which every value is kept as numbers alone: counts, sums, means, and of whole numbers extremes, the first and the last. They stand in a row of a `RowState`. */
import {
  type CompiledAggregate,
  type RowPlaces,
  type RowStep,
  type RowsUpdate,
  type RowUpdate,
  rowsUpdater,
  rowUpdater,
} from '../../runtime/stream/index.ts';
import type { Cell } from './cell.ts';

export interface NumberCells {
  /** Numbers of a cell. */
  readonly width: number;
  /** Each value is one number that is the sum of what each event brings. */
  readonly areTotals: boolean;
  /** Puts a cell into which nothing was taken yet. */
  begin(rows: Float64Array, from: number): void;
  readonly add: RowUpdate;
  /** Undefined where events are needed as objects. */
  readonly addAll: RowsUpdate | undefined;
  /** Of each value, in order, the results of the cells that begin at these places. */
  columnsOf(rows: Float64Array, froms: ArrayLike<number>): unknown[][];
  /** The same as a cell of accumulators. */
  cellOf(rows: Float64Array, from: number): Cell;
  put(cell: Cell, rows: Float64Array, from: number): void;
}

/** How one value is kept: the steps by which events are taken in, and what comes out. */
export interface NumberForm {
  readonly steps: readonly { readonly kind: RowStep['kind']; readonly begun: readonly number[] }[];
  /** Of the cells that begin at these places. */
  results(rows: Float64Array, froms: ArrayLike<number>, place: number): unknown[];
  stateAt(rows: Float64Array, at: number): unknown;
  numbersOf(state: unknown): readonly number[];
}

/** A loop for each form, not one that calls another function for each number: V8 sees through it. */
function numbers(rows: Float64Array, froms: ArrayLike<number>, place: number): unknown[] {
  const results = new Array<unknown>(froms.length);
  for (let at = 0; at < results.length; at++) results[at] = rows[(froms[at] as number) + place];
  return results;
}

/** Of nothing there is no least: NaN, which is no whole number. */
function extremes(rows: Float64Array, froms: ArrayLike<number>, place: number): unknown[] {
  const results = new Array<unknown>(froms.length);
  for (let at = 0; at < results.length; at++) {
    const number = rows[(froms[at] as number) + place] as number;
    results[at] = Number.isNaN(number) ? null : number;
  }
  return results;
}

function means(rows: Float64Array, froms: ArrayLike<number>, place: number): unknown[] {
  const results = new Array<unknown>(froms.length);
  for (let at = 0; at < results.length; at++) {
    const counted = (froms[at] as number) + place;
    const count = rows[counted] as number;
    results[at] = count === 0 ? null : (rows[counted + 1] as number) / count;
  }
  return results;
}

const numberAt = (rows: Float64Array, at: number) => rows[at] as number;
const extremeAt = (rows: Float64Array, at: number) => (Number.isNaN(rows[at]) ? null : (rows[at] as number));
const total = (kind: RowStep['kind']): NumberForm => ({
  steps: [{ kind, begun: [0] }],
  results: numbers,
  stateAt: numberAt,
  numbersOf: (state) => [state as number],
});
const extreme = (kind: RowStep['kind']): NumberForm => ({
  steps: [{ kind, begun: [Number.NaN] }],
  results: extremes,
  stateAt: extremeAt,
  numbersOf: (state) => [(state as number | null) ?? Number.NaN],
});
/** A time, and behind it the value of it. */
const end = (kind: RowStep['kind'], before: number): NumberForm => ({
  steps: [{ kind, begun: [before, Number.NaN] }],
  results: (rows, froms, place) => extremes(rows, froms, place + 1),
  stateAt: (rows, at) => ({ time: rows[at], value: extremeAt(rows, at + 1) }),
  numbersOf(state) {
    const { time, value } = state as { time: number; value: number | null };
    return [time, value ?? Number.NaN];
  },
});
const mean: NumberForm = {
  steps: [
    { kind: 'count', begun: [0] },
    { kind: 'sum', begun: [0] },
  ],
  results: means,
  stateAt: (rows, at) => ({ count: rows[at], sum: rows[at + 1] }),
  numbersOf(state) {
    const { count, sum } = state as { count: number; sum: number };
    return [count, sum];
  },
};

/** Undefined where a value is no number alone. */
export function formOf({ call, argument }: CompiledAggregate): NumberForm | undefined {
  const kind = argument?.type.kind ?? 'int';
  const isWhole = kind === 'int' || kind === 'timestamp' || kind === 'duration';
  if (!isWhole && kind !== 'float') return undefined;
  if (call === 'count' || call === 'sum') return total(call);
  if (call === 'mean') return mean;
  if (!isWhole) return undefined;
  if (call === 'min') return extreme('least');
  if (call === 'max') return extreme('greatest');
  if (call === 'first') return end('first', Number.POSITIVE_INFINITY);
  return call === 'last' ? end('last', Number.NEGATIVE_INFINITY) : undefined;
}

/** `firstPlace`: what stands before a cell in its row. Undefined where a value is kept in another way. */
export function numberCells(aggregates: readonly CompiledAggregate[]): NumberCells | undefined {
  const values: { readonly form: NumberForm; readonly place: number }[] = [];
  const steps: RowStep[] = [];
  const begun: number[] = [];
  for (const aggregate of aggregates) {
    const form = formOf(aggregate);
    if (!form) return undefined;
    const { argument, condition } = aggregate;
    values.push({ form, place: begun.length });
    for (const step of form.steps) {
      const place = begun.length;
      steps.push({ kind: step.kind, place, ...(argument && { argument }), ...(condition && { condition }) });
      begun.push(...step.begun);
    }
  }
  return {
    width: begun.length,
    areTotals: aggregates.every(({ call }) => call === 'count' || call === 'sum'),
    begin(rows, from) {
      for (let at = 0; at < begun.length; at++) rows[from + at] = begun[at] as number;
    },
    add: rowUpdater(steps),
    addAll: rowsUpdater(steps),
    columnsOf: (rows, froms) => values.map(({ form, place }) => form.results(rows, froms, place)),
    cellOf: (rows, from) => values.map(({ form, place }) => form.stateAt(rows, from + place)),
    put(cell, rows, from) {
      for (let slot = 0; slot < values.length; slot++) {
        const { form, place } = values[slot] as (typeof values)[number];
        const numbers = form.numbersOf(cell[slot]);
        for (let at = 0; at < numbers.length; at++) rows[from + place + at] = numbers[at] as number;
      }
    },
  };
}

/** Which events come to which cells. */
export class CellPlaces implements RowPlaces {
  events = new Uint32Array(0);
  firsts = new Uint32Array(0);
  count = 0;

  /** None, with room for so many. */
  begin(countMax: number): void {
    this.count = 0;
    if (this.events.length >= countMax) return;
    this.events = new Uint32Array(countMax);
    this.firsts = new Uint32Array(countMax);
  }

  add(event: number, first: number): void {
    this.events[this.count] = event;
    this.firsts[this.count++] = first;
  }
}
