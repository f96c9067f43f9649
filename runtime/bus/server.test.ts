import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { connectLog } from './jetstream/log.ts';
import { findNatsServer, startNatsServer } from './server.ts';
import { isAlive, processStart } from './server-lock.ts';
import { events } from './testing/log-contract.ts';

async function inFolder(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'mach-server-'));
  try {
    await body(directory);
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
  }
}

const gone = async (processId: number): Promise<void> => {
  while (processStart(processId) !== undefined) await sleep(20);
};

/** Starts a server in another process, which then waits to be killed. */
async function startElsewhere(directory: string): Promise<{ parent: number; server: number; url: string }> {
  const module = fileURLToPath(new URL('./server.ts', import.meta.url));
  const script = `
    import { startNatsServer } from ${JSON.stringify(module)};
    const { processId, url } = await startNatsServer({ directory: ${JSON.stringify(directory)}, syncAlways: false });
    console.log(JSON.stringify({ server: processId, url }));
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (data: Buffer) => resolve(data.toString()));
    child.once('close', () => reject(new Error('the other process ended')));
  });
  return { parent: child.pid ?? 0, ...(JSON.parse(line) as { server: number; url: string }) };
}

describe('startNatsServer', () => {
  it('starts on a free port, keeps the log over a restart, and frees the folder', () =>
    inFolder(async (directory) => {
      for (const expected of [1, 2]) {
        const server = await startNatsServer({ directory });
        const log = await connectLog({ url: server.url });
        const stream = await log.stream(events);
        expect(await stream.append('events.a', new Uint8Array(1))).toEqual({ sequence: expected, duplicate: false });
        expect((await log.check()).syncAlways).toBe(true);
        await log.close();
        const { processId } = server;
        await server.stop();
        await server.stop();
        expect(processStart(processId)).toBeUndefined();
      }
    }));

  it('refuses a folder that a living engine uses (MACH3011)', () =>
    inFolder(async (directory) => {
      const server = await startNatsServer({ directory, syncAlways: false });
      await expect(startNatsServer({ directory })).rejects.toMatchObject({
        code: 'MACH3011',
        data: { owner: process.pid },
      });
      await server.stop();
      const elsewhere = await startElsewhere(directory);
      await expect(startNatsServer({ directory })).rejects.toMatchObject({
        code: 'MACH3011',
        data: { owner: elsewhere.parent },
      });
      process.kill(elsewhere.parent, 'SIGKILL');
      await gone(elsewhere.server);
    }));

  it('ends with the process that started it, even when that is killed', () =>
    inFolder(async (directory) => {
      const { parent, server } = await startElsewhere(directory);
      expect(processStart(server)).toBeDefined();
      process.kill(parent, 'SIGKILL');
      await gone(server);
      const next = await startNatsServer({ directory, syncAlways: false });
      await next.stop();
    }));

  it('ends a server that a dead engine has left, and leaves foreign processes with its id alone', () =>
    inFolder(async (directory) => {
      // A server that hangs does not end by itself with its parent at once: it is stopped here.
      const { parent, server } = await startElsewhere(directory);
      process.kill(server, 'SIGSTOP');
      process.kill(parent, 'SIGKILL');
      await gone(parent);
      const next = await startNatsServer({ directory, syncAlways: false });
      expect(processStart(server)).toBeUndefined();
      expect(next.processId).not.toBe(server);
      await next.stop();

      const foreign = spawn('sleep', ['60']);
      const mark = { processId: foreign.pid ?? 0, started: 'another time' };
      expect(isAlive(mark)).toBe(false);
      await writeFile(join(directory, 'engine.lock'), JSON.stringify({ owner: mark, server: mark }));
      const again = await startNatsServer({ directory, syncAlways: false });
      expect(processStart(mark.processId)).toBeDefined();
      foreign.kill();
      await again.stop();
    }));

  it('starts a server that died again, on the same port', () =>
    inFolder(async (directory) => {
      const happened: string[] = [];
      const server = await startNatsServer({
        directory,
        syncAlways: false,
        onEvent: ({ kind }) => happened.push(kind),
      });
      const first = server.processId;
      process.kill(first, 'SIGKILL');
      while (!happened.includes('restarted')) await sleep(10);
      expect(server.processId).not.toBe(first);
      const log = await connectLog({ url: server.url });
      await log.check();
      await log.close();
      await server.stop();
      expect(happened).toEqual(['ended', 'restarted']);
    }));

  it('says so when it may not start it again (MACH3014)', () =>
    inFolder(async (directory) => {
      const server = await startNatsServer({ directory, syncAlways: false, keepAlive: false });
      process.kill(server.processId, 'SIGKILL');
      await expect(server.failed).rejects.toMatchObject({ code: 'MACH3014' });
      await server.stop();
    }));

  it('says why a server does not start, with what it printed (MACH3012), and frees the folder', () =>
    inFolder(async (directory) => {
      const taken = createServer();
      await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
      const address = taken.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      const start = startNatsServer({ directory, port });
      await expect(start).rejects.toMatchObject({ code: 'MACH3012' });
      await expect(start).rejects.toThrow(/address already in use/);
      taken.close();
      await expect(startNatsServer({ directory, program: '/bin/false' })).rejects.toMatchObject({ code: 'MACH3012' });
      await expect(startNatsServer({ directory, program: '/nowhere/nats-server' })).rejects.toMatchObject({
        code: 'MACH3012',
      });
      await expect(readFile(join(directory, 'engine.lock'))).rejects.toMatchObject({ code: 'ENOENT' });
      const server = await startNatsServer({ directory, syncAlways: false });
      await server.stop();
    }));
});

describe('findNatsServer', () => {
  it('takes MACH_NATS_SERVER first, and says where it looked (MACH3013)', () => {
    expect(findNatsServer({ MACH_NATS_SERVER: process.execPath })).toBe(process.execPath);
    expect(() => findNatsServer({ MACH_NATS_SERVER: '/nowhere/nats-server' })).toThrow('MACH_NATS_SERVER=/nowhere');
    expect(findNatsServer()).toMatch(/nats-server$/);
  });
});
