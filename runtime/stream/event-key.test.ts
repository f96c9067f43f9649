/** Keys of several fields are the same text whether it was made before or not, and can be read back. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventKey, hashOfKey, valuesOfKey } from './event-key.ts';
import { hashText } from './hash.ts';
import { hashOf } from './key-hash.ts';

const fields = ['a', 'b', 'c'];
const value = fc.oneof(
  fc.constantFrom<unknown>(null, undefined, true, '', '\u0000', ';', 'n1;', 's1:a', 0, -0, 1, 0.5, Number.NaN, 2 ** 40),
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom({ x: 1 }, { x: 2 }, [1, ';'], [2, ';']),
  fc.string({ maxLength: 2 }),
);
const events = fc.array(fc.record({ a: value, b: value, c: value }), { maxLength: 60 });

it('of one field is 0 where the field is -0, as in a checkpoint', () => {
  expect(eventKey(['a'])({ a: -0 })).toBe(0);
});

it('has the hash of its text, which need not be made for it', () => {
  const any = fc.oneof(value, fc.integer(), fc.double(), fc.string({ unit: 'binary', maxLength: 12 }));
  fc.assert(
    fc.property(fc.array(any, { maxLength: 3 }), (values) => {
      const names = fields.slice(0, values.length);
      const event = Object.fromEntries(names.map((name, at) => [name, values[at]]));
      const text = String(eventKey(names)(event));
      expect(hashOfKey(values.map((each) => each ?? null))).toBe(hashText(text)[0]);
    }),
  );
});

describe('the key of several fields', () => {
  it('is the same whatever keys were made before', () => {
    fc.assert(
      fc.property(events, (list) => {
        const keyOf = eventKey(fields);
        for (const event of [...list, ...list]) {
          const key = keyOf(event);
          const hash = hashOf(key);
          expect(key).toBe(eventKey(fields)(event));
          hashOf('another');
          expect(hashOf(`${key}`)).toBe(hash);
        }
      }),
    );
  });

  it('is told from every other, many more than are kept at hand', () => {
    const keyOf = eventKey(['a', 'b']);
    const all = Array.from({ length: 5_000 }, (_, at) => ({ a: at % 71, b: `H${Math.floor(at / 71)}` }));
    const keys = all.map(keyOf);
    expect(new Set(keys).size).toBe(all.length);
    expect(all.map(keyOf)).toEqual(keys);
  });

  it('gives its values back', () => {
    fc.assert(
      fc.property(events, (list) => {
        const keyOf = eventKey(fields);
        for (const { a, b, c } of list) {
          const values = [a, b, c].map((one) => (Object.is(one, -0) ? 0 : (one ?? null)));
          expect(valuesOfKey(keyOf({ a, b, c }), fields.length)).toEqual(values);
        }
      }),
    );
  });
});
