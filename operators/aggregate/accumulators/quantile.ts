/**
 * Quantiles by DDSketch (Masson, Rim, Lee: DDSketch, VLDB 2019), relative accuracy 1 %: counts of values in bins whose bounds
 * grow geometrically. The mapping of values to bins is that of `@datadog/sketches-js`; the bins are kept here as plain data,
 * so that checkpoints hold them, sketches merge exactly and can be taken out of one another exactly.
 */
import { DDSketch } from '@datadog/sketches-js';
import type { Accumulator } from './accumulator.ts';

interface Bins {
  count: number;
  zeros: number;
  readonly above: Map<number, number>;
  readonly below: Map<number, number>;
}

const relativeAccuracy = 0.01;
const { mapping } = new DDSketch({ relativeAccuracy });

function count(bins: Map<number, number>, bin: number, amount: number): void {
  const total = (bins.get(bin) ?? 0) + amount;
  if (total === 0) bins.delete(bin);
  else bins.set(bin, total);
}

function countValue(state: Bins, value: number, amount: 1 | -1): Bins {
  const size = Math.abs(value);
  state.count += amount;
  if (size < mapping.minPossible) state.zeros += amount;
  else count(value > 0 ? state.above : state.below, mapping.key(Math.min(size, mapping.maxPossible)), amount);
  return state;
}

function combine(into: Bins, from: Bins, sign: 1 | -1): Bins {
  into.count += sign * from.count;
  into.zeros += sign * from.zeros;
  for (const [bin, amount] of from.above) count(into.above, bin, sign * amount);
  for (const [bin, amount] of from.below) count(into.below, bin, sign * amount);
  return into;
}

function valueAtRank({ zeros, above, below }: Bins, rank: number): number {
  let seen = 0;
  for (const [bin, amount] of [...below].sort(([a], [b]) => b - a)) {
    seen += amount;
    if (seen > rank) return -mapping.value(bin);
  }
  seen += zeros;
  if (seen > rank) return 0;
  let value = 0;
  for (const [bin, amount] of [...above].sort(([a], [b]) => a - b)) {
    seen += amount;
    value = mapping.value(bin);
    if (seen > rank) break;
  }
  return value;
}

/** The value at rank `level * (count - 1)`, the lower one between two. */
export function quantile(level: number): Accumulator<Bins> {
  return {
    create: () => ({ count: 0, zeros: 0, above: new Map(), below: new Map() }),
    add: (state, value) => countValue(state, value as number, 1),
    remove: (state, value) => countValue(state, value as number, -1),
    merge: (into, from) => combine(into, from, 1),
    subtract: (into, from) => combine(into, from, -1),
    copy: ({ count: total, zeros, above, below }) => ({
      count: total,
      zeros,
      above: new Map(above),
      below: new Map(below),
    }),
    result: (state) => (state.count === 0 ? null : valueAtRank(state, level * (state.count - 1))),
    bytes: 4_096,
  };
}
