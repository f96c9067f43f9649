/**
 * Several workers share a topology while four hospitals and the 115 centre send over real sockets: one is killed, another run joins,
 * both change the topology while they run, the first run leaves. Afterwards the store holds what happened: nothing missing, nothing twice.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { limits } from '../runtime/limits.ts';
import type { EngineStatus } from '../runtime/observe/status.ts';
import { isBalanced } from '../runtime/stream/ledger.ts';
import { withNats } from '../runtime/testing/with-nats.ts';
import { withStore } from '../runtime/testing/with-store.ts';
import { simulateCity } from '../simulator/city/index.ts';
import {
  command,
  type EngineProcess,
  freePort,
  startEngineProcess,
  statusOf,
  untilComputed,
} from './engine-process.ts';
import { ownTopology } from './own-topology.ts';

const minuteMs = 60_000;
const start = Date.parse('2026-03-02T10:00:00+07:00');
const durationMs = 40 * minuteMs;
/** Longer than a worker waits before it hands over what another should have. */
const restMs = limits.workerSettleMs + 1_000;

/** What `/status` of a run with several workers says beside the rest. */
interface WithProcesses {
  readonly processes: readonly {
    readonly worker: string;
    readonly processId: number | null;
    readonly observe: string | null;
    readonly restarts: number;
  }[];
}

/** What `/status` says once a worker answers. */
async function sharedStatusOf(run: EngineProcess): Promise<EngineStatus & WithProcesses> {
  for (;;) {
    const status = (await statusOf(run)) as Partial<EngineStatus & WithProcesses>;
    if (status.partitions) return status as EngineStatus & WithProcesses;
    await sleep(50);
  }
}

async function processesOf(run: EngineProcess): Promise<WithProcesses['processes']> {
  return (await sharedStatusOf(run)).processes;
}

/** Resolves when the runs have these partitions between them. */
async function untilOwned(runs: readonly EngineProcess[], wanted: readonly number[][]): Promise<void> {
  for (;;) {
    const owned = await Promise.all(runs.map(async (run) => (await sharedStatusOf(run)).partitions.owned));
    if (JSON.stringify(owned) === JSON.stringify(wanted)) return;
    await sleep(50);
  }
}

/** Resolves when both runs have some of the four partitions, each partition is somewhere, and it has been so for a while. */
async function untilShared(...runs: readonly EngineProcess[]): Promise<void> {
  let since = Date.now();
  let last = '';
  while (Date.now() - since < restMs) {
    const owned = await Promise.all(runs.map(async (run) => (await sharedStatusOf(run)).partitions.owned));
    const isShared = owned.every(({ length }) => length > 0) && owned.flat().length === 4;
    const now = JSON.stringify(owned);
    if (!isShared || now !== last) since = Date.now();
    last = now;
    await sleep(50);
  }
}

it('moves partitions when workers die, join and leave; loses nothing, doubles nothing', { timeout: 600_000 }, () =>
  withNats(({ url }) =>
    withStore(async (store, { embedded }) => {
      const directory = await mkdtemp(join(tmpdir(), 'mach-workers-'));
      const inbox = join(directory, 'inbox');
      await mkdir(inbox);
      const [hl7, feed] = [await freePort(), await freePort()];
      const env = {
        MACH_HL7: String(hl7),
        MACH_FEED: String(feed),
        MACH_ACTIONS: '0',
        MACH_BED_FILES: inbox,
        NATS_URL: url,
        CLICKHOUSE_URL: embedded.url,
      };
      const topology = await ownTopology('topologies/emergency-overload.yaml', directory);
      const clock = ['--clock-rate', '60', '--clock-start', new Date(start + durationMs).toISOString()];
      const launch = (data: string, ...options: string[]) =>
        startEngineProcess([topology, '--data', join(directory, data), ...clock, ...options], env);
      const runs: EngineProcess[] = [];
      const ending = new AbortController();
      try {
        const first = await launch('first', '--workers', '2', '--partitions', '4');
        runs.push(first);
        let sent = 0;
        const city = simulateCity({
          seed: 5,
          hospitals: 4,
          scenario: 'surge',
          start,
          durationMs,
          speed: 'max',
          signal: ending.signal,
          targets: { hl7: `127.0.0.1:${hl7}`, feed: `127.0.0.1:${feed}`, beds: inbox },
          onEvent: () => {
            sent++;
          },
        });

        while (sent < 100) await sleep(5);
        const [victim] = await processesOf(first);
        process.kill(victim?.processId ?? 0, 'SIGKILL');
        // Started again, it gets a share again.
        while (!(await processesOf(first)).some(({ restarts, observe }) => restarts > 0 && observe)) await sleep(50);
        await untilOwned([first], [[0, 1, 2, 3]]);
        expect((await processesOf(first)).map(({ restarts }) => restarts).sort()).toEqual([0, 1]);

        const second = await launch('second');
        runs.push(second);
        // A partition that moves takes a change back, so that it must be begun anew: first all have their places.
        await untilShared(first, second);
        // All workers of both runs change the topology together; each of them must have learned of it from the log.
        const text = await readFile(topology, 'utf8');
        const changed = join(directory, 'changed.yaml');
        await writeFile(
          changed,
          text.replace('raise: level >= 3', 'raise: level >= 2').replace('hold: 5m', 'hold: 3m'),
        );
        const data = ['--data', join(directory, 'first')];
        const refused = await command(['run', changed, ...data, '--clock-rate', '60', '--partitions', '4'], env);
        expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('MACH1629') });
        const recut = await command(['run', changed, ...data, '--partitions', '8'], env);
        expect(recut).toMatchObject({ code: 1, err: expect.stringContaining('MACH1628') });
        const done = await command(['run', changed, ...data], env);
        expect(done.err).toBe('');
        expect(done).toMatchObject({ code: 0, out: expect.stringContaining('adt, centre, beds, actions stayed open') });
        const other = await command(['run', topology, '--data', join(directory, 'third')], env);
        expect(other).toMatchObject({ err: expect.stringContaining('MACH3226') });

        // The first run leaves: the second has all of it, and the ports of the sources with it.
        expect(await first.stop()).toBe(0);
        await untilOwned([second], [[0, 1, 2, 3]]);

        const { truth, summary } = await city;
        const last = Math.max(...truth.map(({ minute }) => minute));
        const status = await untilComputed(second, { node: 'ed_status', last });
        expect(isBalanced(status.accounting), JSON.stringify(status.accounting)).toBe(true);

        const rows = await store.query<{
          hospital: string;
          at: string;
          census: number;
          boarding: number;
          waiting: number;
        }>(
          'SELECT hospital, toString(toUnixTimestamp64Milli(minute)) AS at, toInt32(census) AS census, toInt32(boarding) AS boarding, toInt32(waiting) AS waiting FROM ed_status FINAL',
        );
        const computed = new Map(rows.map(({ hospital, at, ...row }) => [`${hospital}/${at}`, row]));
        for (const { hospital, minute, census, boarding, waiting } of truth) {
          const place = `${hospital} ${new Date(minute).toISOString()}`;
          expect({ place, ...computed.get(`${hospital}/${minute}`) }).toEqual({ place, census, boarding, waiting });
        }
        const calls = await store.query<{ rows: number; calls: number }>(
          'SELECT toInt32(count()) AS rows, toInt32(uniqExact(call_id)) AS calls FROM emergency_calls FINAL',
        );
        expect(calls[0]).toEqual({ rows: summary.feed.calls, calls: summary.feed.calls });
        for (const table of ['alerts', 'ed_status', 'emergency_calls']) {
          const twice = await store.query(
            `SELECT _stage, _partition, _sequence, _index FROM ${table} GROUP BY ALL HAVING count() > 1`,
          );
          expect(twice, table).toEqual([]);
        }
        expect(await second.stop()).toBe(0);
      } finally {
        ending.abort();
        for (const run of runs) await run.kill();
        await rm(directory, { recursive: true, force: true, maxRetries: 5 });
      }
    }),
  ),
);
