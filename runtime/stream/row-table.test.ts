/** The table against a plain list of rows, with hashes that are good and with hashes that all but meet. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashOf } from './key-hash.ts';
import type { StateKey } from './operator-state.ts';
import { RowTable } from './row-table.ts';

const key = fc.oneof(
  { weight: 3, arbitrary: fc.nat(5) },
  { weight: 2, arbitrary: fc.nat(5).map(String) },
  { weight: 1, arbitrary: fc.constantFrom<StateKey>(-0, Number.NaN, 0.5, 2 ** 40, '', 'a\u0000', 'Bệnh viện') },
);
const move = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('add' as const), key, marked: fc.boolean() }) },
  // More than a page holds.
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('burst' as const), count: fc.integer({ min: 900, max: 2_200 }) }),
  },
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
      fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
        const table = new RowTable<number>();
        let model: Row[] = [];
        let departed = 0;
        const leave = (left: Row[]) => {
          departed += model.length - left.length;
          model = left;
        };
        const add = (of: StateKey, at: number, marked: boolean) => {
          const row = { key: of === 0 ? 0 : of, time: at / 2, until: at * 2, value: at, marked };
          const number = table.add(of, hash(of), row.time, row.until, at);
          expect([number, table.isMarked(number)]).toEqual([table.next - 1, false]);
          if (marked) table.mark(number);
          model.push(row);
        };
        for (const [at, one] of moves.entries()) {
          if (one.kind === 'add') add(one.key, at, one.marked);
          else if (one.kind === 'burst')
            for (let more = 0; more < one.count; more++) add(String(more % 40), at, more % 3 === 0);
          else if (one.kind === 'seek') {
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
      { numRuns: 60 },
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

  it('holds no more than a page of values that have left, and none on the page that is kept for others', () => {
    const table = new RowTable<{ at: number }>();
    const { pages } = table as unknown as { readonly pages: readonly { readonly values: readonly unknown[] }[] };
    const held = (page: (typeof pages)[number]) => page.values.filter((value) => value !== undefined);
    const addUntil = (until: number) => {
      for (let at = table.next; at < until; at++) table.add('H1', hashOf('H1'), 0, 0, { at });
    };
    const rows = 1_024;
    addUntil(3 * rows);
    table.dropBefore(2 * rows + 1);
    expect(pages.flatMap(held)).toEqual(Array.from({ length: rows }, (_, at) => ({ at: 2 * rows + at })));
    addUntil(3 * rows + 2);
    expect(pages.map((page) => held(page).length)).toEqual([rows, 2]);
    expect(table.find('H1', hashOf('H1'))).toBe(rows + 1);
  });

  it('has rows with large numbers, until they are numbered anew', () => {
    const table = new RowTable<number>();
    const far = 2 ** 30 - 1_024;
    Object.assign(table, { first: far, next: far, pagesGone: far / 1_024 });
    addMany(table, 1_023);
    expect(table.isWorn).toBe(false);
    addMany(table, 10);
    expect(table.isWorn).toBe(true);
    table.dropBefore(far + 1_000);
    expect(table.find(1_022, hashOf(1_022))).toBe(1);
    expect(table.find(5, hashOf(5))).toBe(1);
    table.retain(() => true);
    expect([table.isWorn, table.first, table.next]).toEqual([false, 0, 33]);
    expect(table.timeOf(table.newest(1_022, hashOf(1_022)))).toBe(1_022);
  });

  it('is worn when it has far more chains than rows, until it is laid anew', () => {
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
