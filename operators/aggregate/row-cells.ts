/**
 * Cells that stand in a row of a `RowState` for good: numbers as in `number-cells.ts`; counts of distinct values, which stand in a table of their own;
 * and states of a few other values, in a list beside.
 */
import {
  type CompiledAggregate,
  type Event,
  type HandStep,
  isSameExpression,
  type RowPlaces,
  type RowStep,
  type RowsUpdate,
  type RowTaker,
  type RowUpdate,
  rowsUpdater,
  rowUpdater,
  type TimedColumns,
} from '../../runtime/stream/index.ts';
import { type Accumulator, accumulatorOf } from './accumulators/index.ts';
import { type Cell, countedIn } from './cell.ts';
import { DistinctTable } from './distinct-table.ts';
import { formOf, type NumberForm } from './number-cells.ts';

export interface RowCells {
  /** Numbers of a cell. */
  readonly width: number;
  /** Puts a cell into which nothing was taken yet. */
  begin(rows: Float64Array, from: number): void;
  add(rows: Float64Array, from: number, event: Event, time: number): void;
  /** Where the plan `takesColumns`. */
  addAll(rows: Float64Array, places: RowPlaces, batch: TimedColumns): void;
  /** Whether one of so many events may find no room. */
  mayRefuse(events: number): boolean;
  /** Whether all values have room for the event. */
  admits(rows: Float64Array, from: number, event: Event): boolean;
  /** Of each value, in order, the results of the cells that begin at these places. */
  columnsOf(rows: Float64Array, froms: ArrayLike<number>): unknown[][];
  /** The same as a cell of accumulators. */
  cellOf(rows: Float64Array, from: number): Cell;
  /** `cell`: of a row that holds nothing yet. */
  put(cell: Cell, rows: Float64Array, from: number): void;
}

/** How one value stands in a row: `from` is where the cell begins. */
interface KeptValue {
  results(rows: Float64Array, froms: ArrayLike<number>): unknown[];
  stateAt(rows: Float64Array, from: number): unknown;
  put(state: unknown, rows: Float64Array, from: number): void;
}

/** A mark for each in 32 bits. */
const countsPerTableMax = 31;

/** Makes cells for a state. Undefined where a value is kept in another way. */
export function rowCells(aggregates: readonly CompiledAggregate[]): RowCellPlan | undefined {
  return aggregates.every(isKept) ? new RowCellPlan(aggregates) : undefined;
}

function isKept(aggregate: CompiledAggregate): boolean {
  return formOf(aggregate) !== undefined || isDistinct(aggregate) || isBeside(aggregate);
}

function isDistinct({ call, argument }: CompiledAggregate): boolean {
  const kinds = ['int', 'timestamp', 'duration', 'float', 'string'];
  return call === 'distinct' && argument !== undefined && kinds.includes(argument.type.kind);
}

/** What needs neither the time of an event nor has a bound. */
function isBeside({ call, argument }: CompiledAggregate): boolean {
  return argument !== undefined && ['min', 'max', 'quantile', 'approx_distinct'].includes(call);
}

/** What a state has of its own: tables and lists, each for one step of the functions that all states share. */
interface Kept {
  readonly takers: RowTaker[];
  readonly values: KeptValue[];
  readonly tables: { readonly table: DistinctTable; readonly counts: readonly CompiledAggregate[] }[];
  readonly besides: Beside[];
}

export class RowCellPlan {
  private readonly aggregates: readonly CompiledAggregate[];
  private readonly steps: (RowStep | HandStep)[] = [];
  /** What a row has in each place at first. */
  private readonly begun: number[] = [];
  private readonly keep: ((kept: Kept) => void)[] = [];
  private takers = 0;
  private readonly add: RowUpdate;
  private readonly addAll: RowsUpdate | undefined;

  constructor(aggregates: readonly CompiledAggregate[]) {
    this.aggregates = aggregates;
    for (const [slot, aggregate] of aggregates.entries()) {
      const form = formOf(aggregate);
      if (form) this.planNumbers(slot, form, aggregate);
      else if (!isDistinct(aggregate)) this.planBeside(slot, aggregate);
    }
    for (const slots of this.slotsByArgument()) this.planTable(slots);
    this.add = rowUpdater(this.steps);
    this.addAll = rowsUpdater(this.steps);
  }

  /** Whether events may come as columns. */
  get takesColumns(): boolean {
    return this.addAll !== undefined;
  }

  cells(): RowCells {
    const { begun, add, addAll } = this;
    const kept: Kept = { takers: [], values: [], tables: [], besides: [] };
    for (const keep of this.keep) keep(kept);
    const { takers, values, tables, besides } = kept;
    const begin = (rows: Float64Array, from: number) => {
      for (let at = 0; at < begun.length; at++) rows[from + at] = begun[at] as number;
      for (const beside of besides) beside.begin(rows, from);
    };
    return {
      width: begun.length,
      begin,
      add: (rows, from, event, time) => add(rows, from, event, time, takers),
      addAll: (rows, places, batch) => addAll?.(rows, places, batch, takers),
      mayRefuse: (events) => tables.length > 0 && tables.some(({ table }) => table.mayRefuse(events)),
      admits: (rows, from, event) =>
        tables.every(({ table, counts }) =>
          counts.every((aggregate, count) => {
            const value = countedIn(aggregate, event);
            return value === null || table.admits(rows, from, value, count);
          }),
        ),
      columnsOf: (rows, froms) => values.map((value) => value.results(rows, froms)),
      cellOf: (rows, from) => values.map((value) => value.stateAt(rows, from)),
      put(cell, rows, from) {
        begin(rows, from);
        for (let slot = 0; slot < values.length; slot++) values[slot]?.put(cell[slot], rows, from);
      },
    };
  }

  private planNumbers(slot: number, form: NumberForm, { argument, condition }: CompiledAggregate): void {
    const place = this.begun.length;
    for (const { kind, begun } of form.steps) {
      this.steps.push({
        kind,
        place: this.begun.length,
        ...(argument && { argument }),
        ...(condition && { condition }),
      });
      this.begun.push(...begun);
    }
    const value: KeptValue = {
      results: (rows, froms) => form.results(rows, froms, place),
      stateAt: (rows, from) => form.stateAt(rows, from + place),
      put: (state, rows, from) => rows.set(form.numbersOf(state), from + place),
    };
    this.keep.push(({ values }) => {
      values[slot] = value;
    });
  }

  private planBeside(slot: number, aggregate: CompiledAggregate): void {
    const { argument, condition } = aggregate;
    const place = this.begun.push(0) - 1;
    const taker = this.takers++;
    if (argument) this.steps.push({ kind: 'hand', taker, argument, conditions: [condition] });
    this.keep.push(({ takers, values, besides }) => {
      const beside = new Beside(accumulatorOf(aggregate), place);
      takers[taker] = beside;
      values[slot] = beside;
      besides.push(beside);
    });
  }

  /** Those of `distinct`: the counts of one table. */
  private slotsByArgument(): number[][] {
    const groups: number[][] = [];
    for (const [slot, aggregate] of this.aggregates.entries()) {
      if (!isDistinct(aggregate)) continue;
      const group = groups.find(
        (one) => one.length < countsPerTableMax && isSameArgument(this.aggregates[one[0] as number], aggregate),
      );
      if (group) group.push(slot);
      else groups.push([slot]);
    }
    return groups;
  }

  private planTable(slots: readonly number[]): void {
    const counts = slots.map((slot) => this.aggregates[slot] as CompiledAggregate);
    const { argument } = counts[0] as CompiledAggregate;
    const place = this.begun.length;
    for (let at = 0; at <= slots.length; at++) this.begun.push(0);
    const taker = this.takers++;
    if (argument)
      this.steps.push({ kind: 'hand', taker, argument, conditions: counts.map(({ condition }) => condition) });
    this.keep.push(({ takers, values, tables }) => {
      const table = new DistinctTable({ counts: place, newest: place + slots.length });
      takers[taker] = table;
      tables.push({ table, counts });
      for (const [count, slot] of slots.entries()) values[slot] = countOf(table, place, count);
    });
  }
}

/** One of the counts of a table. */
function countOf(table: DistinctTable, place: number, count: number): KeptValue {
  return {
    results(rows, froms) {
      const results = new Array<unknown>(froms.length);
      for (let at = 0; at < results.length; at++) results[at] = rows[(froms[at] as number) + place + count];
      return results;
    },
    stateAt: (rows, from) => new Map(table.valuesOf(rows, from, count).map((value) => [value, 1])),
    put(state, rows, from) {
      for (const value of (state as ReadonlyMap<unknown, number>).keys()) table.take(rows, from, value, 1 << count);
    },
  };
}

function isSameArgument(one: CompiledAggregate | undefined, other: CompiledAggregate): boolean {
  return one?.argument !== undefined && other.argument !== undefined && isSameExpression(one.argument, other.argument);
}

/** States of one value in a list; a row has the place. */
class Beside implements KeptValue, RowTaker {
  private readonly accumulator: Accumulator;
  private readonly place: number;
  private readonly states: unknown[] = [];

  constructor(accumulator: Accumulator, place: number) {
    this.accumulator = accumulator;
    this.place = place;
  }

  begin(rows: Float64Array, from: number): void {
    rows[from + this.place] = this.states.push(this.accumulator.create()) - 1;
  }

  take(rows: Float64Array, first: number, value: unknown): void {
    const at = rows[first + this.place] as number;
    // No value that stands beside asks when the event was.
    this.states[at] = this.accumulator.add(this.states[at], value, 0);
  }

  results(rows: Float64Array, froms: ArrayLike<number>): unknown[] {
    const results = new Array<unknown>(froms.length);
    for (let at = 0; at < results.length; at++)
      results[at] = this.accumulator.result(this.stateAt(rows, froms[at] as number));
    return results;
  }

  stateAt(rows: Float64Array, from: number): unknown {
    return this.states[rows[from + this.place] as number];
  }

  put(state: unknown, rows: Float64Array, from: number): void {
    this.states[rows[from + this.place] as number] = state;
  }
}
