/** A key as it is held says the same as the key of `eventKey`, and is its text again where it is written. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventColumns } from './event-columns.ts';
import { eventKey } from './event-key.ts';
import { heldKeys } from './held-keys.ts';
import { KeyedStateMap } from './keyed-state.ts';
import type { StateKey } from './operator-state.ts';

const value = fc.oneof(
  fc.constantFrom<unknown>(null, undefined, true, '', '0', '\u0000', 'n1;', 0, -0, 1, -1, 0.5, Number.NaN),
  fc.constantFrom<unknown>(2 ** 13, 2 ** 17, 2 ** 26 - 2 ** 15, 2 ** 26 - 1, 2 ** 26, 2 ** 31, 2 ** 40, { x: 1 }, [1]),
  fc.integer({ min: 0, max: 3 }),
  fc.string({ maxLength: 2 }),
);
const names = ['a', 'b of c', 'd', 'e', 'f'];
const events = fc.array(fc.record(Object.fromEntries(names.map((name) => [name, value]))), { maxLength: 60 });
const places = Array.from({ length: names.length + 1 }, (_, count) => names.slice(0, count));

describe.each(places.map((fields) => [fields.length, fields] as const))('a held key of %i fields', (_count, fields) => {
  it('is its text again, and each text has one', () => {
    fc.assert(
      fc.property(events, (list) => {
        const textOf = eventKey(fields);
        const keys = heldKeys(fields);
        const held = new Map<unknown, unknown>();
        for (const event of [...list, ...list]) {
          const key = keys.of(event) as StateKey;
          const text = textOf(event) as StateKey;
          expect(keys.written(key)).toEqual(text);
          expect(keys.held(text)).toEqual(key);
          expect(held.get(text) ?? key).toEqual(key);
          held.set(text, key);
        }
        expect(new Set(held.values()).size).toBe(held.size);
      }),
    );
  });
});

describe('a held key', () => {
  it('is a number where its values are small whole numbers and texts that come again', () => {
    expect(typeof heldKeys(['a', 'b']).of({ a: 60_000_000, b: 1 })).toBe('number');
    expect(typeof heldKeys(['a', 'b']).of({ a: 60_000_000, b: '2026-03-02' })).toBe('number');
    expect(typeof heldKeys(['a', 'b', 'c']).of({ a: 'H1', b: 'ED', c: 90_000 })).toBe('number');
  });

  it('is 0 where its values are -0', () => {
    const columns = new EventColumns(['a', 'b'], [[-0], [-0]], { length: 1 });
    const keys = heldKeys(['a', 'b']);
    expect([
      keys.of({ a: -0, b: -0 }),
      ...keys.ofAll(columns),
      keys.held(eventKey(['a', 'b'])({ a: 0, b: 0 })),
    ]).toEqual([0, 0, 0]);
  });

  it('stays a text where a field has very many texts, whatever came since', () => {
    const keys = heldKeys(['a', 'b']);
    const all = Array.from({ length: 34_000 }, (_, at) => ({ a: at % 7, b: `BN-${at}` }));
    const first = all.map(keys.of);
    expect(first.filter((key) => typeof key === 'number')).toHaveLength(32_768);
    expect(new Set(first).size).toBe(all.length);
    expect(all.map(keys.of)).toEqual(first);
    expect(first.map(keys.written)).toEqual(all.map(eventKey(['a', 'b'])));
  });

  it('stands in checkpoints as its text, and is found by it', () => {
    const fields = ['hospital', 'number'];
    const event = { hospital: 'H1', number: 7 };
    const text = eventKey(fields)(event);
    const keys = heldKeys(fields);
    const state = new KeyedStateMap<string>({ keys });
    state.set(keys.of(event), 'a value', 5);
    expect(state.snapshot().keys).toEqual([text]);
    expect(state.entryOfWritten(text)).toEqual({ value: 'a value', time: 5 });
    const other = heldKeys(fields);
    other.of({ hospital: 'another that came first', number: 7 });
    const restored = new KeyedStateMap<string>({ keys: other });
    restored.restore(state.snapshot());
    expect(restored.get(other.of(event))).toBe('a value');
    expect(restored.snapshot()).toEqual(state.snapshot());
  });
});
