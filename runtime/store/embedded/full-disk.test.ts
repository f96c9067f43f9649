/** A disk that refuses writes, and kills at bad moments: what was answered is there, and once. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../clock.ts';
import { diskRoom } from '../../disk-room.ts';
import { MachError } from '../../errors.ts';
import { defineSchema, field } from '../../stream/schema.ts';
import { connectStore } from '../clickhouse.ts';
import type { Store, TableSpec } from '../store.ts';
import { newestLog, readTokens } from './deduplication-log.ts';
import { partProblem } from './part-check.ts';
import { type EmbeddedStore, type EmbeddedStoreOptions, startEmbeddedStore } from './supervisor.ts';
import { partsIn, tableFolders } from './table-folder.ts';

const table: TableSpec = {
  name: 't',
  schema: defineSchema({ id: field.string() }),
  orderBy: ['id'],
  rows: 'append',
};

let directory: string;
let embedded: EmbeddedStore | undefined;
let store: Store | undefined;
let logged: { readonly level: string; readonly fields: Record<string, unknown>; readonly message: string }[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mach-full-'));
  logged = [];
});
afterEach(async () => {
  await stop();
  await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
});

async function start(options: Omit<EmbeddedStoreOptions, 'directory'> = {}): Promise<Store> {
  const say = (level: string) => (fields: object, message: string) => {
    logged.push({ level, fields: { ...fields }, message });
  };
  const logger = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
  embedded = await startEmbeddedStore({ directory, logger, ...options });
  store = await connectStore({ url: embedded.url, clock: systemClock() });
  return store;
}

async function stop(): Promise<void> {
  await store?.close();
  await embedded?.stop();
  store = undefined;
  embedded = undefined;
}

const insert = (into: Store, sequence: number) =>
  into.insert(
    table,
    { events: [{ id: `r${sequence}` }], origins: [{ stage: 's1', partition: 0, sequence, index: 0 }] },
    `token ${sequence}`,
  );

/** As a sink does: the same rows under the same token until they are taken. Resolves with the codes of the tries that failed. */
async function insertSurely(into: Store, sequence: number): Promise<string[]> {
  const codes: string[] = [];
  for (;;) {
    try {
      await insert(into, sequence);
      return codes;
    } catch (error) {
      if (!(error instanceof MachError)) throw error;
      codes.push(error.code);
      await pause();
    }
  }
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 20));

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause();
}

/** How often each sequence is stored. */
async function stored(from: Store): Promise<Record<string, number>> {
  const rows = await from.query<{ _sequence: number; count: number }>(
    'SELECT _sequence, count() AS count FROM t GROUP BY _sequence ORDER BY _sequence',
  );
  return Object.fromEntries(rows.map(({ _sequence, count }) => [_sequence, count]));
}

const once = (sequences: number) => Object.fromEntries(Array.from({ length: sequences }, (_, i) => [i + 1, 1]));

/** From now on no file of the process can grow beyond this: its writes fail as on a full disk. */
function limitFiles(pid: number, bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]);
}

const dataFolder = () => join(directory, 'data');
const tableFolder = (): string => tableFolders(dataFolder())[0] ?? '';
const codes = () => logged.flatMap(({ fields }) => (typeof fields.code === 'string' ? [fields.code] : []));

describe('an embedded store whose writes fail', () => {
  it('does not answer for an insert that is not whole on the disk, and takes it once when it comes again', async () => {
    const into = await start();
    await into.ensureTable(table);
    for (let sequence = 1; sequence <= 8; sequence++) await insert(into, sequence);
    const pid = embedded?.pid ?? 0;
    // The body of the insert fits, its part does not.
    limitFiles(pid, 300);
    const failures = await insertSurely(into, 9);
    expect(failures).toContain('MACH3103');
    expect(embedded?.pid).not.toBe(pid);
    expect(codes()).toContain('MACH3111');
    await insert(into, 9);
    expect(await stored(into)).toEqual(once(9));
  });

  it('undoes a merge that is not whole from the parts it was made of', async () => {
    const into = await start();
    await into.ensureTable(table);
    for (let sequence = 1; sequence <= 5; sequence++) await insert(into, sequence);
    const pid = embedded?.pid ?? 0;
    limitFiles(pid, 300);
    await expect(into.command('OPTIMIZE TABLE t FINAL')).rejects.toThrow();
    await until(() => embedded?.pid !== pid);
    expect(codes()).toContain('MACH3111');
    for (let sequence = 1; sequence <= 5; sequence++) await insertSurely(into, sequence);
    expect(await stored(into)).toEqual(once(5));
    // And the merge can be made now.
    await into.command('OPTIMIZE TABLE t FINAL');
    expect(await stored(into)).toEqual(once(5));
  });

  it('heals what a kill has left: a token without its part, a torn line, a part cut short', async () => {
    const into = await start();
    await into.ensureTable(table);
    for (let sequence = 1; sequence <= 3; sequence++) await insert(into, sequence);
    await stop();
    const folder = tableFolder();
    const { tokens } = readTokens(folder);
    expect(tokens).toHaveLength(3);
    const [first, second] = tokens;
    // Killed between the token and the part.
    renameSync(join(folder, first?.part ?? ''), join(folder, `tmp_insert_${first?.part}`));
    // Killed before the disk had taken all of the part.
    truncateSync(join(folder, second?.part ?? '', 'data.bin'), 10);
    const log = newestLog(folder) ?? '';
    writeFileSync(log, `${readFileSync(log, 'utf8')}1\tall_9`);
    const again = await start();
    expect(logged.filter(({ level }) => level === 'warn')).toMatchObject([
      { fields: { table: 'default.t', tokensForgotten: 2 } },
    ]);
    for (let sequence = 1; sequence <= 3; sequence++) await insert(again, sequence);
    expect(await stored(again)).toEqual(once(3));
    await stop();
    expect(readTokens(folder)).toMatchObject({ torn: false });
    const third = await start();
    for (let sequence = 1; sequence <= 3; sequence++) await insert(third, sequence);
    expect(await stored(third)).toEqual(once(3));
  });

  it('keeps a part that was attached by hand, though no token is remembered of it', async () => {
    const into = await start();
    await into.ensureTable(table);
    const { url, pid } = embedded as EmbeddedStore;
    const run = async (sql: string) => {
      const response = await fetch(url, { method: 'POST', body: sql });
      if (!response.ok) throw new Error(await response.text());
      return (await response.text()).trim();
    };
    await insertSurely(into, 1);
    await insertSurely(into, 2);
    const first = await run(
      "SELECT name FROM system.parts WHERE table = 't' AND active ORDER BY min_block_number LIMIT 1",
    );
    await run(`ALTER TABLE t DETACH PART '${first}'`);
    expect(await run('SELECT count() FROM t')).toBe('1');
    await run(`ALTER TABLE t ATTACH PART '${first}'`);
    await run('CREATE TABLE other AS t');
    await run('ALTER TABLE other ATTACH PARTITION tuple() FROM t');
    // Each insert lets the guard look at all that has come.
    await insertSurely(into, 3);
    expect(await run('SELECT groupArray(id) FROM (SELECT id FROM t ORDER BY id)')).toBe("['r1','r2','r3']");
    expect(await run('SELECT count() FROM other')).toBe('2');
    expect(embedded?.pid).toBe(pid);
    expect(logged.filter(({ level }) => level !== 'info' && level !== 'debug')).toEqual([]);
    await stop();
    const again = await start();
    expect(await again.query<{ rows: number }>('SELECT toInt32(count()) AS rows FROM t')).toEqual([{ rows: 3 }]);
    expect(logged.filter(({ message }) => /aside|forgotten/.test(message))).toEqual([]);
  });

  it('says loudly when a part was damaged from outside and its rows are nowhere else', async () => {
    const into = await start();
    await into.ensureTable(table);
    for (let sequence = 1; sequence <= 3; sequence++) await insert(into, sequence);
    await into.command('OPTIMIZE TABLE t FINAL');
    await stop();
    const folder = tableFolder();
    const merged = partsIn(folder).find(({ level }) => level > 0);
    for (const { name, level } of partsIn(folder)) if (level === 0) rmSync(join(folder, name), { recursive: true });
    truncateSync(join(folder, merged?.name ?? '', 'data.bin'), 10);
    const again = await start();
    expect(codes()).toContain('MACH3112');
    expect(readdirSync(join(folder, 'detached'))).toHaveLength(1);
    expect(await stored(again)).toEqual({});
    await insert(again, 4);
    expect(await stored(again)).toEqual({ 4: 1 });
  });
});

/** Passes requests on to the store, and breaks the connection instead of passing an answer on while `isMute`. */
async function mutingProxy(
  port: number,
): Promise<{ url: string; mute: { isMute: boolean; swallowed: number }; close(): void }> {
  const mute = { isMute: false, swallowed: 0 };
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream);
    upstream.on('data', (chunk) => {
      if (!mute.isMute) return void client.write(chunk);
      mute.swallowed++;
      client.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mute,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

describe('an insert', () => {
  it('whose answer is lost after it was stored is stored once when it comes again, and again after a kill', async () => {
    const into = await start();
    await into.ensureTable(table);
    const proxy = await mutingProxy(Number(new URL(into.url).port));
    const through = await connectStore({ url: proxy.url, clock: systemClock() });
    try {
      proxy.mute.isMute = true;
      for (let sequence = 1; sequence <= 3; sequence++) {
        await expect(insert(through, sequence)).rejects.toMatchObject({ code: 'MACH3103' });
      }
      expect(proxy.mute.swallowed).toBe(3);
      expect(await stored(into)).toEqual(once(3));
      proxy.mute.isMute = false;
      await insert(through, 1);
      process.kill(embedded?.pid ?? 0, 'SIGKILL');
      for (let sequence = 1; sequence <= 3; sequence++) await insertSurely(through, sequence);
      expect(await stored(into)).toEqual(once(3));
    } finally {
      await through.close();
      proxy.close();
    }
  });

  it('that comes several times at once is stored once', async () => {
    const into = await start();
    await into.ensureTable(table);
    for (let sequence = 1; sequence <= 5; sequence++) {
      await Promise.all(Array.from({ length: 4 }, () => insert(into, sequence)));
    }
    expect(await stored(into)).toEqual(once(5));
  });
});

describe('an embedded store without room on its disk', () => {
  const marginBytes = 256 * 1024 ** 2;

  it('takes no rows, answers queries, and goes on by itself when there is room', async () => {
    const { freeBytes } = diskRoom(directory);
    const into = await start({ reserveBytes: freeBytes - marginBytes });
    await into.ensureTable(table);
    await insert(into, 1);
    const filler = join(directory, 'filler');
    for (let written = 0; written < 2 * marginBytes; written += 16 * 1024 ** 2)
      writeFileSync(filler, Buffer.alloc(16 * 1024 ** 2, 1), { flag: 'a' });
    await expect(insert(into, 2)).rejects.toMatchObject({ code: 'MACH3110' });
    await expect(into.command('CREATE TABLE other (id UInt8) ENGINE = MergeTree ORDER BY id')).rejects.toThrow(
      /disk is full/,
    );
    expect(await stored(into)).toEqual(once(1));
    await until(() => codes().includes('MACH3110'));
    rmSync(filler);
    await insertSurely(into, 2);
    expect(await stored(into)).toEqual(once(2));
    await until(() => logged.some(({ message }) => /has room again/.test(message)));
  });

  it('does not start', async () => {
    await expect(start({ reserveBytes: Number.MAX_SAFE_INTEGER })).rejects.toMatchObject({
      code: 'MACH3105',
      message: expect.stringContaining('The disk is full'),
    });
  });
});

describe('partProblem', () => {
  it('finds each file of a part that is cut short, empty or gone', async () => {
    const into = await start();
    await into.ensureTable(table);
    await insert(into, 1);
    await stop();
    const [part] = partsIn(tableFolder());
    const folder = join(tableFolder(), part?.name ?? '');
    expect(partProblem(folder)).toBeNull();
    const files = readdirSync(folder);
    expect(files).toContain('data.bin');
    for (const name of files) {
      const path = join(folder, name);
      const content = readFileSync(path);
      for (const length of [0, content.length >> 1]) {
        // A few bytes that no list has are written at once, or not at all.
        if (length === content.length || (length > 0 && /^(?:metadata|default|columns_sub)/.test(name))) continue;
        writeFileSync(path, content.subarray(0, length));
        expect(partProblem(folder), `${name} with ${length} bytes`).not.toBeNull();
      }
      if (!/^(?:metadata|default|columns_sub)/.test(name)) {
        rmSync(path);
        expect(partProblem(folder), `without ${name}`).not.toBeNull();
      }
      writeFileSync(path, content);
      expect(partProblem(folder)).toBeNull();
    }
    rmSync(folder, { recursive: true });
    // Removed since it was listed.
    expect(partProblem(folder)).toBeNull();
  });
});
