import { aggregateLimits } from '../limits.ts';
import type { Accumulator } from './accumulator.ts';

/** Value to the number of panes that hold it: so that a pane that leaves a window can be taken out again. */
type Holders = Map<unknown, number>;

/** Lists and records are equal when they are written alike. The mark keeps them apart from texts. */
export function identityOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? `\u0000${JSON.stringify(value)}` : value;
}

/** The exact number of distinct values; holds every one of them. */
export const distinct: Accumulator<Holders> = {
  create: () => new Map(),
  add(state, value) {
    const identity = identityOf(value);
    if (!state.has(identity)) state.set(identity, 1);
    return state;
  },
  merge(into, from) {
    for (const identity of from.keys()) into.set(identity, (into.get(identity) ?? 0) + 1);
    return into;
  },
  subtract(into, from) {
    for (const identity of from.keys()) {
      const holders = into.get(identity) ?? 0;
      if (holders > 1) into.set(identity, holders - 1);
      else into.delete(identity);
    }
    return into;
  },
  copy: (state) => new Map(state),
  result: (state) => state.size,
  isFull: (state) => state.size >= aggregateLimits.distinctValuesMax,
  admits: (state, value) => state.size < aggregateLimits.distinctValuesMax || state.has(identityOf(value)),
  bytes: 4_096,
};
