/** The table against a plain list of rows, with hashes that are good and with hashes that all but meet. */
import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { StateKey } from './definition.ts';
import type * as hashes from './key-hash.ts';
import { RowTable } from './row-table.ts';

const hashing = vi.hoisted(() => ({ kinds: 0 }));
vi.mock('./key-hash.ts', async (original) => {
  const real = await original<typeof hashes>();
  return { hashOf: (key: StateKey) => (hashing.kinds > 0 ? real.hashOf(key) % hashing.kinds : real.hashOf(key)) };
});

const key = fc.oneof(
  { weight: 3, arbitrary: fc.nat(5) },
  { weight: 2, arbitrary: fc.nat(5).map(String) },
  { weight: 1, arbitrary: fc.constantFrom<StateKey>(-0, Number.NaN, 0.5, 2 ** 40, '', 'a\u0000', 'Bệnh viện') },
);
const move = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('add' as const), key, twin: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('seek' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('count' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('retain' as const), parts: fc.integer({ min: 1, max: 3 }) }) },
);

interface Row {
  readonly key: StateKey;
  readonly time: number;
  readonly value: number;
}

const sameKey = (a: StateKey, b: StateKey) => a === b || (Number.isNaN(a) && Number.isNaN(b));

function rowsOf(table: RowTable<number>, of: StateKey): number[] {
  const rows: number[] = [];
  for (let row = table.first(of); row >= 0; row = table.after(row)) rows.push(row);
  return rows;
}

const readRow = ({ keys, times, values }: RowTable<number>, row: number) => ({
  key: keys[row],
  time: times[row],
  value: values[row],
});

describe.each([
  ['hashes as they are', 0],
  ['three hashes for all keys', 3],
  ['one hash for all keys', 1],
])('a table of rows, with %s', (_name, kinds) => {
  beforeEach(() => {
    hashing.kinds = kinds;
  });

  it('finds the rows of a key in the order in which they came, indexed or not', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 300 }), (moves) => {
        const table = new RowTable<number>();
        const twin = new RowTable<number>();
        RowTable.pair(table, twin);
        let model: Row[] = [];
        const twinKeys = new Set<StateKey>();
        for (const [at, one] of moves.entries()) {
          if (one.kind === 'add') {
            if (one.twin) {
              twin.add(one.key, at, at);
              twinKeys.add(one.key);
              continue;
            }
            const row = { key: one.key === 0 ? 0 : one.key, time: at / 2, value: at };
            expect(table.add(one.key, row.time, at)).toBe(model.length);
            model.push(row);
          } else if (one.kind === 'seek') {
            const found = rowsOf(table, one.key).map((row) => readRow(table, row));
            expect(found).toEqual(model.filter((row) => sameKey(row.key, one.key)));
          } else if (one.kind === 'count') {
            const count = model.filter((row) => sameKey(row.key, one.key)).length;
            expect(table.crowdOf(one.key)).toBeGreaterThanOrEqual(count);
            expect(table.countOf(one.key)).toBe(count);
            expect(table.countKeys()).toBe(new Set([...model.map((row) => row.key), ...twinKeys]).size);
            expect(twin.countKeys()).toBe(table.countKeys());
          } else {
            table.retain((row) => row % one.parts === 0);
            model = model.filter((_, row) => row % one.parts === 0);
          }
          expect(table.size).toBe(model.length);
        }
        expect(model.map((_, row) => readRow(table, row))).toEqual(model);
        expect([...table.eachKey()]).toEqual([...new Set(model.map((row) => row.key))]);
      }),
    );
  });

  it('keeps what was noted of rows with them', () => {
    const table = new RowTable<number>();
    for (let row = 0; row < 40; row++) {
      table.add(row % 4, row, row);
      table.marks[row] = row % 2;
    }
    table.retain((row) => table.marks[row] === 1 && row >= 20);
    expect(table.times).toEqual([21, 23, 25, 27, 29, 31, 33, 35, 37, 39]);
    expect(table.marks).toEqual(Array.from({ length: 10 }, () => 1));
    expect(rowsOf(table, 1).map((row) => table.times[row])).toEqual([21, 25, 29, 33, 37]);
  });
});
