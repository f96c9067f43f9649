import { type Accumulator, same } from './accumulator.ts';

export const count: Accumulator<number> = {
  create: () => 0,
  add: (state) => state + 1,
  merge: (into, from) => into + from,
  subtract: (into, from) => into - from,
  remove: (state) => state - 1,
  copy: same,
  result: same,
  bytes: 8,
};
