/** What is known of keys and rows near a bound, against a plain count. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashOf, RowTable, type StateKey } from '../../runtime/stream/index.ts';
import { Bounds } from './bounds.ts';

const side = fc.constantFrom('lefts' as const, 'rights' as const);
const share = fc.double({ min: 0, max: 1, noNaN: true });
const move = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('add' as const), side, key: fc.nat(12) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('drop' as const), side, share }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('retain' as const), side, parts: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('count' as const) }) },
);

/** With one hash for all keys every count of rows is near its bound. */
describe.each([hashOf, () => 7])('the bounds of a join', (hash) => {
  it('hold exactly: another key or row comes in where there is place, and not where there is none', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 200 }), fc.integer({ min: 1, max: 12 }), (moves, keysMax) => {
        const rowsMax = 4;
        const tables = { lefts: new RowTable<number>(), rights: new RowTable<number>() };
        const model: Record<keyof typeof tables, StateKey[]> = { lefts: [], rights: [] };
        const bounds = new Bounds(tables.lefts, tables.rights);
        const all = () => [...model.lefts, ...model.rights];
        for (const one of moves) {
          if (one.kind === 'add') {
            const { key } = one;
            const isKnown = all().includes(key);
            const keys = new Set(all()).size;
            if (!isKnown) expect(bounds.hasPlace(keysMax)).toBe(keys < keysMax);
            if (!isKnown && keys >= keysMax) continue;
            const rows = all().filter((other) => other === key).length;
            const isTaken = bounds.takesRow(key, hash(key), rowsMax);
            expect(isTaken).toBe(rows < rowsMax);
            if (!isTaken) continue;
            tables[one.side].add(key, hash(key), 0, 0, 0);
            model[one.side].push(key);
          } else if (one.kind === 'drop') {
            const count = Math.floor(one.share * model[one.side].length);
            tables[one.side].dropBefore(tables[one.side].first + count);
            model[one.side].splice(0, count);
          } else if (one.kind === 'retain') {
            const { first } = tables[one.side];
            tables[one.side].retain((row) => (row - first) % one.parts === 0);
            model[one.side] = model[one.side].filter((_, at) => at % one.parts === 0);
          } else {
            const keys = new Set(all()).size;
            expect(bounds.keysAtMost()).toBeGreaterThanOrEqual(keys);
            if (all().length === 0) expect(bounds.keysAtMost()).toBe(0);
          }
          expect(bounds.rows).toBe(all().length);
        }
      }),
    );
  });

  it('count the keys of both sides once, and those that come later with them', () => {
    const [lefts, rights] = [new RowTable<number>(), new RowTable<number>()];
    const bounds = new Bounds(lefts, rights);
    const add = (rows: RowTable<number>, key: StateKey) => rows.add(key, hash(key), 0, 0, 0);
    for (let key = 0; key < 40; key++) add(key % 2 === 0 ? lefts : rights, key);
    expect(bounds.keysAtMost()).toBe(40);
    for (let key = 0; key < 60; key++) for (const rows of [lefts, rights]) add(rows, key);
    expect(bounds.keysAtMost()).toBe(60);
    lefts.retain(() => false);
    rights.dropBefore(rights.first + 70);
    expect(bounds.keysAtMost()).toBe(10);
  });
});
