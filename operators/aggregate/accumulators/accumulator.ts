/**
 * What one value of `aggregate` keeps of the events of a window. States are plain data (numbers, text, arrays, Maps, Sets), so that
 * checkpoints hold them; the functions stand beside.
 */

export interface Accumulator<S = unknown> {
  create(): S;
  /** Takes in a value that is not null. Returns the state: a number anew, an object changed in place. */
  add(state: S, value: unknown, time: number): S;
  /** Brings `from` into `into`, which may change in place; `from` stays as it is. */
  merge(into: S, from: S): S;
  /** Takes out of `into` what was merged in before, exactly. Absent where that cannot be done without an error left behind. */
  readonly subtract?: (into: S, from: S) => S;
  /** Whether nothing was rounded in the state, of what can be taken out again. Absent: nothing ever is. */
  readonly isExact?: (state: S) => boolean;
  /**
   * Takes out one value that was added before; undefined where the state must be made anew from the values that remain. Absent where it
   * always must.
   */
  readonly remove?: (state: S, value: unknown) => S | undefined;
  copy(state: S): S;
  /** The value given, null when nothing was counted in. */
  result(state: S): unknown;
  /** Whether only values that need no room are taken in, and whether one is. Absent: there is always room. */
  readonly isFull?: (state: S) => boolean;
  readonly admits?: (state: S, value: unknown) => boolean;
  /** Whether the order in which values came decides between those of one time. */
  readonly isOrdered?: true;
  /** Estimate for `mach explain`. */
  readonly bytes: number;
}

const same = <T>(state: T): T => state;

export { same };
