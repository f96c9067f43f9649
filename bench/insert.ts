/**
 * Rows stored in a second by the store's insert path, over HTTP into the embedded ClickHouse, by size of batch: as the sink does it
 * (Native blocks), the same rows as JSON by the client's own insert (what we would have without the encoder), and INSERT SELECT inside the
 * engine (the ceiling), taken in turns in one run. Twelve columns: eight fields and four of origin. Processor time of both sides.
 *
 *   npm run bench -- insert [--for 1s] [--json FILE]
 */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { arch, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import type { Rows, Store, TableSpec } from '../runtime/store/store.ts';
import { defineSchema, field, parseDuration } from '../runtime/stream/index.ts';
import { withStore } from '../runtime/testing/with-store.ts';
import { UseError } from './arguments.ts';

const batchSizes = [1_000, 10_000, 20_000];
/** What the project asks of itself, with everything else on the same two cores. */
const targetPerSecond = 20_000;
/** Kernel ticks of processor time in a second (USER_HZ), the same on every Linux. */
const ticksPerSecond = 100;

const table: TableSpec = {
  name: 'readings',
  schema: defineSchema({
    hospital: field.string({ repeated: true }),
    kind: field.string({ values: ['arrival', 'discharge', 'transfer'] }),
    at: field.timestamp(),
    message: field.string(),
    note: field.string({ nullable: true }),
    minutes: field.float({ nullable: true }),
    beds: field.int(),
    share: field.float(),
  }),
  orderBy: ['hospital', 'at'],
  timeField: 'at',
  partitionBy: 'day',
  rows: 'append',
};

interface Result {
  readonly way: string;
  readonly batchRows: number;
  readonly rowsPerSecond: number;
  /** Processor time in µs per row, of the process that inserts and of the store. */
  readonly senderMicros: number;
  readonly storeMicros: number;
}

function makeRows(count: number): Rows {
  const kinds = ['arrival', 'discharge', 'transfer'];
  const at = Date.UTC(2026, 2, 2);
  const events = Array.from({ length: count }, (_, index) => ({
    hospital: `Bệnh viện Thử ${index % 40}`,
    kind: kinds[index % 3],
    at: at + index * 37,
    message: `MSG${1_000_000 + index}`,
    note: index % 4 === 0 ? 'chuyển từ tuyến dưới' : null,
    minutes: index % 5 === 0 ? null : (index % 600) / 7,
    beds: index % 60,
    share: (index % 101) / 101,
  }));
  const origins = events.map((_event, index) => ({ stage: 'bench', partition: 0, sequence: index + 1, index: 0 }));
  return { events, origins };
}

function storeCpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

async function insertJson(client: ClickHouseClient, { events, origins }: Rows, token: string): Promise<void> {
  const values = events.map((event, index) => {
    const origin = origins[index];
    return [...Object.values(event), origin?.stage, origin?.partition, origin?.sequence, origin?.index];
  });
  await client.insert({
    table: table.name,
    values,
    format: 'JSONCompactEachRow',
    clickhouse_settings: { async_insert: 0, insert_deduplication_token: token, wait_end_of_query: 1 },
  });
}

async function measure(args: {
  way: string;
  batchRows: number;
  durationMs: number;
  pid: number;
  store: Store;
  insert(token: string): Promise<void>;
}): Promise<Result> {
  const { way, batchRows, durationMs, pid, store, insert } = args;
  await store.command(`TRUNCATE TABLE ${table.name}`);
  await insert(`${way}/${batchRows}/warm`);
  const before = { cpu: process.cpuUsage(), store: storeCpuSeconds(pid), at: performance.now() };
  let batches = 0;
  while (performance.now() - before.at < durationMs) await insert(`${way}/${batchRows}/${batches++}`);
  const seconds = (performance.now() - before.at) / 1_000;
  const { user, system } = process.cpuUsage(before.cpu);
  const rows = batches * batchRows;
  const [stored] = await store.query<{ n: number }>(`SELECT count() AS n FROM ${table.name}`);
  if (stored?.n !== rows + batchRows) throw new Error(`${stored?.n} rows are stored of ${rows + batchRows} inserted`);
  return {
    way,
    batchRows,
    rowsPerSecond: Math.round(rows / seconds),
    senderMicros: (user + system) / rows,
    storeMicros: ((storeCpuSeconds(pid) - before.store) * 1e6) / rows,
  };
}

async function measureAll(durationMs: number): Promise<Result[]> {
  return withStore(async (store, { embedded }) => {
    const client = createClient({ url: store.url });
    await store.ensureTable(table);
    await store.ensureTable({ ...table, name: 'origin' });
    const results: Result[] = [];
    for (const batchRows of batchSizes) {
      const rows = makeRows(batchRows);
      await store.command('TRUNCATE TABLE origin');
      await store.insert({ ...table, name: 'origin' }, rows, `origin/${batchRows}`);
      const ways: [string, (token: string) => Promise<void>][] = [
        ['mach (Native)', (token) => store.insert(table, rows, token)],
        ['client (JSON)', (token) => insertJson(client, rows, token)],
        [
          'inside the engine',
          (token) =>
            store.command(`INSERT INTO readings SETTINGS insert_deduplication_token = '${token}' SELECT * FROM origin`),
        ],
      ];
      for (const [way, insert] of ways) {
        results.push(await measure({ way, batchRows, durationMs, pid: embedded.pid, store, insert }));
      }
    }
    await client.close();
    return results;
  });
}

function print(results: readonly Result[]): void {
  console.log(
    `${cpus().length} cores, ${arch()}, Node ${process.version}; 12 columns; target ${targetPerSecond} rows/s`,
  );
  for (const { way, batchRows, rowsPerSecond, senderMicros, storeMicros } of results) {
    const ceiling =
      results.find((one) => one.batchRows === batchRows && one.way === 'inside the engine')?.rowsPerSecond ?? 1;
    console.log(
      [
        `${batchRows}`.padStart(6),
        way.padEnd(18),
        `${rowsPerSecond}`.padStart(9),
        'rows/s',
        `${((100 * rowsPerSecond) / ceiling).toFixed(0)} %`.padStart(6),
        `  CPU per row: sender ${senderMicros.toFixed(2)} µs, store ${storeMicros.toFixed(2)} µs`,
      ].join(' '),
    );
  }
}

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { for: { type: 'string', default: '1s' }, json: { type: 'string' } } });
  const durationMs = parseDuration(values.for);
  if (durationMs === undefined) throw new UseError(`--for ${values.for} is not a duration: write 2s`);
  const results = await measureAll(durationMs);
  print(results);
  if (values.json) await writeFile(values.json, `${JSON.stringify({ targetPerSecond, results }, null, 2)}\n`);
}
