/** What a pane holds. Most aggregates have one value, and a list of one would take more than what is in it. */
import type { Event } from '../../runtime/stream/index.ts';
import type { Accumulator } from './accumulators/index.ts';
import type { AddToState, Cell, CellKind } from './cell.ts';

/** The state of the only value as it is; of several values their cell. */
export type Held = unknown;

export interface HeldKind {
  create(): Held;
  /** Takes an event in. Returns what is held now: changed in place or another. */
  add(held: Held, event: Event, time: number): Held;
  /** To be read, not to be changed. */
  cellOf(held: Held): Cell;
}

export function heldKind(
  accumulators: readonly Accumulator[],
  adds: readonly AddToState[],
  cells: Pick<CellKind, 'create' | 'add'>,
): HeldKind {
  const [only] = accumulators;
  const [add] = adds;
  if (accumulators.length === 1 && only && add) return { create: only.create, add, cellOf: (held) => [held] };
  return {
    create: cells.create,
    add(held, event, time) {
      cells.add(held as Cell, event, time);
      return held;
    },
    cellOf: (held) => held as Cell,
  };
}

export function heldOf(cell: Cell): Held {
  return cell.length === 1 ? cell[0] : cell;
}
