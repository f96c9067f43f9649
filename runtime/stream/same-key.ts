import type { StateKey } from './operator-state.ts';

/** As `Map` compares: NaN is itself. */
export const isSameKey = (a: StateKey | undefined, b: StateKey): boolean =>
  a === b || (Number.isNaN(a) && Number.isNaN(b));
