/**
 * The random numbers of the seeded Nexmark: mulberry32, whose state can be put to any event of the stream at once. All arithmetic is of
 * 32 bits.
 */
const increment = 0x6d2b79f5;
const two32 = 2 ** 32;

export class Random {
  private state: number;

  constructor(state = 0) {
    this.state = state | 0;
  }

  /** To where event `position` begins, whatever was drawn before. */
  seek(seed: number, position: number): void {
    const high = Math.floor(position / two32);
    let state = seed ^ Math.imul(position | 0, 0x9e3779b1) ^ Math.imul(high, 0x85ebca77);
    state ^= state >>> 16;
    state = Math.imul(state, 0x7feb352d);
    state ^= state >>> 15;
    state = Math.imul(state, 0x846ca68b);
    this.state = state ^ (state >>> 16);
  }

  /** Passes over numbers that nobody wants. */
  skip(draws: number): void {
    this.state = (this.state + Math.imul(draws, increment)) | 0;
  }

  /** 0 to `bound` - 1. */
  int(bound: number): number {
    const state = (this.state + increment) | 0;
    this.state = state;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / two32) * bound);
  }
}
