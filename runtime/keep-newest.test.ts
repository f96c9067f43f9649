import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keepNewest } from './keep-newest.ts';

const step = fc.record({ key: fc.nat({ max: 20 }), comes: fc.boolean() });

describe('keepNewest', () => {
  it.each([0, 1, 5])('leaves the newest %i, whatever else is taken out and comes again', (countMax) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const kept = new Map<number, true>();
        const forgetOldest = keepNewest(kept, countMax);
        let expected: number[] = [];
        for (const { key, comes } of steps) {
          if (comes && !expected.includes(key)) expected.push(key);
          else if (!comes) expected = expected.filter((one) => one !== key);
          if (comes) kept.set(key, true);
          else kept.delete(key);
          const gone = Math.max(0, expected.length - countMax);
          expected = expected.slice(gone);
          expect(forgetOldest()).toBe(gone);
          expect([...kept.keys()]).toEqual(expected);
        }
      }),
    );
  });

  it('takes out as many as there are too many, of a set as well', () => {
    const kept = new Set(['a', 'b', 'c', 'd']);
    expect(keepNewest(kept, 1)()).toBe(3);
    expect([...kept]).toEqual(['d']);
  });
});
