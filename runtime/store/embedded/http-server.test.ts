import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStore, type TestStore } from '../../testing/with-store.ts';
import { embeddedLimits } from '../limits.ts';

let test: TestStore;
let url: string;
beforeAll(async () => {
  test = await startTestStore();
  url = test.embedded.url;
});
afterAll(() => test.stop());

interface Ask {
  readonly query?: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

async function ask({ query, body = '', parameters = {}, headers = {}, signal }: Ask) {
  const search = new URLSearchParams({ ...(query !== undefined && { query }), ...parameters });
  const response = await fetch(`${url}/?${search}`, { method: 'POST', body, headers, ...(signal && { signal }) });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const sql = async (body: string, parameters: Readonly<Record<string, string>> = {}) =>
  (await ask({ body, parameters })).text;

/** Waits for something that another process does; vitest's own time-out is the bound. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

const running = async (part: string) =>
  Number(
    await sql(
      "SELECT count() FROM system.processes WHERE position(query, {part:String}) > 0 AND position(query, 'system.processes') = 0",
      { param_part: part },
    ),
  );

const slow = (seconds: number) =>
  `SELECT sum(sleepEachRow(0.05)) FROM numbers(${seconds * 20}) SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 100000000`;

describe('the HTTP interface', () => {
  it('answers health checks', async () => {
    for (const path of ['/ping', '/', '/replicas_status']) {
      expect(await (await fetch(url + path)).text()).toBe('Ok.\n');
    }
    expect((await fetch(`${url}/nothing`)).status).toBe(404);
  });

  it('takes the query from the URL, the body, or both', async () => {
    expect(await (await fetch(`${url}/?query=SELECT%201`)).text()).toBe('1\n');
    expect(await sql('SELECT 2')).toBe('2\n');
    expect((await ask({ query: 'SELECT', body: '3' })).text).toBe('3\n');
  });

  it('changes nothing on GET, and can change again afterwards', async () => {
    const response = await fetch(`${url}/?query=${encodeURIComponent('CREATE TABLE got (a Int8) ENGINE = Memory')}`);
    expect(response.status).toBe(403);
    expect(response.headers.get('x-clickhouse-exception-code')).toBe('164');
    expect(await sql('CREATE TABLE posted (a Int8) ENGINE = Memory')).toBe('');
  });

  it('names the format and gives a summary', async () => {
    const plain = await ask({ body: 'SELECT 1 AS a', parameters: { default_format: 'JSONEachRow' } });
    expect(plain.text).toBe('{"a":1}\n');
    expect(plain.headers.get('x-clickhouse-format')).toBe('JSONEachRow');
    expect(plain.headers.get('content-type')).toContain('application/x-ndjson');
    expect(JSON.parse(plain.headers.get('x-clickhouse-summary') ?? '')).toMatchObject({ read_rows: '1' });
    expect((await ask({ body: 'SELECT 1 FORMAT CSV' })).headers.get('x-clickhouse-format')).toBe('CSV');
    const named = await ask({ body: 'SELECT 1', parameters: { query_id: 'q-7' } });
    expect(named.headers.get('x-clickhouse-query-id')).toBe('q-7');
  });

  it('compresses answers and takes compressed bodies when asked', async () => {
    const many = "SELECT repeat('đường ', 1000)";
    const packed = await ask({
      body: many,
      parameters: { enable_http_compression: '1' },
      headers: { 'accept-encoding': 'gzip' },
    });
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    expect(packed.text).toBe(`${'đường '.repeat(1000)}\n`);
    expect((await ask({ body: many })).headers.get('content-encoding')).toBeNull();
    const gzip = (text: string) => new Uint8Array(gzipSync(text));
    expect((await ask({ body: gzip('SELECT 5'), headers: { 'content-encoding': 'gzip' } })).text).toBe('5\n');
    await sql('CREATE TABLE packed (a String) ENGINE = MergeTree ORDER BY a');
    const insert = { query: 'INSERT INTO packed FORMAT JSONEachRow', headers: { 'content-encoding': 'gzip' } };
    expect((await ask({ ...insert, body: gzip('{"a":"Cấp cứu"}\n') })).status).toBe(200);
    expect(await sql('SELECT a FROM packed')).toBe('Cấp cứu\n');
  });

  it('tells errors as ClickHouse does', async () => {
    const cases: [string, number, number, RegExp][] = [
      ['SELECTT 1', 400, 62, /^Code: 62\. DB::Exception: Syntax error.*\(SYNTAX_ERROR\)/s],
      ['SELECT * FROM absent', 404, 60, /\(UNKNOWN_TABLE\)/],
      ['SELECT absent', 404, 47, /\(UNKNOWN_IDENTIFIER\)/],
      ['SELECT throwIf(1)', 500, 395, /\(FUNCTION_THROW_IF_VALUE_IS_NON_ZERO\)/],
      ['', 400, 62, /Empty query/],
    ];
    for (const [body, status, code, text] of cases) {
      const answer = await ask({ body });
      expect(answer).toMatchObject({ status, text: expect.stringMatching(text) });
      expect(answer.headers.get('x-clickhouse-exception-code')).toBe(String(code));
    }
    expect(await ask({ body: 'SELECT 1', parameters: { max_thraeds: '1' } })).toMatchObject({ status: 404 });
    expect(await ask({ body: 'SELECT 1', parameters: { session_id: 'a' } })).toMatchObject({ status: 501 });
    expect(await ask({ body: 'SELECT 1', parameters: { database: 'absent' } })).toMatchObject({ status: 404 });
  });

  it('answers the first query of the Go driver in its own Native revision', async () => {
    const body = 'SELECT displayName(), version(), revision(), timezone()';
    const parameters = { client_protocol_version: '54460', default_format: 'Native' };
    const response = await fetch(`${url}/?${new URLSearchParams(parameters)}`, { method: 'POST', body });
    const bytes = Buffer.from(await response.arrayBuffer());
    expect([...bytes.subarray(0, 10)]).toEqual([1, 0, 2, 255, 255, 255, 255, 0, 4, 1]);
    const column = (name: string, type: string) =>
      Buffer.concat([
        Buffer.from([name.length]),
        Buffer.from(name),
        Buffer.from([type.length]),
        Buffer.from(type),
        Buffer.from([0]),
      ]);
    for (const [name, type] of [
      ['displayName()', 'String'],
      ['version()', 'String'],
      ['timezone()', 'String'],
    ] as const) {
      expect(bytes.includes(column(name, type))).toBe(true);
    }
    expect(bytes.includes(Buffer.concat([column('revision()', 'UInt32'), Buffer.alloc(4)]))).toBe(true);
  });
});

describe('requests that share sessions', () => {
  it('never see the settings, parameters or database of another', async () => {
    await sql('CREATE DATABASE other');
    for (let round = 0; round < 4; round++) {
      expect(
        await sql("SELECT getSetting('max_block_size'), {p:String}, currentDatabase()", {
          max_block_size: '77',
          param_p: 'x',
          database: 'other',
        }),
      ).toBe('77\tx\tother\n');
      expect(await sql("SELECT getSetting('max_block_size') = 77, currentDatabase()")).toBe('0\tdefault\n');
      expect(await sql('SELECT {p:String}')).toMatch(/^Code: 45[67]\./);
    }
  });

  it("never get each other's parameters at the same time", async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) => sql('SELECT {p:UInt32} + sleep(0.01)', { param_p: String(index) })),
    );
    expect(answers).toEqual(Array.from({ length: 60 }, (_, index) => `${index}\n`));
  });

  it('never get what a query wrote before it failed', async () => {
    for (let round = 0; round < 5; round++) {
      const failed = await ask({ body: 'SELECT throwIf(number = 300000) FROM numbers(400000) FORMAT JSON' });
      expect(failed.text).toMatch(/^Code: 395\./);
      expect(await sql('SELECT 7')).toBe('7\n');
    }
  });
});

describe('inserts', () => {
  it('take data in the body or after the statement, blank lines included', async () => {
    await sql('CREATE TABLE lines (a UInt32) ENGINE = MergeTree ORDER BY a');
    expect((await ask({ query: 'INSERT INTO lines FORMAT JSONCompactEachRow', body: '[1]\n\n[2]\n' })).status).toBe(
      200,
    );
    expect(await sql('INSERT INTO lines FORMAT JSONEachRow\n{"a":3}\n\n{"a":4}')).toBe('');
    expect(await sql('INSERT INTO lines VALUES (5), (6)')).toBe('');
    expect((await ask({ query: 'INSERT INTO lines VALUES', body: '(7)' })).text).toBe('');
    expect(await sql('SELECT groupArray(a) FROM (SELECT a FROM lines ORDER BY a)')).toBe('[1,2,3,4,5,6,7]\n');
  });

  it('tell which row and value they cannot read, and unknown columns and tables', async () => {
    await sql('CREATE TABLE strict (a UInt32) ENGINE = MergeTree ORDER BY a');
    const insert = (query: string, body: string) => ask({ query, body });
    expect(await insert('INSERT INTO strict FORMAT JSONEachRow', '{"a":1}\n{"a":"x"}')).toMatchObject({
      status: 400,
      text: expect.stringMatching(/^Code: \d+\..*row 2/s),
    });
    expect(await insert('INSERT INTO strict (b) FORMAT JSONEachRow', '{"b":1}')).toMatchObject({
      status: 404,
      text: expect.stringContaining('No such column b'),
    });
    expect((await insert('INSERT INTO absent FORMAT JSONEachRow', '{"b":1}')).text).toMatch(/^Code: 60\./);
    expect(await sql('SELECT count() FROM strict')).toBe('0\n');
  });

  it('count a token once, also when it comes several times at once', async () => {
    await sql(
      'CREATE TABLE tokens (a UInt32) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100',
    );
    const parameters = { insert_deduplication_token: 't', async_insert: '0', wait_end_of_query: '1' };
    const once = () => ask({ query: 'INSERT INTO tokens FORMAT JSONEachRow', body: '{"a":1}', parameters });
    await Promise.all([once(), once(), once(), once()]);
    await once();
    expect(await sql('SELECT count() FROM tokens')).toBe('1\n');
  });

  it('refuse a body beyond the bound by its name, and can go on', async () => {
    await sql('CREATE TABLE bounded (a String) ENGINE = MergeTree ORDER BY a');
    const body = Buffer.alloc(embeddedLimits.insertBytesMax + 1, '\n');
    const answer = await ask({ query: 'INSERT INTO bounded FORMAT TSV', body });
    expect(answer).toMatchObject({ status: 413, text: expect.stringContaining('insertBytesMax') });
    expect((await ask({ query: 'INSERT INTO bounded FORMAT TSV', body: 'a\n' })).status).toBe(200);
  });
});

describe('slow queries', () => {
  it('hold back neither inserts nor other queries', async () => {
    await sql('CREATE TABLE quick (a UInt32) ENGINE = MergeTree ORDER BY a');
    const stop = new AbortController();
    const held = Promise.allSettled(
      [1, 2].map((name) => ask({ body: `${slow(60)} /* held ${name} */`, signal: stop.signal })),
    );
    await until(async () => (await running('/* held')) === 2);
    expect((await ask({ query: 'INSERT INTO quick FORMAT TSV', body: '1\n' })).status).toBe(200);
    expect(await sql('SELECT a FROM quick')).toBe('1\n');
    expect(await sql('CREATE TABLE quick2 (a UInt32) ENGINE = MergeTree ORDER BY a')).toBe('');
    expect(await running('/* held')).toBe(2);
    stop.abort();
    await held;
  });

  it('end when their client goes, or when their time is over', async () => {
    const stop = new AbortController();
    const left = ask({ body: `${slow(60)} /* left */`, signal: stop.signal }).catch(() => {});
    await until(async () => (await running('/* left */')) === 1);
    stop.abort();
    await left;
    await until(async () => (await running('/* left */')) === 0);
    const over = await ask({ body: slow(60), parameters: { max_execution_time: '1' } });
    expect(over.headers.get('x-clickhouse-exception-code')).toBe('159');
  });

  it('are refused when too many wait, and served again when the queue is shorter', async () => {
    const stop = new AbortController();
    const asked = embeddedLimits.readSessions + embeddedLimits.waitingRequestsMax + 5;
    const refused: string[] = [];
    const waiting = Array.from({ length: asked }, () =>
      ask({ body: slow(60), signal: stop.signal }).then(
        ({ status, text }) => void refused.push(`${status} ${text}`),
        () => {},
      ),
    );
    await until(async () => refused.length >= 5);
    stop.abort();
    await Promise.all(waiting);
    expect(refused).toHaveLength(5);
    for (const text of refused) expect(text).toMatch(/^503 Code: 202\..*waitingRequestsMax/s);
    await until(async () => (await ask({ body: 'SELECT 1' })).status === 200);
  });
});
