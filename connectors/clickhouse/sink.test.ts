import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../runtime/clock.ts';
import {
  type BoundInput,
  type Checker,
  defineSchema,
  field,
  type Logger,
  limits,
  type RunningSink,
  type Schema,
  type SinkRow,
  type Store,
  type TableSpec,
} from '../../runtime/stream/index.ts';
import { startTestStore, type TestStore } from '../../runtime/testing/with-store.ts';
import { clickhouse } from './sink.ts';

const schema = defineSchema({
  hospital: field.string({ repeated: true }),
  beds: field.int(),
  at: field.timestamp(),
  note: field.string({ nullable: true }),
  seen: field.timestamp({ nullable: true }),
  tags: field.list({ kind: 'string' }),
});

/** Binds as the loader of topologies does. */
function bind(options: Record<string, unknown>, inputs: Record<string, Schema> = { from: schema }) {
  const parsed = clickhouse.options.parse({ from: 'beds', table: 'beds', order_by: ['hospital', 'at'], ...options });
  const problems: { path: string; message: string; suggestion?: string }[] = [];
  const problem: Checker['problem'] = (path, message, suggestion) =>
    void problems.push({ path: [path].flat().join('.'), message, ...(suggestion !== undefined && { suggestion }) });
  const check: Checker = {
    aggregate: () => {
      throw new Error('the sink has no expressions');
    },
    expression: () => {
      throw new Error('the sink has no expressions');
    },
    field(path, input, wanted) {
      const name = String(
        [path].flat().reduce<unknown>((value, part) => (value as Record<string, unknown>)[part], parsed),
      );
      const found = input.fields[name];
      if (!found) problem(path, `"${name}" is not a field`);
      else if (wanted && found.type.kind !== wanted)
        problem(path, `"${name}" is a ${found.type.kind}, not a ${wanted}`);
      return name;
    },
    fields: () => {
      throw new Error('the sink names fields one by one');
    },
    problem,
    resolveFile: (path) => path,
  };
  const bound = clickhouse.bind({
    options: parsed,
    inputs: Object.fromEntries(
      Object.entries(inputs).map(([name, one]): [string, BoundInput] => [name, { from: name, schema: one }]),
    ),
    check,
  });
  return { bound, problems };
}

describe('bind', () => {
  it('makes the table from options and schema', () => {
    const { bound, problems } = bind({ time: 'at', keep: '30d', comment: 'giường trống' });
    expect(problems).toEqual([]);
    expect(bound.tables).toEqual([
      {
        name: 'beds',
        schema,
        orderBy: ['hospital', 'at'],
        rows: 'append',
        timeField: 'at',
        partitionBy: 'month',
        keepMs: 30 * 86_400_000,
        comment: 'giường trống',
      },
    ]);
    expect(bind({ order_by: 'hospital', rows: 'latest' }).bound.tables).toEqual([
      { name: 'beds', schema, orderBy: ['hospital'], rows: 'latest' },
    ]);
  });

  it.each([
    [{ order_by: ['hospitl'] }, { path: 'order_by.0', message: '"hospitl" is not a field' }],
    [
      { order_by: ['hospital', 'tags'] },
      { path: 'order_by.1', message: '"tags" is a list, by which rows cannot be sorted' },
    ],
    [{ time: 'beds' }, { path: 'time', message: '"beds" is a int, not a timestamp' }],
    [{ time: 'seen' }, { path: 'time', message: '"seen" may be absent, and a row without time has no partition' }],
    [
      { keep: '30d' },
      { path: 'keep', message: 'keep needs time: the timestamp that it goes by', suggestion: 'time: at' },
    ],
    [
      { partition: 'day' },
      { path: 'partition', message: 'partition needs time: the timestamp that it goes by', suggestion: 'time: at' },
    ],
    [
      { time: 'at', keep: '5ms' },
      { path: 'keep', message: 'rows are kept for 1s at least' },
    ],
  ])('says what is wrong with %o', (options, problem) => {
    expect(bind(options).problems).toEqual([problem]);
  });

  it('says which field of several inputs differs', () => {
    const differing = (other: Schema) =>
      bind({}, { from: schema, 'from.1': other }).problems.map(({ message }) => message);
    const { note: _note, ...less } = schema.fields;
    expect(differing({ fields: less })[0]).toContain('field note is only in from');
    expect(differing({ fields: { ...schema.fields, beds: field.float() } })[0]).toContain(
      'field beds is float there and int in from',
    );
    expect(differing({ fields: { ...schema.fields, note: field.string() } })[0]).toContain(
      'field note may be absent in from only',
    );
    expect(differing({ fields: Object.fromEntries(Object.entries(schema.fields).reverse()) })).toEqual([]);
  });

  it('refuses names that the store cannot have', () => {
    for (const table of ['a b', '1st', 'x;y', 'bệnh_viện', '']) expect(() => bind({ table })).toThrow();
    const { problems } = bind(
      { order_by: 'a' },
      { from: defineSchema({ a: field.int(), _index: field.int(), 'b-c': field.int() }) },
    );
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringContaining('field "_index" cannot be a column'),
      expect.stringContaining('field "_index" has the name of a column that every table has'),
      expect.stringContaining('field "b-c" cannot be a column'),
    ]);
  });
});

describe('write', () => {
  let test: TestStore;
  beforeAll(async () => {
    test = await startTestStore();
  });
  afterAll(() => test.stop());

  const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };
  const at = Date.UTC(2026, 2, 2);

  async function open(table: string, store: Store = test.store, options: Record<string, unknown> = {}) {
    const { bound, problems } = bind({ table, ...options });
    expect(problems).toEqual([]);
    const counted: Record<string, number> = {};
    const sink: RunningSink = await bound.open({
      node: 'status',
      clock: systemClock(),
      logger: silent,
      signal: new AbortController().signal,
      store,
      publish() {},
      publishBytesMax: Number.POSITIVE_INFINITY,
      count: (metric, by) => {
        counted[metric] = (counted[metric] ?? 0) + by;
      },
    });
    return { sink, counted };
  }

  const rowsOf = (count: number, change: (index: number) => Record<string, unknown> = () => ({})): SinkRow[] =>
    Array.from({ length: count }, (_, index) => ({
      event: { hospital: 'Bệnh viện Thử', beds: index, at, note: null, seen: null, tags: [], ...change(index) },
      time: at,
      stage: 's1',
      partition: 3,
      sequence: 10 + index,
      index: 0,
    }));

  const stored = async (table: string) =>
    (await test.store.query<{ beds: number }>(`SELECT beds FROM ${table} ORDER BY beds`)).map(({ beds }) => beds);

  it('stores a batch that comes again once, with where it comes from', async () => {
    const { sink } = await open('again');
    const rows = rowsOf(2);
    expect(await sink.write(rows, 'topology/status/1-2')).toEqual([]);
    expect(await sink.write(rows, 'topology/status/1-2')).toEqual([]);
    expect(
      await test.store.query('SELECT hospital, beds, _stage, _partition, _sequence, _index FROM again ORDER BY beds'),
    ).toEqual([
      { hospital: 'Bệnh viện Thử', beds: 0, _stage: 's1', _partition: 3, _sequence: 10, _index: 0 },
      { hospital: 'Bệnh viện Thử', beds: 1, _stage: 's1', _partition: 3, _sequence: 11, _index: 0 },
    ]);
  });

  it('takes rows as large as the log lets through, a whole batch of them', async () => {
    const { sink } = await open('large');
    const rows = rowsOf(4, () => ({ note: 'ệ'.repeat((limits.rowBytesMax - 1_000) / 3) }));
    expect(await sink.write(rows, 'token')).toEqual([]);
    const lengths = await test.store.query<{ length: number }>('SELECT length(note) AS length FROM large');
    expect(lengths.map(({ length }) => Number(length))).toEqual(
      rows.map(({ event }) => Buffer.byteLength(String(event.note))),
    );
  });

  it('gives back rows that do not fit their columns, keeps the others, and does the same when the batch comes again', async () => {
    const { sink, counted } = await open('misfits');
    const rows = rowsOf(20, (index) => (index % 7 === 3 ? { beds: 'ba' } : {}));
    for (let round = 1; round <= 2; round++) {
      const dead = await sink.write(rows, 'token');
      expect(dead.map(({ row, code, reason }) => [row.sequence, code, reason])).toEqual(
        [13, 20, 27].map((sequence) => [sequence, 'MACH3102', 'field beds is the text "ba", not a whole number']),
      );
      expect(counted.rows_refused_total).toBe(3 * round);
    }
    expect(await stored('misfits')).toEqual([...Array(20).keys()].filter((index) => index % 7 !== 3));
  });

  it('finds rows that only the store refuses by halving, with the same result when the batch comes again', async () => {
    const { sink } = await open('halved');
    await test.store.command('ALTER TABLE halved ADD CONSTRAINT sane CHECK beds NOT IN (5, 6, 40)');
    for (let round = 1; round <= 2; round++) {
      const dead = await sink.write(rowsOf(64), 'token');
      expect(dead.map(({ row }) => row.event.beds)).toEqual([5, 6, 40]);
      expect(dead.every(({ code, reason }) => code === 'MACH3102' && reason.includes('sane'))).toBe(true);
    }
    expect(await stored('halved')).toEqual([...Array(64).keys()].filter((index) => ![5, 6, 40].includes(index)));
  });

  it('refuses no row for a view that someone made on the table, and stores each once when the view takes them', async () => {
    const { sink } = await open('viewed');
    await test.store.command('CREATE TABLE numbers (n Int64) ENGINE = MergeTree ORDER BY n');
    const makeView = (n: string) =>
      test.store.command(`CREATE MATERIALIZED VIEW to_numbers TO numbers AS SELECT ${n} AS n FROM viewed`);
    await makeView('toInt64(hospital)');
    const failure = await sink.write(rowsOf(8), 'token').catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'MACH3113',
      message: expect.stringMatching(/view default\.to_numbers .*code 6/),
    });
    expect((failure as Error).message).not.toContain('Bệnh viện');
    await test.store.command('DROP VIEW to_numbers');
    await makeView('beds');
    expect(await sink.write(rowsOf(8), 'token')).toEqual([]);
    expect(await stored('viewed')).toEqual([...Array(8).keys()]);
    expect(await test.store.query('SELECT n FROM numbers ORDER BY n')).toEqual(
      [...Array(8).keys()].map((n) => ({ n })),
    );
  });

  it('brings back a column that someone took away, and loses no row to it', async () => {
    const { sink } = await open('restored');
    await sink.write(rowsOf(1), 'a');
    await test.store.command('ALTER TABLE restored DROP COLUMN note');
    expect(
      await sink.write(
        rowsOf(2, () => ({ note: 'ghi chú' })),
        'b',
      ),
    ).toEqual([]);
    expect(await test.store.query('SELECT note FROM restored WHERE note IS NOT NULL')).toHaveLength(2);
  });

  it('rejects, to be tried again, while the table is not the one that it writes', async () => {
    const { sink } = await open('changed');
    await test.store.command('ALTER TABLE changed DROP COLUMN beds');
    await test.store.command('ALTER TABLE changed ADD COLUMN beds Array(String)');
    await expect(sink.write(rowsOf(1), 'a')).rejects.toMatchObject({ code: 'MACH3101' });
    await test.store.command('DROP TABLE changed');
    await expect(sink.write(rowsOf(1), 'a')).rejects.toMatchObject({ code: 'MACH3103' });
  });

  it('lets a correction replace what it corrects', async () => {
    const { sink } = await open('corrected', test.store, { rows: 'latest' });
    const [first] = rowsOf(1);
    if (!first) throw new Error('one row was asked for');
    const correction = { ...first, event: { ...first.event, beds: 99 }, sequence: first.sequence + 1 };
    await sink.write([correction], 'b');
    await sink.write([first], 'a');
    const rows = await test.store.query('SELECT beds FROM corrected FINAL');
    expect(rows).toEqual([{ beds: 99 }]);
  });

  it('leaves nothing half done when the store goes away in the middle of the cuts', async () => {
    // Every insert is made, and the answer to the third is lost.
    let inserts = 0;
    const flaky: Store = {
      ...test.store,
      async insert(table: TableSpec, rows, token) {
        await test.store.insert(table, rows, token);
        if (++inserts === 3) throw Object.assign(new Error('the answer is lost'), { code: 'ECONNRESET' });
      },
    };
    const { sink } = await open('interrupted', flaky);
    await test.store.command('ALTER TABLE interrupted ADD CONSTRAINT sane CHECK beds NOT IN (9, 30)');
    await expect(sink.write(rowsOf(64), 'token')).rejects.toThrow('the answer is lost');
    const dead = await sink.write(rowsOf(64), 'token');
    expect(dead.map(({ row }) => row.event.beds)).toEqual([9, 30]);
    expect(await stored('interrupted')).toEqual([...Array(64).keys()].filter((index) => ![9, 30].includes(index)));
  });
});
