import type { Accumulator } from './accumulator.ts';

interface EndState {
  time: number;
  value: unknown;
}

/** Of equal event times the first, or the last, that came. */
function end(replaces: (time: number, state: EndState) => boolean, before: number): Accumulator<EndState> {
  return {
    create: () => ({ time: before, value: null }),
    add(state, value, time) {
      if (replaces(time, state)) {
        state.time = time;
        state.value = value;
      }
      return state;
    },
    merge(into, from) {
      if (from.value !== null && replaces(from.time, into)) {
        into.time = from.time;
        into.value = from.value;
      }
      return into;
    },
    copy: ({ time, value }) => ({ time, value }),
    result: ({ value }) => value,
    isOrdered: true,
    bytes: 64,
  };
}

/** The value of the earliest event time. */
export const first = end((time, state) => time < state.time, Number.POSITIVE_INFINITY);

/** The value of the latest event time. */
export const last = end((time, state) => time >= state.time, Number.NEGATIVE_INFINITY);
