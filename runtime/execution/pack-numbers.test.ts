import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packNumbers, unpackNumbers } from './pack-numbers.ts';

const time = 1_700_000_000_000;
const near = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const number = fc.oneof(
  { weight: 8, arbitrary: near.map((offset) => time + offset) },
  { weight: 1, arbitrary: fc.double() },
  { weight: 1, arbitrary: fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 2 ** 53 - 1, 0.1) },
);

describe('packed numbers', () => {
  it('come back as they were, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(number, { maxLength: 8 }), (list) => {
        const back = [...unpackNumbers(packNumbers(Float64Array.from(list)))];
        expect(back.length).toBe(list.length);
        for (const [at, value] of list.entries()) expect(Object.is(back[at], value)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['times', [time, time - 5_000, time + 2 ** 31 - 1], true],
    ['steps of one from a fraction', [0.5, 1.5, -7.5], true],
    ['what never comes', [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY], true],
    ['times too far apart', [time, time + 2 ** 31], false],
    ['fractions', [1, 1.5], false],
    ['both zeros', [0, -0], false],
    ['no number', [Number.NaN], false],
  ])('take half the room where they lie near each other: %s', (_, list, isHalf) => {
    const packed = packNumbers(Float64Array.from(list));
    expect(packed instanceof Float64Array).toBe(!isHalf);
  });
});
