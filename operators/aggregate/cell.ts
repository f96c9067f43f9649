/** The states of all values of one key and pane, side by side: slot by slot as the values stand in the topology. */
import type { CompiledAggregate, Event } from '../../runtime/stream/index.ts';
import { type Accumulator, accumulatorOf } from './accumulators/index.ts';

export type Cell = unknown[];

type Add = (cell: Cell, event: Event, time: number) => void;

export interface CellKind {
  readonly accumulators: readonly Accumulator[];
  /** Slots that cannot be taken out of a total again. */
  readonly monotone: readonly number[];
  readonly invertible: readonly number[];
  /** Whether any value has a bound. */
  readonly bounded: boolean;
  readonly bytes: number;
  create(): Cell;
  add: Add;
  /** Whether all values have room for the event; false at a bound on exact distinct values. */
  admits(cell: Cell, event: Event): boolean;
  /** What the event brings to each slot; null where it is not counted in. */
  valuesOf(event: Event): unknown[];
}

export function cellKind(aggregates: readonly CompiledAggregate[]): CellKind {
  const accumulators = aggregates.map(accumulatorOf);
  const slots = accumulators.map((_, slot) => slot);
  const adds = aggregates.map((aggregate, slot) => addInto(slot, aggregate, accumulators[slot] as Accumulator));
  const bounded = slots.filter((slot) => accumulators[slot]?.isFull !== undefined);
  return {
    accumulators,
    monotone: slots.filter((slot) => !accumulators[slot]?.subtract),
    invertible: slots.filter((slot) => accumulators[slot]?.subtract),
    bounded: bounded.length > 0,
    bytes: accumulators.reduce((sum, { bytes }) => sum + bytes, 48),
    create: () => accumulators.map((accumulator) => accumulator.create()),
    add: addAll(adds),
    admits(cell, event) {
      for (const slot of bounded) {
        // Most have room for anything.
        if (!accumulators[slot]?.isFull?.(cell[slot])) continue;
        const value = countedIn(aggregates[slot] as CompiledAggregate, event);
        if (value !== null && !accumulators[slot]?.admits?.(cell[slot], value)) return false;
      }
      return true;
    },
    valuesOf: (event) => aggregates.map((aggregate) => countedIn(aggregate, event)),
  };
}

/** Most aggregates have one value or two: those run without a loop. */
function addAll(adds: readonly Add[]): Add {
  const [first, second] = adds;
  if (adds.length === 1 && first) return first;
  if (adds.length === 2 && first && second) {
    return (cell, event, time) => {
      first(cell, event, time);
      second(cell, event, time);
    };
  }
  return (cell, event, time) => {
    for (const add of adds) add(cell, event, time);
  };
}

/** The value that an event brings to an aggregate; null when it is not counted in. */
function countedIn({ argument, condition }: CompiledAggregate, event: Event): unknown {
  if (condition && condition.evaluate(event) !== true) return null;
  return argument ? (argument.evaluate(event) ?? null) : true;
}

function addInto(slot: number, aggregate: CompiledAggregate, accumulator: Accumulator): Add {
  const { call, argument, condition } = aggregate;
  if (call === 'count' && !condition) {
    return (cell) => {
      cell[slot] = (cell[slot] as number) + 1;
    };
  }
  if (call === 'sum' && argument && !condition) {
    return (cell, event) => {
      const value = argument.evaluate(event);
      if (typeof value === 'number') cell[slot] = (cell[slot] as number) + value;
    };
  }
  return (cell, event, time) => {
    const value = countedIn(aggregate, event);
    if (value !== null) cell[slot] = accumulator.add(cell[slot], value, time);
  };
}

export function mergeCells(kind: CellKind, into: Cell, from: Cell, slots: readonly number[]): void {
  for (const slot of slots) into[slot] = kind.accumulators[slot]?.merge(into[slot], from[slot]);
}

export function subtractCells(kind: CellKind, into: Cell, from: Cell): void {
  for (const slot of kind.invertible) into[slot] = kind.accumulators[slot]?.subtract?.(into[slot], from[slot]);
}

export function resultsOf(kind: CellKind, cell: Cell): unknown[] {
  return kind.accumulators.map((accumulator, slot) => accumulator.result(cell[slot]));
}
