import { type Accumulator, same } from './accumulator.ts';

/** Sums of whole numbers are exact up to 2^53, so that what leaves a window can be taken out again. */
export const wholeSum: Accumulator<number> = {
  create: () => 0,
  add: (state, value) => state + (value as number),
  merge: (into, from) => into + from,
  copy: same,
  result: same,
  bytes: 8,
  subtract: (into, from) => into - from,
  remove: (state, value) => state - (value as number),
};

/** Taking a fraction out again would leave its rounding error behind for ever. */
export const sum: Accumulator<number> = {
  create: () => 0,
  add: (state, value) => state + (value as number),
  merge: (into, from) => into + from,
  copy: same,
  result: same,
  bytes: 16,
};
