/**
 * A topology that is wrong in three places: a source that refuses good rows, a look-up whose server does not know them yet, a table that
 * does not take them. What it turned away goes in again once all is mended, twice and killed in the middle: each row is there once.
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../runtime/cli/main.ts';
import { systemClock } from '../runtime/clock.ts';
import { connectStore, type Store } from '../runtime/store/index.ts';
import { isBalanced } from '../runtime/stream/ledger.ts';
import { type EngineProcess, startEngineProcess, statusOf } from './engine-process.ts';

const mach = fileURLToPath(new URL('../bin/mach.js', import.meta.url));

const topologyText = (port: number, bedsMax: string) => `version: 1
name: wards
sources:
  rows:
    file-drop:
      folder: inbox
      format: csv
      schema:
        id: string
        patient: { type: string, privacy: direct }
        hospital: string
        at: timestamp
        beds: { type: int${bedsMax} }
      time: at
      origin: hospital
      settle: 50ms
      scan: 100ms
operators:
  named:
    enrich:
      from: rows
      url: http://127.0.0.1:${port}/{hospital}
      set: { name: string }
      missing: dead
      retries: 0
sinks:
  wards: { clickhouse: { from: named, table: wards, order_by: id } }
`;

/** 30 rows: a third has more beds than the source believes at first, a third is of a hospital that the server does not know at first. */
const ids = Array.from({ length: 30 }, (_, at) => `r${at}`);
const csv = [
  'id,patient,hospital,at,beds',
  ...ids.map(
    (id, at) => `${id},Nguyễn Văn Thử,${at % 3 === 1 ? 'H2' : 'H1'},2026-03-02T07:00:00+07:00,${at % 3 === 0 ? 60 : 5}`,
  ),
].join('\n');
/** Of the third that comes through, the rows that the table does not take at first. */
const refusedIds = ids.filter((id, at) => at % 3 === 2 && id.startsWith('r2'));

/** The log is that of the data folder, whatever servers the tests are given. */
const ownServers = { NATS_URL: '', CLICKHOUSE_URL: '' };

interface Ran {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

describe('dead letters of a topology that is mended', () => {
  let directory: string;
  let data: string;
  let file: string;
  let server: Server;
  let knows: ReadonlySet<string> = new Set(['H1']);
  let engine: EngineProcess | undefined;
  let store: Store | undefined;

  /** In this process: one of its own takes seconds to start. */
  async function command(...args: readonly string[]): Promise<Ran> {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const loadCatalogue = () => import('../catalogue.ts');
    const argv = ['dead-letter', ...args, '--data', data];
    const code = await main(argv, { version: 'test', env: {}, stdout, stderr, loadCatalogue });
    const read = (stream: PassThrough) => (stream.read() as Buffer | null)?.toString() ?? '';
    return { code, output: read(stdout), errors: read(stderr) };
  }

  async function listed(...flags: string[]) {
    const { code, output, errors } = await command('list', file, '--json', ...flags);
    expect(code, errors).toBe(0);
    return JSON.parse(output) as {
      letters: { id: string; node: string; code: string; state: string; attempts: number; kind: string }[];
      counts: { node: string; code: string; letters: number; open: number; redriven: number }[];
    };
  }

  async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    const deadline = AbortSignal.timeout(60_000);
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (deadline.aborted) throw new Error(`${what}: not within a minute`);
      await sleep(50);
    }
  }

  async function start(bedsMax: string): Promise<EngineProcess> {
    await writeFile(file, topologyText((server.address() as AddressInfo).port, bedsMax));
    engine = await startEngineProcess([file, '--data', data], ownServers);
    store = await connectStore({ url: engine.storeUrl, clock: systemClock() });
    return engine;
  }

  async function stop(): Promise<void> {
    await store?.close();
    expect(await engine?.stop()).toBe(0);
    engine = undefined;
  }

  const countRows = async () => {
    const sql = 'SELECT toInt32(count()) AS rows, toInt32(uniqExact(id)) AS ids FROM wards';
    return (await store?.query<{ rows: number; ids: number }>(sql))?.[0];
  };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'mach-dead-letters-'));
    data = join(directory, 'data');
    file = join(directory, 'wards.yaml');
    await mkdir(join(directory, 'inbox'));
    server = createServer((request, response) => {
      const hospital = String(request.url).slice(1);
      response.writeHead(knows.has(hospital) ? 200 : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ name: `Bệnh viện ${hospital}` }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterAll(async () => {
    await engine?.kill();
    await new Promise((resolve) => server.close(resolve));
    await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
  });

  it('are kept where it was wrong: at the source, at the operator, at the sink', async () => {
    await start(', maximum: 50');
    await store?.command("ALTER TABLE wards ADD CONSTRAINT mistake CHECK id NOT LIKE 'r2%'");
    await writeFile(join(directory, 'rows.csv'), csv);
    await rename(join(directory, 'rows.csv'), join(directory, 'inbox', 'rows.csv'));
    const all = 20 + refusedIds.length;
    const { letters, counts } = await until('letters', async () => {
      const found = await listed();
      return found.letters.length === all ? found : undefined;
    });
    expect(new Set(letters.map(({ kind, node, state }) => `${kind} ${node} ${state}`))).toEqual(
      new Set(['decode rows open', 'operator named open', 'sink wards open']),
    );
    expect(counts.map(({ node, code, letters: count }) => [node, code, count])).toEqual(
      expect.arrayContaining([
        ['rows', 'MACH2210', 10],
        ['named', 'MACH1860', 10],
        ['wards', 'MACH3102', refusedIds.length],
      ]),
    );
    expect(await countRows()).toEqual({ rows: 10 - refusedIds.length, ids: 10 - refusedIds.length });
    await store?.command('ALTER TABLE wards DROP CONSTRAINT mistake');
    await stop();
  });

  it('show what they hold, and hide who it is about until somebody signs for it', async () => {
    const decode = (await listed('--node', 'rows')).letters[0]?.id ?? '';
    const operator = (await listed('--node', 'named')).letters[0]?.id ?? '';
    const shown = await command('show', file, decode.slice(0, 8));
    expect(shown.output).toContain('beds ••• is more than 50');
    expect(shown.output).not.toContain('Nguyễn');
    const hidden = await command('show', file, operator, '--json');
    expect(JSON.parse(hidden.output).content.event).toMatchObject({ patient: '•••', hospital: 'H2', beds: 5 });
    const revealed = await command('show', file, decode, '--reveal', '--reason', 'hồ sơ thử');
    expect(revealed.output).toContain('Nguyễn Văn Thử,H1,2026-03-02T07:00:00+07:00,60');
    const [line, ...more] = (await readFile(join(data, 'audit.ndjson'), 'utf8')).trim().split('\n');
    expect(more).toEqual([]);
    expect(JSON.parse(String(line))).toMatchObject({
      action: 'dead-letter show',
      topology: 'wards',
      letter: decode,
    });
  });

  it('count once, redriven twice and killed in the middle', async () => {
    knows = new Set(['H1', 'H2']);
    const running = await start('');
    const all = 20 + refusedIds.length;
    const dry = JSON.parse((await command('redrive', file, '--all', '--dry-run', '--json')).output);
    expect(dry).toMatchObject({ dry_run: true, redriven: all, before: 0, left: 0 });

    // Slow enough to be killed on the way, one a second; and the engine dies with it.
    const args = [mach, 'dead-letter', 'redrive', file, '--all', '--rate', '1', '--data', data];
    const child = spawn(process.execPath, args, { stdio: 'ignore', env: { ...process.env, ...ownServers } });
    const ended = new Promise((resolve) => child.once('close', resolve));
    await until('the first that went in', async () =>
      (await statusOf(running)).accounting.redriven > 0 ? true : undefined,
    );
    child.kill('SIGKILL');
    expect(await ended).toBeNull();
    await running.kill();
    await store?.close();
    const revived = await start('');
    const { redriven: before } = (await statusOf(revived)).accounting;
    expect(before).toBeLessThan(all);

    const [one, other] = await Promise.all(
      [1, 2].map(() => command('redrive', file, '--all', '--wait', '30s', '--json')),
    );
    const counts = [one, other].map((ran) => JSON.parse(String(ran?.output)) as { redriven: number; left: number });
    expect(counts.reduce((sum, { redriven }) => sum + redriven, before)).toBe(all);
    expect(counts.map(({ left }) => left)).toEqual([0, 0]);
    await until('all rows', async () => ((await countRows())?.ids === ids.length ? true : undefined));
    const again = await command('redrive', file, '--all', '--json');
    expect(JSON.parse(again.output)).toMatchObject({ redriven: 0, left: 0, letters: [] });

    const { letters } = await listed();
    expect(letters).toHaveLength(all);
    expect(new Set(letters.map(({ state, attempts }) => `${state} ${attempts}`))).toEqual(new Set(['redriven 1']));
    const { accounting } = await statusOf(revived);
    expect(isBalanced(accounting), JSON.stringify(accounting)).toBe(true);
    // A row that waits for its look-up is delivered to it: its letter comes after.
    expect(accounting).toMatchObject({ in: 30 + all, dead_lettered: 10, redriven: all });
    expect(await countRows()).toEqual({ rows: ids.length, ids: ids.length });
    await stop();
  });
});
