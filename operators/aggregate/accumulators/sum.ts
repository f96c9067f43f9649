import { type Accumulator, same } from './accumulator.ts';

/** Sums of whole numbers are exact up to 2^53, so that what leaves a window can be taken out again; those beyond are added up anew. */
export const wholeSum: Accumulator<number> = {
  create: () => 0,
  add: (state, value) => state + (value as number),
  merge: (into, from) => into + from,
  copy: same,
  result: same,
  bytes: 8,
  subtract: (into, from) => into - from,
  isExact: Number.isSafeInteger,
  // What was rounded is made anew from the values that remain.
  remove: (state, value) => (Number.isSafeInteger(state) ? state - (value as number) : undefined),
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
