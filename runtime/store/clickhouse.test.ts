import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import type { MachError } from '../errors.ts';
import { defineSchema, field } from '../stream/schema.ts';
import { startTestStore, type TestStore } from '../testing/with-store.ts';
import { connectStore } from './clickhouse.ts';
import { RefusedRowsError } from './errors.ts';
import { openStore, parseStoreUrl } from './index.ts';
import type { Rows, TableSpec } from './store.ts';

let test: TestStore;
beforeAll(async () => {
  test = await startTestStore();
});
afterAll(() => test.stop());

const everyType = defineSchema({
  text: field.string({ description: "Tên bệnh viện, có dấu ' và \\" }),
  text_or_null: field.string({ nullable: true }),
  repeated: field.string({ repeated: true }),
  repeated_or_null: field.string({ repeated: true, nullable: true }),
  level: field.string({ values: ['red', 'green'] }),
  flag: field.bool(),
  flag_or_null: field.bool({ nullable: true }),
  count: field.int({ unit: 'beds' }),
  count_or_null: field.int({ nullable: true }),
  share: field.float(),
  share_or_null: field.float({ nullable: true }),
  at: field.timestamp(),
  at_or_null: field.timestamp({ nullable: true }),
  took: field.duration(),
  took_or_null: field.duration({ nullable: true }),
  names: field.list({ kind: 'string' }),
  grid: field.list({ kind: 'list', of: { kind: 'int' } }, { nullable: true }),
  place: field.record({ ward: field.string(), bed: field.int() }),
  rest: field.json({ nullable: true }),
});

function tableOf(name: string, more: Partial<TableSpec> = {}): TableSpec {
  return { name, schema: everyType, orderBy: ['repeated', 'at'], timeField: 'at', rows: 'append', ...more };
}

const simple = (name: string, more: Partial<TableSpec> = {}): TableSpec => ({
  name,
  schema: defineSchema({ hospital: field.string({ repeated: true }), beds: field.int(), at: field.timestamp() }),
  orderBy: ['hospital'],
  rows: 'append',
  ...more,
});

const at = Date.UTC(2026, 2, 2);

function rowsOf(events: readonly Record<string, unknown>[], firstSequence = 1): Rows {
  const origins = events.map((_event, index) => ({
    stage: 's1',
    partition: 0,
    sequence: firstSequence + index,
    index: 0,
  }));
  return { events, origins };
}

const beds = (count: number, first = 0) =>
  rowsOf(Array.from({ length: count }, (_, index) => ({ hospital: `H${index % 7}`, beds: first + index, at })));

async function countOf(table: string): Promise<number> {
  const [row] = await test.store.query<{ n: number }>(`SELECT count() AS n FROM ${table}`);
  return row?.n ?? -1;
}

const codeOf = (error: unknown) => (error as MachError).code;

describe('tables', () => {
  it('have the types of the schema, comments and the columns of origin', async () => {
    await test.store.ensureTable(tableOf('every_type'));
    const columns = await test.store.query<{ name: string; type: string; comment: string }>(
      "SELECT name, type, comment FROM system.columns WHERE table = 'every_type'",
    );
    expect(Object.fromEntries(columns.map(({ name, type }) => [name, type]))).toEqual({
      text: 'String',
      text_or_null: 'Nullable(String)',
      repeated: 'LowCardinality(String)',
      repeated_or_null: 'LowCardinality(Nullable(String))',
      level: 'LowCardinality(String)',
      flag: 'Bool',
      flag_or_null: 'Nullable(Bool)',
      count: 'Int64',
      count_or_null: 'Nullable(Int64)',
      share: 'Float64',
      share_or_null: 'Nullable(Float64)',
      at: "DateTime64(3, 'UTC')",
      at_or_null: "Nullable(DateTime64(3, 'UTC'))",
      took: 'Int64',
      took_or_null: 'Nullable(Int64)',
      names: 'Array(String)',
      grid: 'Array(Array(Int64))',
      place: 'String',
      rest: 'Nullable(String)',
      _stage: 'LowCardinality(String)',
      _partition: 'UInt16',
      _sequence: 'UInt64',
      _index: 'UInt32',
    });
    expect(columns.find(({ name }) => name === 'text')?.comment).toBe("Tên bệnh viện, có dấu ' và \\");
    expect(columns.find(({ name }) => name === 'count')?.comment).toBe('[beds]');
  });

  it('take retention, partitions, comment and the window of tokens', async () => {
    const table = simple('kept', {
      timeField: 'at',
      keepMs: 86_400_000,
      partitionBy: 'day',
      comment: "khoa 'cấp cứu'",
    });
    await test.store.ensureTable(table);
    const definition = async () => {
      const [row] = await test.store.query<Record<string, string>>("SELECT * FROM system.tables WHERE name = 'kept'");
      return row ?? {};
    };
    const made = await definition();
    expect(made.comment).toBe("khoa 'cấp cứu'");
    expect(made.partition_key).toBe('toYYYYMMDD(at)');
    expect(made.create_table_query).toContain('TTL toDateTime(at) + toIntervalSecond(86400)');
    expect(made.create_table_query).toContain('non_replicated_deduplication_window = 10000');
    expect(made.create_table_query).toContain(
      'fsync_after_insert = 1, min_rows_to_fsync_after_merge = 1, fsync_part_directory = 1',
    );
    await test.store.ensureTable({ ...table, keepMs: 2 * 86_400_000 });
    expect((await definition()).create_table_query).toContain('TTL toDateTime(at) + toIntervalSecond(172800)');
    const { keepMs: _keepMs, ...forever } = table;
    await test.store.ensureTable(forever);
    expect((await definition()).create_table_query).not.toContain('TTL');
  });

  it('get new columns, and keep what they have', async () => {
    const table = simple('grows');
    await test.store.ensureTable(table);
    await test.store.insert(table, beds(1), 'a');
    const wider = {
      ...table,
      schema: defineSchema({ ...table.schema.fields, note: field.string({ nullable: true }) }),
    };
    await test.store.ensureTable(wider);
    await test.store.insert(wider, rowsOf([{ hospital: 'H9', beds: 1, at, note: 'ghi chú' }]), 'b');
    expect(await test.store.query('SELECT hospital, note FROM grows ORDER BY hospital')).toEqual([
      { hospital: 'H0', note: null },
      { hospital: 'H9', note: 'ghi chú' },
    ]);
  });

  it('are refused when they cannot be or are something else already', async () => {
    const { store } = test;
    const changed = defineSchema({ hospital: field.string(), beds: field.string(), at: field.timestamp() });
    await store.ensureTable(simple('differs'));
    await expect(store.ensureTable(simple('differs', { schema: changed }))).rejects.toMatchObject({
      code: 'MACH3101',
      message: expect.stringContaining('column beds of type Int64, but the topology writes String'),
    });
    const refusals: [Partial<TableSpec>, string][] = [
      [{ orderBy: ['beds'] }, 'MergeTree sorted by (hospital)'],
      [{ rows: 'latest' }, 'ReplacingMergeTree'],
      [{ name: 'a b' }, 'not a name of a table'],
      [{ name: 'x; DROP TABLE differs' }, 'not a name of a table'],
      [{ orderBy: ['hospitl'] }, '"hospitl" is not a field'],
      [{ timeField: 'beds' }, 'not a timestamp'],
      [{ keepMs: 5_000 }, 'need a time field'],
      [{ timeField: 'at', keepMs: 5 }, '1 s is the least'],
      [{ schema: defineSchema({ _stage: field.string() }), orderBy: [] }, 'every table has'],
      [{ schema: defineSchema({ 'a-b': field.string() }), orderBy: [] }, 'not a name of a column'],
    ];
    for (const [change, reason] of refusals) {
      await expect(store.ensureTable(simple('differs', change))).rejects.toMatchObject({
        code: 'MACH3104',
        message: expect.stringContaining(reason),
      });
    }
  });
});

describe('insert', () => {
  it('brings every type back as it went in', async () => {
    // Plus zero: JSON, in which rows come back, has no negative zero that Vitest would take for it.
    const table = tableOf('round_trip', { orderBy: ['count'] });
    await test.store.ensureTable(table);
    const event = fc.record({
      text: fc.string({ unit: 'grapheme' }),
      text_or_null: fc.option(fc.string({ unit: 'grapheme' })),
      repeated: fc.constantFrom('Bệnh viện Thử nghiệm', 'H1', ''),
      repeated_or_null: fc.option(fc.constantFrom('a', 'b')),
      level: fc.constantFrom('red', 'green'),
      flag: fc.boolean(),
      flag_or_null: fc.option(fc.boolean()),
      count: fc.maxSafeInteger(),
      count_or_null: fc.option(fc.maxSafeInteger()),
      share: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
      share_or_null: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)),
      at: fc.integer({ min: -2_208_988_800_000, max: 10_413_791_999_999 }),
      at_or_null: fc.option(fc.integer({ min: 0, max: 4_102_444_800_000 })),
      took: fc.maxSafeInteger(),
      took_or_null: fc.option(fc.maxSafeInteger()),
      names: fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 4 }),
      grid: fc.array(fc.array(fc.maxSafeInteger(), { maxLength: 3 }), { maxLength: 3 }),
      place: fc.record({ ward: fc.string({ unit: 'grapheme' }), bed: fc.integer() }),
      rest: fc.option(fc.record({ a: fc.integer(), b: fc.array(fc.string()) })),
    });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 40 }), async (events) => {
        await test.store.command('TRUNCATE TABLE round_trip');
        await test.store.insert(table, rowsOf(events), `round-${run++}`);
        const times = 'toUnixTimestamp64Milli(at) AS at, toUnixTimestamp64Milli(at_or_null) AS at_or_null';
        const stored = await test.store.query<Record<string, unknown>>(
          `SELECT * EXCEPT (at, at_or_null), ${times} FROM round_trip ORDER BY _sequence`,
        );
        const decoded = stored.map((row) => ({
          ...row,
          place: JSON.parse(row.place as string),
          rest: row.rest === null ? null : JSON.parse(row.rest as string),
        }));
        const wanted = events.map((one, index) => ({
          ...one,
          _stage: 's1',
          _partition: 0,
          _sequence: index + 1,
          _index: 0,
        }));
        expect(decoded).toEqual(wanted);
      }),
      { numRuns: 25 },
    );
  });

  it('stores a repeated token once, and the same rows under another token again', async () => {
    const table = simple('once', { timeField: 'at', partitionBy: 'day' });
    await test.store.ensureTable(table);
    const rows = rowsOf([
      { hospital: 'H1', beds: 1, at },
      { hospital: 'H1', beds: 1, at: at + 86_400_000 },
    ]);
    await test.store.insert(table, rows, 'range 1-2');
    await test.store.insert(table, rows, 'range 1-2');
    expect(await countOf('once')).toBe(2);
    await test.store.insert(table, rows, 'range 3-4');
    expect(await countOf('once')).toBe(4);
  });

  it('feeds materialized views once for each token', async () => {
    const table = simple('viewed');
    await test.store.ensureTable(table);
    await test.store.command(
      'CREATE TABLE sums (hospital String, beds Int64) ENGINE = SummingMergeTree ORDER BY hospital SETTINGS non_replicated_deduplication_window = 10000',
    );
    await test.store.command(
      'CREATE MATERIALIZED VIEW to_sums TO sums AS SELECT hospital, sum(beds) AS beds FROM viewed GROUP BY hospital',
    );
    const rows = rowsOf([{ hospital: 'H1', beds: 2, at }]);
    await test.store.insert(table, rows, 'a');
    await test.store.insert(table, rows, 'a');
    await test.store.insert(table, rows, 'b');
    expect(await test.store.query('SELECT hospital, sum(beds) AS beds FROM sums GROUP BY hospital')).toEqual([
      { hospital: 'H1', beds: 4 },
    ]);
  });

  it('lets the newest row stand in tables of latest rows, whatever the order of arrival', async () => {
    const table = simple('latest', { rows: 'latest' });
    await test.store.ensureTable(table);
    const one = (count: number, sequence: number, index: number): Rows => ({
      events: [{ hospital: 'H1', beds: count, at }],
      origins: [{ stage: 's1', partition: 0, sequence, index }],
    });
    await test.store.insert(table, one(30, 2 ** 33 + 1, 5), 'c');
    await test.store.insert(table, one(20, 2 ** 33 + 1, 4), 'b');
    await test.store.insert(table, one(10, 9, 0), 'a');
    const version = ((2n ** 33n + 1n) * 2n ** 20n + 5n).toString();
    expect(await test.store.query('SELECT beds, toString(_version) AS version FROM latest FINAL')).toEqual([
      { beds: 30, version },
    ]);
  });

  it('names the rows that do not fit, and stores none of the batch', async () => {
    const table = simple('checked');
    await test.store.ensureTable(table);
    const events = [
      { hospital: 'H1', beds: 1, at },
      { hospital: 'H1', beds: 'ba mươi', at },
      { hospital: null, beds: 1.5, at },
      { hospital: 'H1', beds: 1, at: Number.NaN },
      { hospital: 'H1', beds: 1, at: Date.UTC(2300, 0) },
    ];
    const error = await test.store.insert(table, rowsOf(events), 't').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RefusedRowsError);
    expect((error as RefusedRowsError).code).toBe('MACH3102');
    expect((error as RefusedRowsError).rows).toEqual([
      { index: 1, reason: 'field beds is the text "ba mươi", not a whole number' },
      { index: 2, reason: 'field hospital is null, not text' },
      { index: 3, reason: 'field at is NaN, not a time in ms since the epoch, of the years 1900 to 2299' },
      { index: 4, reason: 'field at is 10413792000000, not a time in ms since the epoch, of the years 1900 to 2299' },
    ]);
    expect(await countOf('checked')).toBe(0);
  });

  it('takes numbers that are none as absent where a value may be absent, and refuses them elsewhere', async () => {
    const schema = defineSchema({ share: field.float({ nullable: true }), whole: field.float() });
    const table = simple('no_numbers', { schema, orderBy: [] });
    await test.store.ensureTable(table);
    await test.store.insert(
      table,
      rowsOf([Number.NaN, Number.POSITIVE_INFINITY].map((share) => ({ share, whole: 1 }))),
      'a',
    );
    expect(await test.store.query('SELECT share FROM no_numbers')).toEqual([{ share: null }, { share: null }]);
    await expect(test.store.insert(table, rowsOf([{ share: 1, whole: Number.NaN }]), 'b')).rejects.toMatchObject({
      code: 'MACH3102',
      message: expect.stringContaining('field whole is NaN, not a finite number'),
    });
  });

  it('tells what will never be stored from what may be stored later', async () => {
    const table = simple('classified');
    await test.store.ensureTable(table);
    await test.store.command('ALTER TABLE classified ADD CONSTRAINT few CHECK beds < 100');
    const refused = await test.store.insert(table, beds(1, 1_004), 'a').catch((error: MachError) => error);
    expect(refused).toMatchObject({ code: 'MACH3102', message: expect.stringMatching(/code 469.*few/) });
    expect((refused as MachError).message).not.toContain('1004');
    await test.store.command('ALTER TABLE classified DROP COLUMN beds SETTINGS mutations_sync = 1').catch(() => {});
    await test.store.command('ALTER TABLE classified DROP CONSTRAINT few');
    await test.store.command('ALTER TABLE classified DROP COLUMN IF EXISTS beds');
    await expect(test.store.insert(table, beds(1), 'b')).rejects.toMatchObject({
      code: 'MACH3102',
      message: expect.stringMatching(/code 16: No such column beds/),
    });
    await test.store.command('DROP TABLE classified');
    await expect(test.store.insert(table, beds(1), 'c')).rejects.toMatchObject({
      code: 'MACH3103',
      message: expect.stringContaining('code 60'),
    });
    const away = await connectStore({ url: 'http://127.0.0.1:1', clock: systemClock() });
    expect(await away.insert(table, beds(1), 'd').catch(codeOf)).toBe('MACH3103');
    expect(await away.check().catch(codeOf)).toBe('MACH3109');
    await away.close();
  });

  it('takes a batch that touches more days than a server allows by default', async () => {
    const table = simple('many_days', { timeField: 'at', partitionBy: 'day' });
    await test.store.ensureTable(table);
    const events = Array.from({ length: 150 }, (_, day) => ({ hospital: 'H1', beds: day, at: at - day * 86_400_000 }));
    await test.store.insert(table, rowsOf(events), 'a');
    expect(await countOf('many_days')).toBe(150);
  });

  it('takes a large batch, and refuses by the name of the bound what is larger than the store takes', async () => {
    const schema = defineSchema({ text: field.string() });
    const table = simple('large', { schema, orderBy: [] });
    await test.store.ensureTable(table);
    const megabyte = 'đ'.repeat(512 * 1024);
    await test.store.insert(table, rowsOf(Array.from({ length: 16 }, () => ({ text: megabyte }))), 'a');
    expect(await test.store.query('SELECT count() AS n, sum(length(text)) AS bytes FROM large')).toEqual([
      { n: 16, bytes: 16 * 1024 * 1024 },
    ]);
    const error = await test.store
      .insert(table, rowsOf(Array.from({ length: 65 }, () => ({ text: megabyte }))), 'b')
      .catch((thrown: unknown) => thrown as MachError);
    expect(error).toMatchObject({ code: 'MACH3102', message: expect.stringContaining('insertBytesMax') });
    expect(await countOf('large')).toBe(16);
  });

  it('takes many clients at once', async () => {
    const table = simple('shared');
    await test.store.ensureTable(table);
    const clients = await Promise.all(
      Array.from({ length: 6 }, () => connectStore({ url: test.store.url, clock: systemClock() })),
    );
    await Promise.all(
      clients.flatMap((client, number) =>
        Array.from({ length: 5 }, (_, batch) => client.insert(table, beds(100, batch), `${number}/${batch}`)),
      ),
    );
    await Promise.all(clients.map((client) => client.close()));
    expect(await countOf('shared')).toBe(3_000);
  });
});

describe('query', () => {
  it('binds parameters, and tells errors with the code of ClickHouse', async () => {
    const text = "O'Brien \\ \t \n ; đường";
    expect(await test.store.query('SELECT {text:String} AS text, {n:Int64} + 1 AS n', { text, n: 41 })).toEqual([
      { text, n: 42 },
    ]);
    await expect(test.store.query('SELECT nothing')).rejects.toMatchObject({
      code: 'MACH3107',
      message: expect.stringMatching(/code 47: .*nothing/),
    });
    await expect(test.store.command('CREATE TABEL x')).rejects.toMatchObject({ code: 'MACH3107' });
  });

  it('says the version', async () => {
    expect((await test.store.check()).version).toMatch(/^\d+\.\d+/);
  });
});

describe('CLICKHOUSE_URL', () => {
  it('is taken apart', () => {
    expect(parseStoreUrl('https://mach:p%40ss@store.example:8443/ops')).toEqual({
      url: 'https://store.example:8443',
      username: 'mach',
      password: 'p@ss',
      database: 'ops',
    });
    expect(parseStoreUrl('http://127.0.0.1:8123')).toEqual({ url: 'http://127.0.0.1:8123' });
    for (const wrong of ['store', 'tcp://h:9000', 'http://h/a/b']) {
      expect(() => parseStoreUrl(wrong)).toThrowError(expect.objectContaining({ code: 'MACH3108' }));
    }
  });

  it('names the store that is opened; without it the embedded one is started, and ends with the store', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'mach-open-'));
    const named = await openStore({ directory, clock: systemClock(), url: `${test.embedded.url}/default` });
    expect(named.embedded).toBeUndefined();
    expect((await named.check()).version).toMatch(/^\d+/);
    await named.close();
    const own = await openStore({ directory, clock: systemClock(), url: '' });
    const pid = own.embedded?.pid ?? 0;
    expect((await own.check()).version).toMatch(/^\d+/);
    await own.close();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
  });
});
