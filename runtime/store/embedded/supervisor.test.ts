import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../clock.ts';
import type { MachError } from '../../errors.ts';
import { defineSchema, field } from '../../stream/schema.ts';
import { connectStore } from '../clickhouse.ts';
import type { Store, TableSpec } from '../store.ts';
import { readState } from './state-file.ts';
import { type EmbeddedStore, startEmbeddedStore } from './supervisor.ts';

let directory: string;
const started: (EmbeddedStore | Store)[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mach-embedded-'));
});
afterEach(async () => {
  for (const one of started.splice(0).reverse()) await ('stop' in one ? one.stop() : one.close());
  await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
});

async function start(): Promise<EmbeddedStore> {
  const embedded = await startEmbeddedStore({ directory });
  started.push(embedded);
  return embedded;
}

async function connect(url: string): Promise<Store> {
  const store = await connectStore({ url, clock: systemClock() });
  started.push(store);
  return store;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const table: TableSpec = {
  name: 'arrivals',
  schema: defineSchema({ hospital: field.string({ repeated: true }), number: field.int() }),
  orderBy: ['number'],
  rows: 'append',
};

const batchRows = 50;

/** Inserts a batch until it is stored, as a sink does. */
async function insertSurely(store: Store, batch: number): Promise<number> {
  const events = Array.from({ length: batchRows }, (_, index) => ({
    hospital: 'H1',
    number: batch * batchRows + index,
  }));
  const origins = events.map((_event, index) => ({ stage: 's', partition: 0, sequence: batch + 1, index }));
  for (let tries = 1; ; tries++) {
    try {
      await store.insert(table, { events, origins }, `batch ${batch}`);
      return tries;
    } catch (error) {
      expect((error as MachError).code).toBe('MACH3103');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

describe('the embedded store', () => {
  it('loses nothing that it acknowledged when it is killed between and during inserts, and stores a repeated token once', async () => {
    const embedded = await start();
    const store = await connect(embedded.url);
    await store.ensureTable(table);
    const batches = 60;
    let inserted = 0;
    let killed = 0;
    let repeated = 0;
    const writer = async (first: number) => {
      for (let batch = first; batch < batches; batch += 3) {
        if ((await insertSurely(store, batch)) > 1) repeated++;
        // One that was acknowledged comes again, as after a crash of the engine.
        await insertSurely(store, batch);
        inserted++;
      }
    };
    const killer = async () => {
      for (const after of [5, 20, 40]) {
        await until(() => inserted >= after);
        const { pid } = embedded;
        process.kill(pid, 'SIGKILL');
        killed++;
        await until(() => embedded.pid !== pid);
      }
    };
    await Promise.all([writer(0), writer(1), writer(2), killer()]);
    expect(killed).toBe(3);
    expect(repeated).toBeGreaterThan(0);
    expect(await store.query('SELECT count() AS n, uniqExact(number) AS distinct FROM arrivals')).toEqual([
      { n: batches * batchRows, distinct: batches * batchRows },
    ]);
  });

  it('is joined by a second start, which takes over on the same port when the first is gone', async () => {
    const first = await startEmbeddedStore({ directory });
    const second = await start();
    expect(first.joined).toBe(false);
    expect(second).toMatchObject({ joined: true, url: first.url, pid: first.pid });
    const store = await connect(second.url);
    await store.ensureTable(table);
    await insertSurely(store, 0);
    await first.stop();
    await until(() => !second.joined);
    expect(second.url).toBe(first.url);
    expect(await store.query('SELECT count() AS n FROM arrivals')).toEqual([{ n: batchRows }]);
  });

  it('is one process when several start at the same time', async () => {
    const all = await Promise.all([start(), start(), start()]);
    expect(new Set(all.map(({ pid }) => pid)).size).toBe(1);
    expect(all.filter(({ joined }) => !joined)).toHaveLength(1);
  });

  it('takes over from a state file that names nobody, or somebody else', async () => {
    await writeFile(join(directory, 'store.json'), JSON.stringify({ port: 1, pid: process.pid, instance: 'gone' }));
    const embedded = await start();
    expect(embedded.joined).toBe(false);
    expect(readState(directory)).toMatchObject({ pid: embedded.pid });
  });

  it('ends cleanly when told to: queries finish, the state file goes, the rows stay', async () => {
    const embedded = await startEmbeddedStore({ directory });
    const store = await connect(embedded.url);
    await store.ensureTable(table);
    await insertSurely(store, 0);
    const last = store.query('SELECT sleep(0.5) AS slept, count() AS n FROM arrivals');
    await until(
      async () => (await store.query("SELECT query FROM system.processes WHERE query LIKE 'SELECT sleep%'")).length > 0,
    );
    const { pid } = embedded;
    await embedded.stop();
    expect(await last).toEqual([{ slept: 0, n: batchRows }]);
    expect(isRunning(pid)).toBe(false);
    expect(existsSync(join(directory, 'store.json'))).toBe(false);
    const again = await start();
    const reopened = await connect(again.url);
    expect(await reopened.query('SELECT count() AS n FROM arrivals')).toEqual([{ n: batchRows }]);
  });

  it('ends with the process that started it, unless it is detached', async () => {
    const run = async (detached: boolean): Promise<number> => {
      const script = [
        `import { startEmbeddedStore } from ${JSON.stringify(new URL('./supervisor.ts', import.meta.url).href)};`,
        `const { pid } = await startEmbeddedStore({ directory: ${JSON.stringify(directory)}, detached: ${detached} });`,
        'process.stdout.write(String(pid) + "\\n");',
        'setInterval(() => {}, 1000);',
      ].join('\n');
      const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
      const parent = spawn(process.execPath, ['--import', loader, '--input-type=module', '--eval', script]);
      const pid = await new Promise<number>((resolve, reject) => {
        parent.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString())));
        parent.once('exit', (code) => reject(new Error(`the parent ended with ${code}`)));
      });
      parent.removeAllListeners('exit');
      const ended = new Promise((resolve) => parent.once('exit', resolve));
      parent.kill('SIGKILL');
      await ended;
      return pid;
    };
    const attached = await run(false);
    await until(() => !isRunning(attached));
    const detached = await run(true);
    const joined = await start();
    expect(joined).toMatchObject({ joined: true, pid: detached });
    process.kill(detached, 'SIGTERM');
    await until(() => !isRunning(detached));
  });

  it('says why it did not start', async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    await expect(startEmbeddedStore({ directory: join(file, 'below') })).rejects.toMatchObject({
      code: 'MACH3105',
      message: expect.stringContaining('ENOTDIR'),
    });
  });
});
