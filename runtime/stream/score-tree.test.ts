import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ScoreTree } from './score-tree.ts';

describe('ScoreTree', () => {
  it('gives what sorting gives, whatever comes and goes', () => {
    const change = fc.record({
      number: fc.oneof(fc.nat({ max: 6 }), fc.nat({ max: 600 })),
      score: fc.option(
        fc.oneof(
          fc.integer({ min: -3, max: 3 }),
          fc.integer({ min: -40, max: 40 }),
          fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
        ),
      ),
      rows: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.nat({ max: 100 })),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), fc.boolean(), (changes, ascending) => {
        const tree = new ScoreTree({ ascending });
        const scores = new Map<number, number>();
        for (const { number, score, rows } of changes) {
          if (score === null || !Number.isFinite(score)) scores.delete(number);
          else scores.set(number, score);
          tree.set(number, score);
          const sorted = [...new Set(scores.values())].sort((a, b) => (ascending ? a - b : b - a));
          const expected: number[][] = [];
          for (const value of sorted) {
            if (expected.flat().length >= rows) break;
            const equals = [...scores].filter(([, one]) => one === value).map(([one]) => one);
            expected.push(equals.sort((a, b) => a - b));
          }
          expect(tree.first()).toBe(sorted[0] ?? null);
          expect(tree.best(rows)).toEqual(expected);
        }
      }),
    );
  });

  it('gives the same of many scores, with many that are equal', () => {
    const score = fc.integer({ min: 0, max: 200 });
    const some = fc.array(fc.tuple(fc.nat({ max: 2_000 }), fc.option(score)), { minLength: 400, maxLength: 600 });
    fc.assert(
      fc.property(some, some, fc.integer({ min: 20, max: 700 }), fc.boolean(), (before, after, rows, ascending) => {
        const tree = new ScoreTree({ ascending });
        const scores = new Map<number, number>();
        for (const changes of [before, after]) {
          for (const [number, one] of changes) {
            tree.set(number, one);
            if (one === null) scores.delete(number);
            else scores.set(number, one);
          }
          const sorted = [...scores].sort(([a, x], [b, y]) => (ascending ? x - y : y - x) || a - b);
          const last = sorted[rows - 1]?.[1];
          const isAfter = (one: number) => last !== undefined && (ascending ? one > last : one < last);
          const found = tree.best(rows);
          expect(found.flat()).toEqual(sorted.filter(([, one]) => !isAfter(one)).map(([number]) => number));
          expect(found.map((numbers) => new Set(numbers.map((number) => scores.get(number))).size)).toEqual(
            found.map(() => 1),
          );
        }
      }),
      { numRuns: 50 },
    );
  });
});
