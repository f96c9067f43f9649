/** What waits for partners of one key, as it stands in checkpoints. Plain data. */
import type { Event } from '../../runtime/stream/index.ts';
import type { Taken } from './fields.ts';

/** Of a left event that has had a partner. */
export const matched = 1;

/** Lefts and rights in the order in which they came. Lists side by side: an object for each event would make a checkpoint several times as dear. */
export interface Waiting {
  readonly lefts: readonly Event[];
  readonly leftTimes: readonly number[];
  /** Places in the order in which the left events of all keys came: they decide between results of one time. */
  readonly leftOrders: readonly number[];
  /** Whether a left event has had a partner: `matched`, or 0. */
  readonly leftMatches: readonly number[];
  readonly rights: readonly Taken[];
  readonly rightTimes: readonly number[];
}

/** Most keys have one right event and nothing else: that stands there as it is, with its time as that of the entry. */
export type Kept = Waiting | Taken;

export function isLone(kept: Kept): kept is Taken {
  return Array.isArray(kept);
}
