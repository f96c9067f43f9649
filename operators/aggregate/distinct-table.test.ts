import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DistinctTable } from './distinct-table.ts';
import { aggregateLimits } from './limits.ts';

const width = 4;
const counts = [0, 1, 2] as const;
const places = { counts: 0, newest: 3 };
const number = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(0.5, -0, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 40, -(2 ** 40), Number.MAX_SAFE_INTEGER),
);
const text = fc.constantFrom('', 'An', 'Bình', '1');
const takesOf = (value: fc.Arbitrary<number | string>) =>
  fc.array(fc.record({ row: fc.integer({ min: 0, max: 4 }), value, marks: fc.integer({ min: 1, max: 7 }) }), {
    maxLength: 300,
  });

function expectLikeSets(takes: readonly { row: number; value: number | string; marks: number }[]): void {
  const table = new DistinctTable(places);
  const rows = new Float64Array(5 * width);
  const sets = Array.from({ length: 5 }, () => counts.map(() => new Set<number | string>()));
  for (const { row, value, marks } of takes) {
    table.take(rows, row * width, value, marks);
    for (const count of counts) if (marks & (1 << count)) sets[row]?.[count]?.add(value);
  }
  for (const [row, ofRow] of sets.entries()) {
    for (const [count, set] of ofRow.entries()) {
      expect(rows[row * width + count]).toBe(set.size);
      expect(new Set(table.valuesOf(rows, row * width, count))).toEqual(set);
    }
  }
}

describe('a table of distinct values', () => {
  it('counts as a set for each row and count does', () => {
    fc.assert(fc.property(takesOf(number), expectLikeSets));
    fc.assert(fc.property(takesOf(text), expectLikeSets));
  });

  it('finds what it has seen when it has grown', () => {
    const table = new DistinctTable(places);
    const rows = new Float64Array(2 * width);
    for (const round of [1, 2]) {
      for (let value = 0; value < 5_000; value++) table.take(rows, (value % 2) * width, value * 2 ** 20, round);
      expect([...rows]).toEqual([
        2_500,
        round === 1 ? 0 : 2_500,
        0,
        rows[3],
        2_500,
        round === 1 ? 0 : 2_500,
        0,
        rows[7],
      ]);
    }
    expect(table.valuesOf(rows, width, 1).slice(0, 3)).toEqual([2 ** 20, 3 * 2 ** 20, 5 * 2 ** 20]);
  });

  it('has room for no more values of a count than the bound, and for those that it has seen', () => {
    const { distinctValuesMax } = aggregateLimits;
    const table = new DistinctTable(places);
    const rows = new Float64Array(2 * width);
    for (let value = 1; value < distinctValuesMax; value++) table.take(rows, 0, value, 1);
    table.take(rows, 0, 0, 2);
    expect(table.mayRefuse(1)).toBe(false);
    expect(table.mayRefuse(2)).toBe(true);
    table.take(rows, 0, distinctValuesMax, 1);
    expect(table.mayRefuse(1)).toBe(true);
    expect(table.admits(rows, 0, 7, 0)).toBe(true);
    expect(table.admits(rows, 0, 0, 0)).toBe(false);
    expect(table.admits(rows, 0, 0, 1)).toBe(true);
    expect(table.admits(rows, width, 0, 0)).toBe(true);
  });
});
