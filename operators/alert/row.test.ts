import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type FieldType, keyOfValue } from '../../runtime/stream/index.ts';
import { alertId } from './row.ts';

const raisedAt = Date.UTC(2026, 2, 2, 8);

function idOf(kind: 'string' | 'int' | 'float' | 'json', hospital: unknown): string {
  const type: FieldType = { kind };
  return alertId('waits', { key: ['hospital'], input: { fields: { hospital: { type } } } }, { hospital }, raisedAt);
}

it.each([
  ['Chợ Rẫy', 'Ch%E1%BB%A3%20R%E1%BA%ABy'],
  ['a/b,c%', 'a%2Fb%2Cc%25'],
  ['😀', '%F0%9F%98%80'],
  // No URI has half a pair of characters, and no key may stop the engine.
  ['x\ud83d', 'x%uD83D'],
  ['\ude00x', '%uDE00x'],
  ['\ud83d\ud83d\ude00', '%uD83D%F0%9F%98%80'],
])('an alert is named by its key: %j', (hospital, written) => {
  expect(idOf('string', hospital)).toBe(`waits/${written}/2026-03-02T08:00:00.000Z`);
});

it.each([
  ['int', 7, '7'],
  ['int', -0, '0'],
  ['float', 10.5, '10.5'],
  ['float', 10.12345, '10.12345'],
  ['string', '1', '1'],
  ['json', 1, '1'],
  ['json', '1', '%221%22'],
  ['json', '"1"', '%22%5C%221%5C%22%22'],
  ['json', [1], '%5B1%5D'],
  ['json', '[1]', '%22%5B1%5D%22'],
  ['json', 'H1', 'H1'],
] as const)('a key of a %s in an id: %j', (kind, value, written) => {
  expect(idOf(kind, value)).toBe(`waits/${written}/2026-03-02T08:00:00.000Z`);
});

it('two keys have two ids', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.json());
  const value = fc.oneof(fc.jsonValue(), fc.double({ noNaN: true }), text).filter((one) => one !== null);
  const json = fc.oneof(
    fc.tuple(value, value),
    // A value, and the text that reads the same.
    value.map((one) => [one, JSON.stringify(one)] as const),
  );
  fc.assert(
    fc.property(json, ([one, other]) => {
      expect(idOf('json', one) === idOf('json', other)).toBe(keyOfValue(one) === keyOfValue(other));
    }),
    { numRuns: 500 },
  );
});
