/** The states of all values of one key and pane, side by side: slot by slot as the values stand in the topology. */
import {
  type CompiledAggregate,
  type Event,
  listMaker,
  listMapper,
  listUpdater,
  type SlotUpdate,
} from '../../runtime/stream/index.ts';
import { type Accumulator, accumulatorOf } from './accumulators/index.ts';
import { type HeldKind, heldKind } from './held.ts';

export type Cell = unknown[];

/** Takes an event into the state of one value, and returns the state as an accumulator does. */
export type AddToState = SlotUpdate;

export interface CellKind {
  readonly accumulators: readonly Accumulator[];
  /** Slots that cannot be taken out of a total again. */
  readonly monotone: readonly number[];
  readonly invertible: readonly number[];
  /** Whether nothing was rounded in what can be taken out again: a total that was is added up anew. */
  isExact(cell: Cell): boolean;
  /** Whether any value has a bound. */
  readonly bounded: boolean;
  /** Whether the order in which values came decides something. */
  readonly ordered: boolean;
  readonly bytes: number;
  readonly held: HeldKind;
  create(): Cell;
  add(cell: Cell, event: Event, time: number): void;
  /** Whether all values have room for the event; false at a bound on exact distinct values. */
  admits(cell: Cell, event: Event): boolean;
  resultsOf(cell: Cell): unknown[];
  /** What the event brings to each slot; null where it is not counted in. */
  valuesOf(event: Event): unknown[];
}

export function cellKind(aggregates: readonly CompiledAggregate[]): CellKind {
  const accumulators = aggregates.map(accumulatorOf);
  const slots = accumulators.map((_, slot) => slot);
  const adds = aggregates.map((aggregate, slot) => addToState(aggregate, accumulators[slot] as Accumulator));
  const cells = { create: listMaker(accumulators.map(({ create }) => create)), add: listUpdater(adds) };
  const rounded = slots.filter((slot) => accumulators[slot]?.isExact);
  const bounded = slots.filter((slot) => accumulators[slot]?.isFull !== undefined);
  return {
    accumulators,
    monotone: slots.filter((slot) => !accumulators[slot]?.subtract),
    invertible: slots.filter((slot) => accumulators[slot]?.subtract),
    isExact(cell) {
      for (const slot of rounded) if (!accumulators[slot]?.isExact?.(cell[slot])) return false;
      return true;
    },
    bounded: bounded.length > 0,
    ordered: accumulators.some(({ isOrdered }) => isOrdered),
    bytes: accumulators.reduce((sum, { bytes }) => sum + bytes, 48),
    held: heldKind(accumulators, adds, cells),
    ...cells,
    resultsOf: listMapper(accumulators.map(({ result }) => result)),
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

/** The value that an event brings to an aggregate; null when it is not counted in. */
export function countedIn({ argument, condition }: CompiledAggregate, event: Event): unknown {
  if (condition && condition.evaluate(event) !== true) return null;
  return argument ? (argument.evaluate(event) ?? null) : true;
}

function addToState(aggregate: CompiledAggregate, accumulator: Accumulator): AddToState {
  const { call, argument, condition } = aggregate;
  if (call === 'count' && !condition) return (state) => (state as number) + 1;
  if (call === 'sum' && argument && !condition) {
    return (state, event) => {
      const value = argument.evaluate(event);
      return typeof value === 'number' ? (state as number) + value : state;
    };
  }
  return (state, event, time) => {
    const value = countedIn(aggregate, event);
    return value === null ? state : accumulator.add(state, value, time);
  };
}

export function mergeCells(kind: CellKind, into: Cell, from: Cell, slots: readonly number[]): void {
  for (const slot of slots) into[slot] = kind.accumulators[slot]?.merge(into[slot], from[slot]);
}

export function subtractCells(kind: CellKind, into: Cell, from: Cell): void {
  for (const slot of kind.invertible) into[slot] = kind.accumulators[slot]?.subtract?.(into[slot], from[slot]);
}
