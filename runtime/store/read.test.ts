import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStore, type TestStore } from '../testing/with-store.ts';

const bounds = { timeSecondsMax: 10, rowsMax: 1_000, bytesMax: 1_000_000 };

describe('a query that only looks', () => {
  let test: TestStore;

  beforeAll(async () => {
    test = await startTestStore();
    await test.store.command('CREATE TABLE seen (at DateTime64(3), n UInt64) ENGINE = MergeTree ORDER BY at');
    await test.store.command("INSERT INTO seen VALUES ('2026-03-02 00:00:00.250', 9007199254740991)");
  });

  afterAll(() => test.stop());

  it('gives columns with their types, times in UTC and whole numbers as numbers', async () => {
    const sql = "SELECT at, toTimeZone(at, 'Asia/Ho_Chi_Minh') AS there, n, nan AS no FROM seen";
    const { columns, rows } = await test.store.read(sql, bounds);
    expect(columns.map(({ name }) => name)).toEqual(['at', 'there', 'n', 'no']);
    expect(columns[1]?.type).toBe("DateTime64(3, 'Asia/Ho_Chi_Minh')");
    const time = '2026-03-02T00:00:00.250Z';
    expect(rows).toEqual([[time, time, 9_007_199_254_740_991, null]]);
  });

  it.each([
    'INSERT INTO seen SELECT now64(3), 1',
    'DROP TABLE seen',
    'CREATE TABLE more (n UInt8) ENGINE = Memory',
    "INSERT INTO FUNCTION file('x.csv', 'CSV', 'n UInt8') SELECT 1",
  ])('refuses %s, and the next query may write again', async (sql) => {
    await expect(test.store.read(sql, bounds)).rejects.toMatchObject({ code: 'MACH3107' });
    expect(await test.store.query('SELECT count() AS n FROM seen')).toEqual([{ n: 1 }]);
    await test.store.command('CREATE TABLE IF NOT EXISTS other (n UInt8) ENGINE = Memory');
  });

  it('refuses a result that is larger than its bounds', async () => {
    const { rows } = await test.store.read('SELECT number FROM numbers(1000)', bounds);
    expect(rows).toHaveLength(1_000);
    await expect(test.store.read('SELECT number FROM numbers(1001)', bounds)).rejects.toThrow('code 396');
    const wide = 'SELECT repeat(toString(number), 10000) FROM numbers(500)';
    await expect(test.store.read(wide, bounds)).rejects.toMatchObject({ code: 'MACH3107' });
    const repeated = "SELECT repeat('x', 10000) FROM numbers(500)";
    await expect(test.store.read(repeated, bounds)).rejects.toThrow('larger than 1000000 bytes');
  });

  it('ends a query that takes longer than it may', async () => {
    const endless = 'SELECT max(sipHash64(number)) FROM numbers(1000000000000)';
    await expect(test.store.read(endless, { ...bounds, timeSecondsMax: 1 })).rejects.toThrow(/code 159/);
  });
});
