/**
 * The disk under a running engine fills up, and its servers' writes fail: senders are refused or wait, the probe says why, and when there
 * is room again everything goes on without a restart. Afterwards the store holds what was acknowledged, once.
 *
 * The disk of a test machine is not filled: the reserve is set to almost all of what is free, and a file takes the rest. Failing writes are
 * those of a process whose files may not grow.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { systemClock } from '../runtime/clock.ts';
import { diskRoom } from '../runtime/disk-room.ts';
import { connectStore } from '../runtime/store/index.ts';
import { type EngineProcess, freePort, startEngineProcess } from './engine-process.ts';

const mebibyte = 1024 ** 2;
/** Other tests fill and empty the same disk meanwhile: what they take must be little beside this. */
const marginMebibytesMax = 4_096;

const topology = `
version: 1
name: full-disk
sources:
  adt:
    hl7-mllp: { listen: "\${env:MACH_HL7}" }
operators:
  once:
    dedupe: { from: adt, by: [hospital, message_id, part], within: 24h }
sinks:
  raw_rows:
    clickhouse: { from: adt, table: raw_rows, order_by: [message_id] }
  once_rows:
    clickhouse: { from: once, table: once_rows, order_by: [message_id] }
`;

function message(id: string): string {
  const fields = `MSH|^~\\&|HIS|BVTHU|MACH|SYT|20261122180000+0700||ADT^A04|${id}|P|2.5`;
  return `\x0b${fields}\rEVN|A04|20261122180000+0700\rPID|1||P1^^^BVTHU^MR||Nguyễn^Văn Thử\rPV1|1|E|ED^01^1\x1c\r`;
}

interface Sender {
  readonly acknowledged: readonly string[];
  readonly refusals: readonly string[];
  /** Sends nothing more; resolves when the last message has its acknowledgement. */
  stop(): Promise<void>;
}

/** Sends one message after the other over one connection, and each again until it is acknowledged. */
async function startSender(port: number, name: string): Promise<Sender> {
  const socket = createConnection({ host: '127.0.0.1', port }).setEncoding('utf8');
  const acknowledged: string[] = [];
  const refusals: string[] = [];
  let stopping = false;
  const finished = (async () => {
    let text = '';
    const answers = socket[Symbol.asyncIterator]();
    const answer = async (): Promise<string> => {
      for (;;) {
        const end = text.indexOf('\x1c\r');
        if (end >= 0) {
          const one = text.slice(0, end);
          text = text.slice(end + 2);
          return one;
        }
        const { value, done } = await answers.next();
        if (done) throw new Error('the engine closed the connection');
        text += value;
      }
    };
    for (let number = 1; !stopping; number++) {
      const id = `${name}-${number}`;
      for (;;) {
        socket.write(message(id));
        const said = await answer();
        if (/\rMSA\|AA\|/.test(said)) break;
        refusals.push(said);
        await sleep(50);
      }
      acknowledged.push(id);
    }
    socket.destroy();
  })();
  return {
    acknowledged,
    refusals,
    async stop() {
      stopping = true;
      await finished;
    },
  };
}

async function readiness(engine: EngineProcess): Promise<{ ready: boolean; reasons: string[] }> {
  return (await (await fetch(`${engine.observeUrl}/readyz`)).json()) as { ready: boolean; reasons: string[] };
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(50);
}

const limitFiles = (pid: number, bytes: number) => execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]);

function logServerPid(data: string): number {
  const ports = readdirSync(join(data, 'nats')).find((name) => name.endsWith('.ports')) ?? '';
  return Number(/\d+/.exec(ports)?.[0]);
}

it('holds back while its disk is full, and goes on by itself with nothing lost', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'mach-full-disk-'));
  const file = join(directory, 'full-disk.yaml');
  writeFileSync(file, topology);
  const data = join(directory, 'data');
  const port = await freePort();
  const freeMebibytes = Math.floor(diskRoom(directory).freeBytes / mebibyte);
  const marginMebibytes = Math.min(marginMebibytesMax, Math.floor(freeMebibytes / 4));
  const reserve = freeMebibytes - marginMebibytes;
  const env = {
    MACH_HL7: `127.0.0.1:${port}`,
    MACH_DISK_RESERVE_MIB: String(reserve),
    NATS_URL: '',
    CLICKHOUSE_URL: '',
  };
  const engine = await startEngineProcess([file, '--data', data], env);
  const saidCodes = () => new Set(engine.lines.map(({ code }) => code));
  try {
    const senders = await Promise.all(['a', 'b', 'c'].map((name) => startSender(port, name)));
    const count = () => senders.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
    const goesOn = async () => {
      const before = count();
      await until(() => count() > before + 30);
    };
    await goesOn();

    const filler = join(directory, 'filler');
    execFileSync('fallocate', ['--length', `${2 * marginMebibytes}MiB`, filler]);
    await until(async () => (await readiness(engine)).reasons.some((reason) => /^log: .*is full/.test(reason)));
    await until(() => senders.some(({ refusals }) => refusals.some((said) => said.includes('is full'))));
    await until(() => saidCodes().has('MACH3017') && saidCodes().has('MACH3110'));
    rmSync(filler);
    await goesOn();
    await until(async () => (await readiness(engine)).ready);

    // The log's own writes fail; those of the store are in `runtime/store/embedded/full-disk.test.ts`.
    const pid = logServerPid(data);
    // Less than the folder's files have already: the next write fails.
    limitFiles(pid, 600);
    await until(() => logServerPid(data) !== pid);
    await goesOn();

    await Promise.all(senders.map((sender) => sender.stop()));
    const owed = senders.flatMap(({ acknowledged }) => acknowledged);
    const store = await connectStore({ url: engine.storeUrl, clock: systemClock() });
    const held = async (table: string) => {
      const rows = await store
        .query<{ id: string; count: number }>(`SELECT message_id AS id, count() AS count FROM ${table} GROUP BY id`)
        .catch(() => []);
      return new Map(rows.map(({ id, count }) => [id, count]));
    };
    for (const table of ['once_rows', 'raw_rows']) await until(async () => (await held(table)).size >= owed.length);
    const once = await held('once_rows');
    expect([...once.values()].every((times) => times === 1)).toBe(true);
    expect(owed.filter((id) => !once.has(id))).toEqual([]);
    const raw = await held('raw_rows');
    expect(owed.filter((id) => !raw.has(id))).toEqual([]);
    await store.close();
    expect(engine.process.exitCode).toBeNull();
    expect(await engine.stop()).toBe(0);
  } finally {
    await engine.kill();
    rmSync(directory, { recursive: true, force: true });
  }
});
