import { describe, expect, it } from 'vitest';
import { inOrderOf } from './number-order.ts';

/** Places sorted by a function that looks at each pair. */
function sorted(values: Float64Array): number[] {
  return [...values.keys()].sort((one, other) => (values[one] as number) - (values[other] as number));
}

/** The same numbers in each run. */
function draws(count: number, below: number): Float64Array {
  let state = 7;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 48_271) >>> 0) % 2_147_483_647;
    return state % below;
  });
}

describe('order by numbers', () => {
  it.each([
    ['none', new Float64Array()],
    ['one', Float64Array.of(3)],
    ['rising ones, some equal', Float64Array.of(-1, 0, 0, 5)],
    ['many, most of them equal to others', draws(5_000, 97)],
    ['times', draws(5_000, 86_400_000).map((value) => value + 1_800_000_000_000)],
    ['below zero', draws(1_000, 1_000).map((value) => value - 500)],
    ['fractions', draws(1_000, 1_000).map((value) => value / 8)],
    ['so far apart that value and place do not fit in one number', draws(1_000, 1_000).map((value) => value * 2 ** 43)],
    ['without bound', Float64Array.of(Number.POSITIVE_INFINITY, 4, Number.NEGATIVE_INFINITY, 1)],
  ])('is that of a sort by pairs: %s', (_, values) => {
    expect([...inOrderOf(values)]).toEqual(sorted(values));
  });

  it('leaves equal values in the order that they had before', () => {
    const first = draws(3_000, 40);
    const second = draws(6_000, 40).subarray(3_000);
    const expected = [...first.keys()].sort(
      (one, other) =>
        (first[one] as number) - (first[other] as number) ||
        (second[one] as number) - (second[other] as number) ||
        one - other,
    );
    expect([...inOrderOf(first, inOrderOf(second))]).toEqual(expected);
  });

  it('changes nothing that it is given', () => {
    const values = Float64Array.of(3, 1, 2);
    const places = Uint32Array.of(2, 0, 1);
    expect([...inOrderOf(values, places)]).toEqual([1, 2, 0]);
    expect([...values, ...places]).toEqual([3, 1, 2, 2, 0, 1]);
  });
});
