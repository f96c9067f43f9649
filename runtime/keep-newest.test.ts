import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keepNewest } from './keep-newest.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

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

  it.each([
    { kind: 'that never had too many', before: 0 },
    { kind: 'that had too many before', before: 12 },
  ])('keeps nothing of what came and went in a map $kind', async ({ before }) => {
    const countMax = 10;
    const kept = new Map<number, object>();
    const forgetOldest = keepNewest(kept, countMax);
    for (let key = 0; key < before; key++) {
      kept.set(100 + key, {});
      forgetOldest();
    }
    const came: WeakRef<object>[] = [];
    // Each comes in the place of one: the map's table is laid anew again and again.
    for (let turn = 0; turn < 2_000; turn++) {
      const [oldest = 0] = kept.size < countMax ? [] : kept.keys();
      kept.delete(oldest);
      const value = {};
      came.push(new WeakRef(value));
      kept.set(turn, value);
      forgetOldest();
    }
    // What a reference was made of lives until the turn is over.
    await new Promise(setImmediate);
    collectGarbage();
    expect(came.filter((value) => value.deref() !== undefined)).toHaveLength(countMax);
  });

  it('takes out as many as there are too many, of a set as well', () => {
    const kept = new Set(['a', 'b', 'c', 'd']);
    expect(keepNewest(kept, 1)()).toBe(3);
    expect([...kept]).toEqual(['d']);
  });
});
