import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from './random.ts';

const draws = (seed: number | string, count = 8) => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => random.int(0, 999_999));
};

describe('seededRandom', () => {
  it('gives the same draws for a seed, on every machine and in every version', () => {
    expect(draws(42)).toEqual(draws(42));
    expect(draws(42)).not.toEqual(draws(43));
    expect(draws(2 ** 40)).not.toEqual(draws(2 ** 40 + 1));
    expect(draws('ward', 4)).toMatchInlineSnapshot(`
      [
        1431,
        971743,
        46340,
        480550,
      ]
    `);
  });

  it('forks by name, independent of what was drawn before', () => {
    const one = seededRandom(7);
    const other = seededRandom(7);
    other.float();
    expect(one.fork('acks').int(0, 1e9)).toBe(other.fork('acks').int(0, 1e9));
    expect(one.fork('acks').int(0, 1e9)).not.toBe(one.fork('delays').int(0, 1e9));
  });

  it('stays within its ranges', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: -1000, max: 1000 }), fc.nat(1000), (seed, min, span) => {
        const random = seededRandom(seed);
        for (let draw = 0; draw < 50; draw++) {
          const whole = random.int(min, min + span);
          expect(whole).toBeGreaterThanOrEqual(min);
          expect(whole).toBeLessThanOrEqual(min + span);
          const float = random.float();
          expect(float).toBeGreaterThanOrEqual(0);
          expect(float).toBeLessThan(1);
        }
      }),
    );
  });

  it('is uniform, normal and exponential within what 20,000 draws allow', () => {
    const random = seededRandom(1);
    const count = 20_000;
    const mean = (draw: () => number) =>
      Array.from({ length: count }, draw).reduce((sum, value) => sum + value, 0) / count;
    expect(mean(() => random.float())).toBeCloseTo(0.5, 1);
    expect(mean(() => random.normal(10, 2))).toBeCloseTo(10, 0);
    expect(mean(() => random.exponential(3))).toBeGreaterThan(2.9);
    expect(mean(() => random.exponential(3))).toBeLessThan(3.1);
    const buckets = [0, 0, 0, 0];
    for (let draw = 0; draw < count; draw++) {
      const index = random.weighted([1, 2, 3, 4]);
      buckets[index] = (buckets[index] ?? 0) + 1;
    }
    buckets.forEach((hits, index) => expect(Math.abs(hits / count - (index + 1) / 10)).toBeLessThan(0.02));
  });

  it('shuffles without losing anything', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(fc.integer()), (seed, items) => {
        const shuffled = seededRandom(seed).shuffle(items);
        expect([...shuffled].sort()).toEqual([...items].sort());
      }),
    );
    expect(() => seededRandom(1).pick([])).toThrow('empty');
  });
});
