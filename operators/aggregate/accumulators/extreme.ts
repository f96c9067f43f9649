import { type Accumulator, same } from './accumulator.ts';

type Extreme = number | string | null;

const least = (a: Extreme, b: Extreme): Extreme => (a === null || (b !== null && b < a) ? b : a);
const greatest = (a: Extreme, b: Extreme): Extreme => (a === null || (b !== null && b > a) ? b : a);

function extreme(better: (a: Extreme, b: Extreme) => Extreme): Accumulator<Extreme> {
  return {
    create: () => null,
    add: (state, value) => better(state, value as Extreme),
    merge: better,
    remove: (state, value) => (value === state ? undefined : state),
    copy: same,
    result: same,
    bytes: 16,
  };
}

export const min = extreme(least);
export const max = extreme(greatest);
