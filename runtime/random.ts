/**
 * Seeded randomness: the same seed gives the same draws on every machine, so that a schedule of faults, a simulated city
 * or a sample can be repeated from one number. Not for secrets.
 *
 * Generator: xoshiro128** (Blackman, Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47, 2021),
 * seeded through splitmix32.
 */

export interface Random {
  /** Uniform in [0, 1), 53 bits. */
  float(): number;
  /** Uniform whole number, both ends included. */
  int(min: number, max: number): number;
  /** True with this probability. Draws exactly once, whatever the probability. */
  chance(probability: number): boolean;
  /** Normal, by Box and Muller (1958). Draws exactly twice. */
  normal(mean: number, deviation: number): number;
  /** Exponential with this mean. */
  exponential(mean: number): number;
  /** One of the items. Throws on an empty list. */
  pick<T>(items: readonly T[]): T;
  /** One index with probability proportional to its weight. */
  weighted(weights: readonly number[]): number;
  /** A shuffled copy (Fisher and Yates). */
  shuffle<T>(items: readonly T[]): T[];
  /**
   * An independent generator that depends on this one's seed and the name only, not on what was drawn before: adding a
   * draw in one place leaves all other places as they were.
   */
  fork(name: string): Random;
}

/** FNV-1a, 32 bits, over UTF-16 code units. */
export function hashText(text: string, start = 0x811c9dc5): number {
  let hash = start >>> 0;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}

function splitmix32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}

const rotateLeft = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));

function xoshiro128(seedLow: number, seedHigh: number): () => number {
  const low = splitmix32(seedLow);
  const high = splitmix32(seedHigh ^ 0x5bf03635);
  let [a, b, c, d] = [low(), high(), low(), high() | 1];
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return result;
  };
}

/** A generator from a whole number (53 bits count) or a text. */
export function seededRandom(seed: number | string): Random {
  const text = String(seed);
  return generator(hashText(text), hashText(text, 0x9747b28c));
}

function generator(seedLow: number, seedHigh: number): Random {
  const next = xoshiro128(seedLow, seedHigh);
  const float = () => ((next() >>> 5) * 67_108_864 + (next() >>> 6)) / 9_007_199_254_740_992;
  const random: Random = {
    float,
    int: (min, max) => min + Math.floor(float() * (max - min + 1)),
    chance: (probability) => float() < probability,
    normal(mean, deviation) {
      const radius = Math.sqrt(-2 * Math.log(1 - float()));
      return mean + deviation * radius * Math.cos(2 * Math.PI * float());
    },
    exponential: (mean) => -mean * Math.log(1 - float()),
    pick(items) {
      if (items.length === 0) throw new Error('pick from an empty list');
      return items[Math.floor(float() * items.length)] as (typeof items)[number];
    },
    weighted(weights) {
      let left = float() * weights.reduce((sum, weight) => sum + weight, 0);
      for (let index = 0; index < weights.length; index++) {
        left -= weights[index] ?? 0;
        if (left < 0) return index;
      }
      return weights.length - 1;
    },
    shuffle(items) {
      const copy = [...items];
      for (let last = copy.length - 1; last > 0; last--) {
        const other = Math.floor(float() * (last + 1));
        const kept = copy[last] as (typeof copy)[number];
        copy[last] = copy[other] as (typeof copy)[number];
        copy[other] = kept;
      }
      return copy;
    },
    fork: (name) => generator(hashText(name, seedLow), hashText(name, seedHigh)),
  };
  return random;
}
