/** Totals in which only the newest event of each thing counts: what it brought is taken out when the next one comes. */
import type { StateKey } from '../../runtime/stream/index.ts';
import type { Cell, CellKind } from './cell.ts';

export interface Thing {
  time: number;
  /** What its newest event brought to each slot. */
  values: unknown[];
}

export type Things = Map<StateKey, Thing>;

/** Takes the newest event of a thing into a cell in place of the one before. False when something newer is known of it. */
export function replaceThing(kind: CellKind, cell: Cell, things: Things, thing: StateKey, now: Thing): boolean {
  const before = things.get(thing);
  if (before && before.time > now.time) return false;
  // Things stand in the order in which their newest events came, but only where that is asked for: the last bit of sums of fractions hangs on it.
  if (before && kind.ordered) things.delete(thing);
  things.set(thing, now);
  kind.accumulators.forEach((accumulator, slot) => {
    const gone = before?.values[slot] ?? null;
    const left = gone === null ? cell[slot] : accumulator.remove?.(cell[slot], gone);
    const value = now.values[slot];
    if (left === undefined) cell[slot] = anew(kind, slot, things);
    else cell[slot] = value === null ? left : accumulator.add(left, value, now.time);
  });
  return true;
}

/** Sums of fractions, and extremes whose thing has changed, are computed from all things. */
function anew(kind: CellKind, slot: number, things: Things): unknown {
  const accumulator = kind.accumulators[slot] as CellKind['accumulators'][number];
  let state = accumulator.create();
  for (const { time, values } of things.values()) {
    if (values[slot] !== null) state = accumulator.add(state, values[slot], time);
  }
  return state;
}
