/**
 * The random numbers of the seeded Nexmark: mulberry32, whose state can be put to any event of the stream at once. All arithmetic is of
 * 32 bits.
 */
/** What each number that is drawn adds to the state. */
export const drawStep = 0x6d2b79f5;
const two32 = 2 ** 32;

/** The state with which event `position` begins. */
function stateAt(seed: number, position: number): number {
  return mixed(seedOf(seed, position) ^ Math.imul(position | 0, 0x9e3779b1));
}

/** Writes the states with which `count` events from `position` on begin, from a place of `states` on. */
export function writeStates(
  states: Int32Array,
  at: number,
  { seed, position, count }: { readonly seed: number; readonly position: number; readonly count: number },
): void {
  // The high half of the position is one for all of them, but for those few that stand on both sides of its end.
  const alike = Math.min(count, two32 - (position % two32));
  const own = seedOf(seed, position);
  const low = position | 0;
  for (let next = 0; next < alike; next++) states[at + next] = mixed(own ^ Math.imul(low + next, 0x9e3779b1));
  if (alike < count) writeStates(states, at + alike, { seed, position: position + alike, count: count - alike });
}

function seedOf(seed: number, position: number): number {
  return seed ^ Math.imul(Math.floor(position / two32), 0x85ebca77);
}

function mixed(seeded: number): number {
  let state = seeded ^ (seeded >>> 16);
  state = Math.imul(state, 0x7feb352d);
  state ^= state >>> 15;
  state = Math.imul(state, 0x846ca68b);
  return state ^ (state >>> 16);
}

/** The state after `draws` more numbers. */
export function stateAfter(state: number, draws: number): number {
  return (state + Math.imul(draws, drawStep)) | 0;
}

/** The number of a state, as 32 bits with a sign. */
export function bitsOf(state: number): number {
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return mixed ^ (mixed >>> 14);
}

/** The number of a state as 0 to `bound` - 1, which has no more than 31 bits. */
export function smallIntOf(state: number, bound: number): number {
  return (((bitsOf(state) >>> 0) / two32) * bound) | 0;
}

export class Random {
  private state: number;

  constructor(state = 0) {
    this.state = state | 0;
  }

  /** To where event `position` begins, whatever was drawn before. */
  seek(seed: number, position: number): void {
    this.state = stateAt(seed, position);
  }

  /** Passes over numbers that nobody wants. */
  passOver(draws: number): void {
    this.state = stateAfter(this.state, draws);
  }

  /** 0 to `bound` - 1. */
  int(bound: number): number {
    this.state = stateAfter(this.state, 1);
    return Math.floor(((bitsOf(this.state) >>> 0) / two32) * bound);
  }
}
