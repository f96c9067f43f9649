/** A key is the same whatever came before, and unlike that of other values. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventKey, valuesOfKey } from './event-key.ts';
import type { Event } from './schema.ts';

const value = fc.oneof(
  fc.constantFrom('', 'H1', '1', 'n1;', '\u0000', null, undefined, true, 1, 0, -0, 0.5, Number.NaN),
  fc.integer({ min: 0, max: 20 }),
  fc.string({ maxLength: 6 }),
  fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 2 }),
);
const events = fc.array(fc.record({ a: value, b: value }), { minLength: 1, maxLength: 50 });
const fields = ['a', 'b'];

/** What a key is made of: absent and null are one, and so are 0 and -0. */
const textOf = ({ a, b }: Event) => JSON.stringify([a, b].map((one) => [typeof (one ?? null), String(one ?? null)]));

describe('the key of several fields', () => {
  it('does not depend on the events before', () => {
    const keyOf = eventKey(fields);
    fc.assert(
      fc.property(events, (list) => {
        for (const event of [...list, ...list]) expect(keyOf(event)).toBe(eventKey(fields)(event));
      }),
    );
  });

  it('is one for equal values, and another for others', () => {
    const keyOf = eventKey(fields);
    const texts = new Map<unknown, string>();
    fc.assert(
      fc.property(events, (list) => {
        for (const event of list) {
          const key = keyOf(event);
          expect(texts.get(key) ?? textOf(event)).toBe(textOf(event));
          texts.set(key, textOf(event));
        }
      }),
    );
    expect(new Set(texts.values()).size).toBe(texts.size);
  });

  it('gives its values back', () => {
    const keyOf = eventKey(fields);
    const plain = fc.record({
      a: fc.oneof(fc.string(), fc.integer(), fc.constant(null)),
      b: fc.oneof(fc.string(), fc.double()),
    });
    fc.assert(
      fc.property(plain, (event) => {
        const { a, b } = event;
        expect(valuesOfKey(keyOf(event), 2)).toEqual([a, Object.is(b, -0) ? 0 : b]);
      }),
    );
  });

  it('is remembered for more pairs than there is room', () => {
    const keyOf = eventKey(fields);
    for (let round = 0; round < 2; round++) {
      for (let a = 0; a < 6_000; a++) expect(valuesOfKey(keyOf({ a, b: `P${a}` }), 2)).toEqual([a, `P${a}`]);
    }
  });
});
