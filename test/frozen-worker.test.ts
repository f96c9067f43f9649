/**
 * A worker stands still (SIGSTOP) for longer than its lease, and the kernel keeps its port for it. The other worker takes its partition,
 * goes on with its own, says what is missing, and takes in once the port is free.
 */
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { hl7Client } from '../connectors/hl7-mllp/client.ts';
import type { EngineStatus } from '../runtime/observe/status.ts';
import { withNats } from '../runtime/testing/with-nats.ts';
import { withStore } from '../runtime/testing/with-store.ts';
import { type EngineProcess, freePort, startEngineProcess, statusOf } from './engine-process.ts';

const topology = `
version: 1
name: frozen
sources:
  hospitals:
    hl7-mllp: { listen: "127.0.0.1:\${env:FROZEN_HL7}" }
    disorder: 2s
    idle: 2s
  files:
    file-drop:
      folder: "\${env:FROZEN_FILES}"
      format: csv
      schema: { id: string, hospital: string, at: timestamp }
      time: at
      origin: hospital
      settle: 100ms
      scan: 200ms
    disorder: 2s
    idle: 2s
operators:
  visits:
    map: { from: hospitals, set: { id: 'coalesce(message_id, "")', hospital: hospital, at: occurred_at }, keep: none }
  both:
    union: { from: [visits, files] }
  once:
    dedupe: { from: both, by: [hospital, id], within: 1h }
sinks:
  frozen_rows:
    clickhouse: { from: once, table: frozen_rows, order_by: [hospital, id] }
`;

const hospitals = ['BV-1', 'BV-2', 'BV-3', 'BV-4', 'BV-5', 'BV-6'];

interface Worker {
  readonly processId: number;
  readonly observe: string;
  readonly owned: readonly number[];
}

/** Workers that answer. */
async function workersOf(run: EngineProcess): Promise<Worker[]> {
  const status = (await statusOf(run)) as EngineStatus & {
    readonly processes?: readonly { readonly processId: number | null; readonly observe: string | null }[];
  };
  const asked = (status.processes ?? []).map(async ({ processId, observe }) => {
    if (processId === null || observe === null) return [];
    try {
      const response = await fetch(`${observe}/status`, { signal: AbortSignal.timeout(2_000) });
      return [{ processId, observe, owned: ((await response.json()) as EngineStatus).partitions.owned }];
    } catch {
      return [];
    }
  });
  return (await Promise.all(asked)).flat();
}

async function until<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found) return found;
    await sleep(50);
  }
}

const ownerOf = (run: EngineProcess, partition: number) =>
  until(async () => (await workersOf(run)).find(({ owned }) => owned.includes(partition)));

async function readyOf({ observe }: Worker): Promise<{ ready: boolean; reasons: readonly string[] }> {
  return (await (await fetch(`${observe}/readyz`)).json()) as { ready: boolean; reasons: readonly string[] };
}

const message = (id: string, hospital: string) =>
  [
    `MSH|^~\\&|GIA|${hospital}|MACH|TRUNGTAM|${stamp()}||ADT^A01|${id}|P|2.5`,
    `EVN|A01|${stamp()}`,
    `PID|1||MADEUP-${id}||NGUYEN^MAU`,
    `PV1|1|E|ED^^^${hospital}||||||||||||||||V-${id}`,
  ].join('\r');

function stamp(): string {
  return new Date(Date.now() + 7 * 3_600_000).toISOString().replace(/[-:T]/g, '').slice(0, 14);
}

it('the other worker goes on with both partitions, and takes in once the port is free', { timeout: 240_000 }, () =>
  withNats(({ url }) =>
    withStore(async (store, { embedded }) => {
      const directory = await mkdtemp(join(tmpdir(), 'mach-frozen-'));
      const [inbox, file] = [join(directory, 'inbox'), join(directory, 'frozen.yaml')];
      await mkdir(inbox);
      await writeFile(file, topology);
      const port = await freePort();
      const env = { FROZEN_HL7: String(port), FROZEN_FILES: inbox, NATS_URL: url, CLICKHOUSE_URL: embedded.url };
      const options = ['--data', join(directory, 'data'), '--workers', '2', '--partitions', '2'];
      const ids = async () =>
        (await store.query<{ id: string }>('SELECT id FROM frozen_rows ORDER BY id')).map(({ id }) => id);
      const drop = async (name: string) => {
        const rows = hospitals.map((hospital) => `${name}-${hospital},${hospital},${new Date().toISOString()}`);
        await writeFile(join(inbox, `${name}.part`), ['id,hospital,at', ...rows, ''].join('\n'));
        await rename(join(inbox, `${name}.part`), join(inbox, `${name}.csv`));
        return hospitals.map((hospital) => `${name}-${hospital}`);
      };
      const untilThere = (wanted: readonly string[]) =>
        until(async () => {
          const there = new Set(await ids());
          return wanted.every((id) => there.has(id));
        });
      let run: EngineProcess | undefined;
      let frozen: number | undefined;
      const client = hl7Client({ port, attempts: 1_000, answerTimeoutMs: 2_000 });
      try {
        run = await startEngineProcess([file, ...options], env);
        const victim = await ownerOf(run, 0);
        const first = await client.send(message('A1', 'BV-1'));
        expect(first.code).toBe('AA');
        await untilThere(['A1', ...(await drop('before'))]);

        process.kill(victim.processId, 'SIGSTOP');
        frozen = victim.processId;
        const heir = await until(async () =>
          (await workersOf(run as EngineProcess)).find(
            ({ processId, owned }) => processId !== frozen && owned.length === 2,
          ),
        );
        const told = await until(async () => {
          const ready = await readyOf(heir);
          return ready.reasons.some((reason) => reason.includes('hospitals')) && ready;
        });
        expect(told.ready).toBe(false);
        expect(told.reasons.join('\n')).toMatch(/source hospitals does not open \(tried \d+ times\): .*EADDRINUSE/);
        // Keys of both partitions: the stage and the sink of the one without its source work.
        const during = await drop('during');
        await untilThere(during);
        const rows = await store.query<{ partition: number }>(
          "SELECT DISTINCT toInt32(_partition) AS partition FROM frozen_rows WHERE id LIKE 'during%' ORDER BY partition",
        );
        expect(rows).toEqual([{ partition: 0 }, { partition: 1 }]);

        // The kernel took the connection for a process that stands still; the message has no answer until somebody listens who works.
        const owed = client.send(message('A2', 'BV-2'));
        process.kill(frozen, 'SIGCONT');
        frozen = undefined;
        expect((await owed).code).toBe('AA');
        await untilThere(['A2', ...(await drop('after'))]);
        await until(async () => {
          const all = await workersOf(run as EngineProcess);
          const ready = await Promise.all(all.map(readyOf));
          return all.length === 2 && ready.every((one) => one.ready);
        });
        const all = await ids();
        expect(new Set(all).size).toBe(all.length);
        expect(all).toHaveLength(2 + 3 * hospitals.length);
        expect(await run.stop()).toBe(0);
      } finally {
        client.close();
        if (frozen !== undefined) process.kill(frozen, 'SIGCONT');
        await run?.kill();
        await rm(directory, { recursive: true, force: true, maxRetries: 5 });
      }
    }),
  ),
);
