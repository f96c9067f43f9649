/** The table against a plain list of rows, with hashes that are good and with hashes that all but meet. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StateKey } from './definition.ts';
import { hashOf } from './key-hash.ts';
import { RowTable } from './row-table.ts';

const key = fc.oneof(
  { weight: 3, arbitrary: fc.nat(5) },
  { weight: 2, arbitrary: fc.nat(5).map(String) },
  { weight: 1, arbitrary: fc.constantFrom<StateKey>(-0, Number.NaN, 0.5, 2 ** 40, '', 'a\u0000', 'Bệnh viện') },
);
const move = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('add' as const), key, marked: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('seek' as const), key }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('drop' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('retain' as const), parts: fc.integer({ min: 1, max: 3 }) }) },
);

interface Row {
  readonly key: StateKey;
  readonly time: number;
  readonly until: number;
  readonly value: number;
  readonly marked: boolean;
}

const sameKey = (a: StateKey, b: StateKey) => a === b || (Number.isNaN(a) && Number.isNaN(b));

const readRow = (table: RowTable<number>, row: number): Row => ({
  key: table.keyOf(row),
  time: table.timeOf(row),
  until: table.untilOf(row),
  value: table.valueOf(row),
  marked: table.isMarked(row),
});

function allRows(table: RowTable<number>): Row[] {
  return Array.from({ length: table.size }, (_, at) => readRow(table, table.first + at));
}

describe.each([
  ['hashes as they are', 0],
  ['three hashes for all keys', 3],
  ['one hash for all keys', 1],
])('a table of rows, with %s', (_name, kinds) => {
  const hash = (of: StateKey) => (kinds > 0 ? hashOf(of) % kinds : hashOf(of));

  function found(table: RowTable<number>, of: StateKey): Row[] {
    const count = table.find(of, hash(of));
    return table.found.slice(0, count).map((row) => readRow(table, row));
  }

  function foundOneByOne(table: RowTable<number>, of: StateKey): Row[] {
    const rows: Row[] = [];
    for (let row = table.newest(of, hash(of)); row >= 0; row = table.older(row)) rows.push(readRow(table, row));
    return rows;
  }

  it('finds the rows of a key from the newest to the oldest, whatever came and left before', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 300 }), (moves) => {
        const table = new RowTable<number>();
        let model: Row[] = [];
        let departed = 0;
        const leave = (left: Row[]) => {
          departed += model.length - left.length;
          model = left;
        };
        for (const [at, one] of moves.entries()) {
          if (one.kind === 'add') {
            const { marked } = one;
            const row = { key: one.key === 0 ? 0 : one.key, time: at / 2, until: at * 2, value: at, marked };
            const number = table.add(one.key, hash(one.key), row.time, row.until, at);
            expect(number).toBe(table.next - 1);
            expect(table.isMarked(number)).toBe(false);
            if (marked) table.mark(number);
            model.push(row);
          } else if (one.kind === 'seek') {
            const expected = model.filter((row) => sameKey(row.key, one.key)).reverse();
            expect(found(table, one.key)).toEqual(expected);
            expect(foundOneByOne(table, one.key)).toEqual(expected);
            expect(table.crowdOf(hash(one.key))).toBeGreaterThanOrEqual(expected.length);
          } else if (one.kind === 'drop') {
            const count = Math.floor(one.share * model.length);
            table.dropBefore(table.first + count);
            leave(model.slice(count));
          } else {
            const { first } = table;
            table.retain((row) => (row - first) % one.parts === 0);
            leave(model.filter((_, row) => row % one.parts === 0));
            expect(table.first).toBe(0);
          }
          expect([table.size, table.departed]).toEqual([model.length, departed]);
        }
        expect(allRows(table)).toEqual(model);
        const keys = model.filter((row, at) => model.findIndex((other) => sameKey(other.key, row.key)) === at);
        expect([...table.eachKey()]).toEqual(keys.map((row) => row.key));
      }),
    );
  });
});

describe('a table of rows', () => {
  const addMany = (table: RowTable<number>, count: number) => {
    for (let at = 0; at < count; at++) table.add(at, hashOf(at), at, at, at);
  };

  it('counts a key no more once its rows have left', () => {
    const table = new RowTable<number>();
    for (let at = 0; at < 100; at++) table.add('H1', hashOf('H1'), at, at, at);
    table.dropBefore(90);
    expect(table.crowdOf(hashOf('H1'))).toBe(10);
    table.retain((row) => row >= 95);
    expect(table.crowdOf(hashOf('H1'))).toBe(5);
  });

  it.each([0, 5, 16])('holds no value of a row that has left, also in a ring that grew when %i had left', (before) => {
    const table = new RowTable<{ at: number }>();
    const held = () =>
      Object.values(table)
        .flatMap((column) => (Array.isArray(column) ? column : []))
        .flatMap((value) => (typeof value?.at === 'number' ? [value.at] : []));
    let next = 0;
    const addUntil = (until: number) => {
      for (; next < until; next++) table.add('H1', hashOf('H1'), 0, 0, { at: next });
    };
    addUntil(16);
    table.dropBefore(before);
    addUntil(before + 16);
    addUntil(before + 17);
    expect(held().sort((a, b) => a - b)).toEqual(Array.from({ length: 17 }, (_, at) => before + at));
    table.dropBefore(before + 12);
    addUntil(before + 40);
    table.dropBefore(before + 38);
    expect(held().sort((a, b) => a - b)).toEqual([before + 38, before + 39]);
  });

  it('is worn when most of its room is free, until it is laid anew', () => {
    const table = new RowTable<number>();
    addMany(table, 10_000);
    table.dropBefore(table.next - 2_100);
    expect(table.isWorn).toBe(false);
    table.dropBefore(table.next - 100);
    expect(table.isWorn).toBe(true);
    table.retain(() => true);
    expect(table.isWorn).toBe(false);
    expect(allRows(table).map(({ value }) => value)).toEqual(Array.from({ length: 100 }, (_, at) => 9_900 + at));
  });
});
