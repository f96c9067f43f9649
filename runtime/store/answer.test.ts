/** What stands between the engine and its store answers in its place, or passes on a status that says too much. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { defineSchema, field } from '../stream/schema.ts';
import { startTestStore, type TestStore } from '../testing/with-store.ts';
import { connectStore } from './clickhouse.ts';
import type { Rows, Store, TableSpec } from './store.ts';

/**
 * `page`: somebody else answers. `late`: the store itself fails after its status went out. `coded`: and says so in a header alone. `hosts`: it
 * tells how each of its servers did, as a replicated database does.
 */
type Fault = 'none' | 'page' | 'late' | 'coded' | 'hosts';
const failure = 'Code: 241. DB::Exception: Memory limit (total) exceeded. (MEMORY_LIMIT_EXCEEDED)';

let test: TestStore;
let store: Store;
let fault: Fault = 'none';
const proxy = createServer((incoming, answer) => {
  incoming.resume();
  if (fault === 'page') answer.end('<html>maintenance</html>');
  else if (fault === 'late') answer.setHeader('X-ClickHouse-Query-Id', 'q').end(`${failure}\n`);
  else if (fault === 'hosts') answer.setHeader('X-ClickHouse-Query-Id', 'q').end('shard1\treplica1\tOK\t1\t0\n');
  else if (fault === 'coded')
    answer.setHeader('X-ClickHouse-Query-Id', 'q').setHeader('X-ClickHouse-Exception-Code', '241').end();
  else pass(incoming, answer);
});

function pass(incoming: IncomingMessage, answer: ServerResponse): void {
  const { method = 'GET', headers } = incoming;
  const onwards = request(new URL(incoming.url ?? '/', test.embedded.url), { method, headers }, (response) => {
    answer.writeHead(response.statusCode ?? 500, response.headers);
    response.pipe(answer);
  });
  incoming.pipe(onwards);
}

beforeAll(async () => {
  test = await startTestStore();
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;
  store = await connectStore({ url: `http://127.0.0.1:${port}`, clock: systemClock() });
});
afterAll(async () => {
  await store.close();
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
  await test.stop();
});

async function through<T>(which: Fault, use: () => Promise<T>): Promise<T> {
  fault = which;
  try {
    return await use();
  } finally {
    fault = 'none';
  }
}

const wards: TableSpec = {
  name: 'wards',
  schema: defineSchema({ ward: field.string(), beds: field.int() }),
  orderBy: ['ward'],
  rows: 'append',
};
const rows: Rows = {
  events: [{ ward: 'W1', beds: 4 }],
  origins: [{ stage: 's1', partition: 0, sequence: 1, index: 0 }],
};
const bounds = { timeSecondsMax: 5, rowsMax: 10, bytesMax: 10_000 };

it.each(['page', 'late', 'coded'] as const)('takes no rows for stored by an answer that is %s', async (which) => {
  const table = { ...wards, name: `wards_${which}` };
  await store.ensureTable(table);
  const token = `token ${which}`;
  const code = { code: 'MACH3103' };
  await expect(through(which, () => store.insert(table, rows, token))).rejects.toMatchObject(code);
  // As the engine does: the same rows with the same token, until it is known.
  await store.insert(table, rows, token);
  await store.insert(table, rows, token);
  expect(await store.query(`SELECT ward, beds FROM ${table.name}`)).toEqual(rows.events);
});

it('tells of a statement what the store said behind its status', async () => {
  const made = () => store.command('CREATE TABLE made (a Int8) ENGINE = Memory');
  await expect(through('late', made)).rejects.toMatchObject({
    code: 'MACH3109',
    message: expect.stringContaining(failure),
  });
  await expect(through('coded', made)).rejects.toMatchObject({ code: 'MACH3109' });
});

it('lets a database of several servers tell how each has made the table', async () => {
  await through('hosts', () => store.command('CREATE TABLE made (a Int8) ENGINE = Memory'));
});

it('takes nothing from somebody else for an answer', async () => {
  const code = { code: 'MACH3109', message: expect.stringContaining('something else answers') };
  await expect(through('page', () => store.query('SELECT 1 AS n'))).rejects.toMatchObject(code);
  await expect(through('page', () => store.read('SELECT 1 AS n', bounds))).rejects.toMatchObject(code);
  await expect(through('page', () => store.command('SELECT 1'))).rejects.toMatchObject(code);
  await expect(through('page', () => store.ensureTable({ ...wards, name: 'never' }))).rejects.toMatchObject(code);
  await expect(through('page', () => store.check())).rejects.toMatchObject(code);
  expect(await store.query('SELECT 1 AS n')).toEqual([{ n: 1 }]);
});
