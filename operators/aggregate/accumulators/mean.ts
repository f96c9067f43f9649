import type { Accumulator } from './accumulator.ts';

interface MeanState {
  count: number;
  sum: number;
}

export const mean: Accumulator<MeanState> = {
  create: () => ({ count: 0, sum: 0 }),
  add(state, value) {
    state.count++;
    state.sum += value as number;
    return state;
  },
  merge(into, from) {
    into.count += from.count;
    into.sum += from.sum;
    return into;
  },
  copy: ({ count, sum }) => ({ count, sum }),
  result: ({ count, sum }) => (count === 0 ? null : sum / count),
  bytes: 48,
};

/** Of whole numbers, which can be taken out again without an error left behind. */
export const wholeMean: Accumulator<MeanState> = {
  ...mean,
  remove(state, value) {
    state.count--;
    state.sum -= value as number;
    return state;
  },
};
