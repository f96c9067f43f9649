/**
 * How long a partition stands still when its worker dies, and how long a start with a large state takes.
 *
 *   npm run bench -- takeover [--trials 4] [--keys 1000000] [--partitions 4] [--json FILE]
 *
 * Takeover: two workers share the partitions, beats go in all the time; one is killed with SIGKILL. Measured is the time from the kill
 * to the moment when, for each partition that it had, a reader of the store sees a row of a beat that was sent after the kill.
 * Restart: one worker with so many keys of state in a checkpoint is started; measured is the time from the start of the process to
 * the moment when a reader sees a row of a beat that was sent after that.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connect } from '@nats-io/transport-node';
import type { Store } from '../../runtime/store/index.ts';
import { withNats } from '../../runtime/testing/with-nats.ts';
import { withStore } from '../../runtime/testing/with-store.ts';
import { load, machine } from '../machine.ts';
import { startWorker, untilShared, type Worker } from './workers.ts';

const beatEveryMs = 5;
const pollEveryMs = 20;
const takeoverWantedMs = 5_000;
/** With a million keys. */
const restartWantedMs = 2_000;

interface Beats {
  /** Stops the beats. */
  stop(): Promise<void>;
}

async function startBeats(url: string): Promise<Beats> {
  const nats = await connect({ servers: url });
  // Numbers of different runs differ, so that none is a repetition.
  let number = Date.now() * 1_000;
  const timer = setInterval(() => {
    nats.publish('bench.beats', JSON.stringify({ number: number++, sent_at: new Date().toISOString() }));
  }, beatEveryMs);
  return {
    async stop() {
      clearInterval(timer);
      await nats.close();
    },
  };
}

/** Partitions of which a row of a beat is readable that was sent after this time. */
async function producedSince(store: Store, at: number): Promise<ReadonlySet<number>> {
  const rows = await store.query<{ partition: number }>(
    'SELECT DISTINCT toInt32(_partition) AS partition FROM bench_beats WHERE sent_at > fromUnixTimestamp64Milli({at:Int64})',
    { at: String(at) },
  );
  return new Set(rows.map(({ partition }) => partition));
}

async function untilProduced(store: Store, at: number, partitions: readonly number[]): Promise<number> {
  for (;;) {
    const produced = await producedSince(store, at);
    if (partitions.every((partition) => produced.has(partition))) return Date.now() - at;
    await sleep(pollEveryMs);
  }
}

async function measureTakeovers(args: {
  store: Store;
  trials: number;
  partitions: number;
  launch(options?: readonly string[]): Promise<Worker>;
}): Promise<number[]> {
  const { store, trials, partitions, launch } = args;
  const workers = [await launch(['--partitions', String(partitions)]), await launch()];
  const takeoversMs: number[] = [];
  try {
    for (let trial = 0; trial < trials; trial++) {
      await untilShared(workers, partitions / 2);
      await untilProduced(
        store,
        Date.now(),
        Array.from({ length: partitions }, (_, index) => index),
      );
      // In turns the one that has the sources, and the other: who has been there longer has the first partitions.
      const victim = (trial % 2 === 0 ? workers.shift() : workers.pop()) as Worker;
      const { owned } = (await victim.status()).partitions;
      const killedAt = Date.now();
      victim.kill();
      const tookMs = await untilProduced(store, killedAt, owned);
      takeoversMs.push(tookMs);
      process.stdout.write(`  kill ${trial + 1}: partitions ${owned.join(', ')} produce again after ${tookMs} ms\n`);
      workers.push(await launch());
    }
  } finally {
    for (const worker of workers) await worker.stop();
  }
  return takeoversMs;
}

const rowsOfFile = 20_000;

/** As many rows with as many ids, in files of a size that people drop. */
async function writeBallast(inbox: string, keys: number): Promise<void> {
  const at = new Date().toISOString();
  for (let first = 0; first < keys; first += rowsOfFile) {
    const count = Math.min(rowsOfFile, keys - first);
    const rows = Array.from({ length: count }, (_, index) => `BN-${String(first + index + 1).padStart(10, '0')},${at}`);
    await writeFile(join(inbox, `ballast-${first}.csv`), `id,at\n${rows.join('\n')}\n`);
  }
}

async function measureRestart(args: {
  store: Store;
  keys: number;
  inbox: string;
  launch(options?: readonly string[]): Promise<Worker>;
}): Promise<{ keys: number; fillMs: number; drainedMs: number; killedMs: number; checkpointBytes: number }> {
  const { store, keys, inbox, launch } = args;
  const filledFrom = Date.now();
  let worker = await launch();
  await writeBallast(inbox, keys);
  const stateKeys = async () => (await worker.status()).nodes.find(({ id }) => id === 'ballast_once')?.stateKeys ?? 0;
  while ((await stateKeys()) < keys) await sleep(200);
  const fillMs = Date.now() - filledFrom;
  // A checkpoint that holds all of it, as every five seconds.
  const { checkpoints } = (await worker.status()).stage;
  let { stage } = await worker.status();
  while (stage.checkpoints < checkpoints + 2) {
    await sleep(200);
    ({ stage } = await worker.status());
  }
  const restarts: number[] = [];
  for (const how of ['kill', 'stop'] as const) {
    if (how === 'kill') worker.kill();
    else await worker.stop();
    const startedAt = Date.now();
    const starting = launch();
    const tookMs = await untilProduced(store, startedAt, [0]);
    worker = await starting;
    if ((await stateKeys()) < keys) throw new Error(`only ${await stateKeys()} keys came back`);
    restarts.push(tookMs);
    process.stdout.write(`  start after ${how === 'kill' ? 'SIGKILL' : 'a drain'}: produces after ${tookMs} ms\n`);
  }
  await worker.stop();
  const [killedMs = 0, drainedMs = 0] = restarts;
  return { keys, fillMs, drainedMs, killedMs, checkpointBytes: stage.checkpointBytes };
}

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      trials: { type: 'string', default: '4' },
      keys: { type: 'string', default: '1000000' },
      partitions: { type: 'string', default: '4' },
      json: { type: 'string' },
    },
  });
  const [trials, keys, partitions] = [Number(values.trials), Number(values.keys), Number(values.partitions)];
  const directory = await mkdtemp(join(tmpdir(), 'mach-takeover-'));
  const inbox = join(directory, 'inbox');
  await mkdir(inbox);
  const result = { takeoversMs: [] as number[], restart: undefined as unknown, machine: machine() };
  let isSlow = false;
  const around = (body: (store: Store, launch: (options?: readonly string[]) => Promise<Worker>) => Promise<void>) =>
    withNats(
      ({ url }) =>
        withStore(async (store, { embedded }) => {
          const env = { NATS_URL: url, CLICKHOUSE_URL: embedded.url, BENCH_NATS: url, BENCH_INBOX: inbox };
          let launched = 0;
          const beats = await startBeats(url);
          try {
            await body(store, (options) =>
              startWorker({ directory: join(directory, `w${launched++}`), env, options: options ?? [] }),
            );
          } finally {
            await beats.stop();
          }
        }),
      { syncAlways: true },
    );
  try {
    process.stdout.write(`load of the machine before: ${load().toFixed(1)}\n`);
    process.stdout.write(`takeover: 2 workers, ${partitions} partitions, ${trials} times SIGKILL\n`);
    await around(async (store, launch) => {
      result.takeoversMs = await measureTakeovers({ store, trials, partitions, launch });
    });
    const slowestMs = Math.max(0, ...result.takeoversMs);
    isSlow ||= slowestMs > takeoverWantedMs;
    process.stdout.write(`  longest ${slowestMs} ms (wanted: at most ${takeoverWantedMs} ms)\n`);
    process.stdout.write(`restart with ${keys} keys of state, one partition\n`);
    await around(async (store, launch) => {
      const restart = await measureRestart({ store, keys, inbox, launch });
      result.restart = restart;
      isSlow ||= Math.max(restart.drainedMs, restart.killedMs) > restartWantedMs;
      const mib = (restart.checkpointBytes / 1024 ** 2).toFixed(1);
      process.stdout.write(`  checkpoint ${mib} MiB (wanted: at most ${restartWantedMs} ms)\n`);
    });
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
  if (values.json) await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`);
  if (isSlow) process.exitCode = 1;
}
