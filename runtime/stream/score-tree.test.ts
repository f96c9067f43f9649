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
          fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
        ),
      ),
      rows: fc.integer({ min: 1, max: 4 }),
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
            expected.push([...scores].filter(([, one]) => one === value).map(([one]) => one));
          }
          const inOrder = (numbers: number[]) => [...numbers].sort((a, b) => a - b);
          expect(tree.first()).toBe(sorted[0] ?? null);
          expect(tree.best(rows).map(inOrder)).toEqual(expected.map(inOrder));
        }
      }),
    );
  });
});
