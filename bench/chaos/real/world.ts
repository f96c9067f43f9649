/**
 * Everything of one campaign: the servers, the proxies before them, and the supervised workers. In the separate form NATS and ClickHouse
 * are processes of the harness behind proxies, and several workers share the partitions of the topology; in the embedded form one
 * engine brings its own.
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../../runtime/errors.ts';
import { freePort } from '../../../test/engine-process.ts';
import { descendantsOf } from '../../machine.ts';
import { mountSmallDisk, type SmallDisk } from './disk.ts';
import { type EngineRun, type EngineStart, superviseEngine, topologyFile, type Worker } from './engine-process.ts';
import { type Evidence, gatherEvidence } from './evidence.ts';
import { type Proxy, startProxy } from './proxy.ts';
import { type Server, startLogServer, startStoreServer } from './servers.ts';

export type Form = 'separate' | 'embedded';

export interface Surroundings {
  readonly log: Server;
  readonly store: Server;
  readonly logProxy: Proxy;
  readonly storeProxy: Proxy;
  readonly logDirectory: string;
}

export interface World {
  readonly form: Form;
  readonly directory: string;
  readonly inbox: string;
  /** Addresses of the senders: before whichever worker listens. */
  readonly hl7: Proxy;
  readonly feed: Proxy;
  /** One at least; each with ports of its own. */
  readonly workers: readonly [Worker, ...Worker[]];
  /** The only one, or the first. */
  readonly worker: Worker;
  /** Every worker says that it runs. False at the deadline. */
  untilRunning(deadlineMs?: number): Promise<boolean>;
  /** In the separate form. */
  readonly around: Surroundings | undefined;
  readonly disks: { readonly log?: SmallDisk | undefined; readonly store?: SmallDisk | undefined };
  readonly evidence: Evidence;
  /** Processes whose heap was filled on purpose. */
  readonly strained: Set<number>;
  /** All engine runs there were. */
  readonly runs: readonly EngineRun[];
  /** Address of the store itself, past every proxy; undefined while it is not known. */
  storeUrl(): string | undefined;
  /** Children of the embedded form. */
  child(name: 'nats' | 'store'): number | undefined;
  close(): Promise<void>;
}

const diskMib = { log: 192, store: 512 };
const evidenceEveryMs = 400;

export async function openWorld(args: {
  directory: string;
  form: Form;
  idle: string;
  workers: number;
  partitions: number;
}): Promise<World> {
  const { directory, form, idle } = args;
  const inbox = join(directory, 'inbox');
  mkdirSync(inbox, { recursive: true });
  const closers: (() => Promise<void>)[] = [];
  const disks = mountDisks(directory, form);
  closers.push(
    async () => disks.log?.unmount(),
    async () => disks.store?.unmount(),
  );
  const around = form === 'separate' ? await openSurroundings(directory, closers) : undefined;
  const slots = await Promise.all(Array.from({ length: args.workers }, portsOf));
  const workers: Worker[] = [];
  /** A process that stands still takes connections and answers none: it is asked when no other listens. */
  const portsInOrder = (port: 'hl7' | 'feed') => {
    const isPaused = (slot: number) => Number(workers[slot]?.isPaused ?? false);
    return [...slots.keys()]
      .sort((one, other) => isPaused(one) - isPaused(other))
      .map((slot) => slots[slot]?.[port] ?? 0);
  };
  const hl7 = await startProxy(() => portsInOrder('hl7'));
  const feed = await startProxy(() => portsInOrder('feed'));
  closers.push(
    () => hl7.close(),
    () => feed.close(),
  );
  const runs: EngineRun[] = [];

  const startOf = (slot: number): EngineStart => ({
    arguments: [
      ...[topologyFile, '--partitions', String(args.partitions)],
      ...['--data', join(directory, slot === 0 ? 'data' : `data-${slot + 1}`)],
    ],
    environment: {
      CHAOS_HL7: String(slots[slot]?.hl7),
      CHAOS_FEED: String(slots[slot]?.feed),
      CHAOS_FILES: inbox,
      CHAOS_IDLE: idle,
      ...(around && {
        NATS_URL: `nats://127.0.0.1:${around.logProxy.port}`,
        CLICKHOUSE_URL: `http://127.0.0.1:${around.storeProxy.port}`,
      }),
    },
  });
  const supervised = (slot: number) =>
    superviseEngine(
      () => startOf(slot),
      (run) => void runs.push(run),
    );
  for (const slot of slots.keys()) workers.push(supervised(slot));
  const [worker] = workers;
  if (!worker) throw new Error('a world has a worker');
  closers.push(async () => {
    await Promise.all(workers.map((one) => one.stop()));
  });
  const child = (name: 'nats' | 'store') =>
    descendantsOf(worker.run.processId).find(({ program }) => program.startsWith(name === 'nats' ? 'nats' : 'node'))
      ?.id;
  const storeUrl = () => (around ? `http://127.0.0.1:${around.store.port}` : worker.run.storeUrl);

  const evidence = gatherEvidence(() => {
    const url = storeUrl();
    const processId = around ? around.store.processId : (child('store') ?? 0);
    return {
      engines: runs.filter(({ isAlive }) => isAlive),
      store: url === undefined || processId === 0 ? undefined : { processId, url },
    };
  });
  let looking: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    looking = evidence.look().catch(() => undefined);
  }, evidenceEveryMs);
  closers.push(async () => {
    clearInterval(timer);
    await looking;
  });

  return {
    form,
    directory,
    inbox,
    hl7,
    feed,
    workers: workers as [Worker, ...Worker[]],
    worker,
    async untilRunning(deadlineMs) {
      const running = await Promise.all(workers.map((one) => one.untilRunning(deadlineMs)));
      return running.every(Boolean);
    },
    around,
    disks,
    evidence,
    strained: new Set(),
    runs,
    storeUrl,
    child,
    async close() {
      for (const close of closers.splice(0).reverse()) {
        // One that does not close must not keep the others open.
        await close().catch((error) => void process.stderr.write(`closing: ${messageOf(error)}\n`));
      }
      for (const run of runs) if (run.isAlive) run.signal('SIGKILL');
      if (existsSync(directory)) rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function portsOf(): Promise<{ hl7: number; feed: number }> {
  return { hl7: await freePort(), feed: await freePort() };
}

function mountDisks(directory: string, form: Form): World['disks'] {
  if (form === 'embedded') {
    // Log and store on one disk, as on one machine.
    const disk = mountSmallDisk(join(directory, 'data'), diskMib.store);
    return { log: disk, store: undefined };
  }
  return {
    log: mountSmallDisk(join(directory, 'nats'), diskMib.log),
    store: mountSmallDisk(join(directory, 'store'), diskMib.store),
  };
}

async function openSurroundings(directory: string, closers: (() => Promise<void>)[]): Promise<Surroundings> {
  const logDirectory = join(directory, 'nats');
  const log = await startLogServer(logDirectory);
  closers.push(() => log.stop());
  const store = await startStoreServer(join(directory, 'store'));
  closers.push(() => store.stop());
  const logProxy = await startProxy(() => [log.port]);
  const storeProxy = await startProxy(() => [store.port]);
  closers.push(
    () => logProxy.close(),
    () => storeProxy.close(),
  );
  return { log, store, logProxy, storeProxy, logDirectory };
}
