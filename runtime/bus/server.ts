/** The embedded NATS server: a child process with JetStream on loopback, its files in one folder. */
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { diskRoom, isDiskLow, roomText } from '../disk-room.ts';
import { messageOf } from '../errors.ts';
import { limits } from '../limits.ts';
import { makeFolder } from '../make-folder.ts';
import { logErrors } from './errors.ts';
import { serverLimits } from './server-limits.ts';
import { isAlive, lockFolder, type ProcessMark, serverOfFolder } from './server-lock.ts';
import { runServer, type ServerRun, sendSignal } from './server-process.ts';

export type ServerEvent = 'ended' | 'restarted' | 'given-up' | 'disk-full' | 'disk-room';

export interface NatsServerOptions {
  /** Holds configuration, lock and storage; made when absent. One engine at a time. */
  readonly directory: string;
  /** 0: a free one. */
  readonly port?: number;
  /** Sync to disk before every acknowledgement (streams of durability `broker` are exempt). Default true. */
  readonly syncAlways?: boolean;
  /** Port of the server's own monitoring pages (`/varz`, `/jsz`), on loopback. Absent: none. 0: a free one. */
  readonly monitorPort?: number;
  /** The program; found by `findNatsServer` when absent. */
  readonly program?: string;
  /** Start a server that died again, on the same port. Default true. */
  readonly keepAlive?: boolean;
  readonly startDeadlineMs?: number;
  /** Room that is left free on the disk; default: see `diskRoom`. */
  readonly reserveBytes?: number | undefined;
  /** Told about deaths and restarts, for logs. */
  readonly onEvent?: (event: { readonly kind: ServerEvent; readonly detail: string }) => void;
}

export interface NatsServer {
  readonly url: string;
  readonly monitorUrl: string | undefined;
  /** Of the server itself; another one after a restart. */
  readonly processId: number;
  /** Why nothing should be appended now (the disk is full), or null. */
  readonly problem: string | null;
  /** Resolves when the server is stopped and the folder is free. */
  stop(): Promise<void>;
  /** Rejects with MACH3014 when the server dies more often than it is restarted, or at all without `keepAlive`. */
  readonly failed: Promise<never>;
}

/** Servers that we start say by their name that they sync always, so that other processes can know it (`check`). */
export const syncAlwaysNamePrefix = 'mach-sync-always-';

const repository = resolve(fileURLToPath(new URL('../..', import.meta.url)));

/** `MACH_NATS_SERVER`, then `.mach/bin` of the project, then PATH. Throws MACH3013. */
export function findNatsServer(environment: NodeJS.ProcessEnv = process.env): string {
  const given = environment.MACH_NATS_SERVER;
  if (given) {
    if (existsSync(given)) return given;
    throw logErrors.make('MACH3013', { places: `MACH_NATS_SERVER=${given}` });
  }
  const places = [
    join(repository, '.mach/bin/nats-server'),
    ...(environment.PATH ?? '')
      .split(delimiter)
      .filter(Boolean)
      .map((folder) => join(folder, 'nats-server')),
  ];
  const found = places.find((place) => existsSync(place));
  if (!found) throw logErrors.make('MACH3013', { places: 'MACH_NATS_SERVER, .mach/bin/nats-server and PATH' });
  return found;
}

function configuration(options: NatsServerOptions, directory: string, port: number): string {
  const name = options.syncAlways === false ? 'mach-' : syncAlwaysNamePrefix;
  const lines = [
    `server_name: ${JSON.stringify(`${name}${process.pid}-${Date.now().toString(36)}`)}`,
    `listen: "127.0.0.1:${port === 0 ? -1 : port}"`,
    `ports_file_dir: ${JSON.stringify(directory)}`,
    `max_payload: ${limits.frameBytesMax + serverLimits.headerBytesMax}`,
    // A reader may be handed its whole read-ahead at once; the default of 64 MiB would cut it off as a slow consumer.
    'max_pending: 268435456',
    'jetstream {',
    `  store_dir: ${JSON.stringify(join(directory, 'storage'))}`,
    `  max_file_store: ${serverLimits.storageReservationBytesMax}`,
    options.syncAlways === false ? '' : '  sync_interval: always',
    '}',
  ];
  if (options.monitorPort !== undefined) {
    lines.push(`http: "127.0.0.1:${options.monitorPort === 0 ? -1 : options.monitorPort}"`);
  }
  return `${lines.filter(Boolean).join('\n')}\n`;
}

/** The first line that a NATS server says to a client, without becoming one. */
function readInfo(port: number): Promise<{ jetstream?: boolean } | undefined> {
  return new Promise((done) => {
    const socket = connect({ host: '127.0.0.1', port });
    let text = '';
    const finish = (info?: { jetstream?: boolean }) => {
      socket.destroy();
      done(info);
    };
    socket.setTimeout(1000, finish);
    socket.once('error', () => finish());
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
      const line = /^INFO (\{.*\})\s*\r\n/.exec(text)?.[1];
      if (line) finish(JSON.parse(line) as { jetstream?: boolean });
    });
  });
}

interface Ports {
  readonly url: string;
  readonly monitorUrl: string | undefined;
}

async function readPorts(directory: string, processId: number): Promise<Ports | undefined> {
  const path = join(directory, `nats-server_${processId}.ports`);
  try {
    const ports = JSON.parse(await readFile(path, 'utf8')) as { nats?: string[]; monitoring?: string[] };
    const url = ports.nats?.[0];
    return url ? { url, monitorUrl: ports.monitoring?.[0] } : undefined;
  } catch {
    return undefined;
  }
}

/** The server leaves its ports file when it is killed; a later process may have the same id. */
async function removePorts(directory: string): Promise<void> {
  const names = await readdir(directory);
  const stale = names.filter((name) => /^nats-server_\d+\.ports$/.test(name));
  await Promise.all(stale.map((name) => rm(join(directory, name), { force: true })));
}

async function awaitReady(run: ServerRun, directory: string, deadlineMs: number): Promise<Ports> {
  const until = performance.now() + deadlineMs;
  let code: number | undefined;
  void run.ended.then((value) => {
    code = value;
  });
  while (performance.now() < until) {
    if (code !== undefined) throw new Error(`it ended with code ${code}: ${run.output()}`);
    // It would say that it is ready where the disk did not take it.
    if (storageFailed.test(run.output())) throw new Error(`it could not write: ${run.output()}`);
    const ports = await readPorts(directory, run.processId);
    if (ports && (await readInfo(Number(new URL(ports.url).port)))?.jetstream) return ports;
    await sleep(15);
  }
  throw new Error(`it was not ready after ${deadlineMs} ms (limit serverStartDeadlineMs): ${run.output()}`);
}

/** Ends the server that a dead engine has left behind. */
async function endServer(server: ProcessMark): Promise<void> {
  sendSignal(server.processId, 'SIGTERM');
  const until = performance.now() + serverLimits.serverStopDeadlineMs;
  while (isAlive(server) && performance.now() < until) await sleep(20);
  if (isAlive(server)) sendSignal(server.processId, 'SIGKILL');
  while (isAlive(server)) await sleep(20);
}

/** Ends the server that a dead engine has left in this folder. Rejects with MACH3011 where the engine lives. */
export async function endLeftServer(directory: string): Promise<void> {
  const lock = await lockFolder(resolve(directory), endServer);
  await lock.release();
}

/** Address of the server that a living engine runs in this folder, for those who look in; undefined when there is none. */
export async function findRunningServer(directory: string): Promise<string | undefined> {
  const server = await serverOfFolder(resolve(directory));
  return server && (await readPorts(resolve(directory), server.processId))?.url;
}

/** Whether a server has ever stored anything in this folder. */
export function hasStorage(directory: string): boolean {
  return existsSync(join(directory, 'storage', 'jetstream'));
}

const isFull = ({ directory, reserveBytes }: NatsServerOptions) => isDiskLow(diskRoom(directory, reserveBytes));

/** A storage that has met an error once takes nothing any more, until the server is started again. */
const storageFailed = /critical write error|failed to store a msg|no space left on device|will be DISABLED/;

/** Starts a server. Rejects with MACH3011 (folder in use), MACH3012 (does not start), MACH3013 (no program) or MACH3017 (disk full). */
export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  const program = options.program ?? findNatsServer();
  const directory = resolve(options.directory);
  await makeFolder(directory, { mode: 0o700 });
  // A server that starts on a full disk may take what it cannot read for lost.
  if (isFull({ ...options, directory })) {
    const reason = roomText(diskRoom(directory, options.reserveBytes));
    throw logErrors.make('MACH3017', { directory, reason });
  }
  const lock = await lockFolder(directory, endServer);
  const configurationPath = join(directory, 'nats-server.conf');
  const startDeadlineMs = options.startDeadlineMs ?? serverLimits.serverStartDeadlineMs;

  const start = async (port: number): Promise<{ run: ServerRun; ports: Ports }> => {
    let run: ServerRun | undefined;
    try {
      await removePorts(directory);
      await writeFile(configurationPath, configuration(options, directory, port), { mode: 0o600 });
      run = await runServer(program, ['-c', configurationPath]);
      await lock.recordServer(run.processId);
      return { run, ports: await awaitReady(run, directory, startDeadlineMs) };
    } catch (error) {
      await run?.stop(1000);
      throw logErrors.make('MACH3012', { directory, reason: messageOf(error) }, error);
    }
  };

  try {
    const first = await start(options.port ?? 0);
    return supervise(first, start, options, async () => {
      await removePorts(directory);
      await lock.release();
    });
  } catch (error) {
    await lock.release();
    throw error;
  }
}

function supervise(
  first: { run: ServerRun; ports: Ports },
  start: (port: number) => Promise<{ run: ServerRun; ports: Ports }>,
  options: NatsServerOptions,
  release: () => Promise<void>,
): NatsServer {
  let { run } = first;
  let stopping = false;
  let fail: (error: Error) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => undefined);
  const port = Number(new URL(first.ports.url).port);
  const deaths: number[] = [];

  const watch = async (): Promise<void> => {
    while (!stopping) {
      const code = await run.ended;
      if (stopping) return;
      const reason = `ended with code ${code}: ${run.output()}`;
      options.onEvent?.({ kind: 'ended', detail: reason });
      const now = performance.now();
      if (!room.isRestarting) deaths.push(now);
      while ((deaths[0] ?? now) < now - serverLimits.serverRestartWindowMs) deaths.shift();
      if (options.keepAlive === false || deaths.length > serverLimits.serverRestartsMax)
        throw giveUp(deaths.length, reason);
      await sleep(serverLimits.serverRestartDelayMs);
      const next = await startAgain(now);
      if (!next) return;
      run = next;
      room.isRestarting = false;
      options.onEvent?.({ kind: 'restarted', detail: `process ${run.processId}` });
    }
  };
  /** Undefined when it is not wanted any more. A start that fails, on a disk that fills up just then, is tried again, but not for ever. */
  const startAgain = async (since: number): Promise<ServerRun | undefined> => {
    for (;;) {
      while (!stopping && isFull(options)) await sleep(limits.diskLookEveryMs);
      if (stopping) return undefined;
      try {
        return (await start(port)).run;
      } catch (error) {
        deaths.push(performance.now());
        const tries = deaths.filter((at) => at >= since).length;
        if (tries > serverLimits.serverRestartsMax) throw error;
        options.onEvent?.({ kind: 'ended', detail: messageOf(error) });
        await sleep(serverLimits.serverRestartDelayMs);
      }
    }
  };
  const room = watchRoom(options, () => run);
  const giveUp = (restarts: number, reason: string) =>
    logErrors.make('MACH3014', { restarts, windowMs: serverLimits.serverRestartWindowMs, reason });
  const watching = watch().catch((error: Error) => {
    options.onEvent?.({ kind: 'given-up', detail: messageOf(error) });
    fail(error);
  });

  let stopped: Promise<void> | undefined;
  return {
    url: first.ports.url,
    monitorUrl: first.ports.monitorUrl,
    failed,
    get processId() {
      return run.processId;
    },
    get problem() {
      return room.problem;
    },
    stop() {
      stopping = true;
      room.close();
      stopped ??= (async () => {
        await run.stop(serverLimits.serverStopDeadlineMs);
        await watching;
        // A restart may have been under way.
        await run.stop(serverLimits.serverStopDeadlineMs);
        await release();
      })();
      return stopped;
    },
  };
}

interface RoomWatch {
  readonly problem: string | null;
  /** The server is being ended so that a new one takes its place: that is no crash. */
  isRestarting: boolean;
  close(): void;
}

/** Looks at the disk, and starts a server anew whose storage has met an error as soon as there is room. */
function watchRoom(options: NatsServerOptions, current: () => ServerRun): RoomWatch {
  const { directory } = options;
  const watch = { problem: null as string | null, isRestarting: false, close: () => clearInterval(timer) };
  const look = () => {
    const room = diskRoom(directory, options.reserveBytes);
    const low = isDiskLow(room);
    const failed = storageFailed.test(current().output());
    const before = watch.problem;
    const reason = low ? roomText(room) : 'its server could not write and is started again';
    const isHeld = low || failed || watch.isRestarting;
    watch.problem = isHeld ? logErrors.make('MACH3017', { directory, reason }).message : null;
    if ((before === null) !== (watch.problem === null)) {
      options.onEvent?.({ kind: isHeld ? 'disk-full' : 'disk-room', detail: watch.problem ?? roomText(room) });
    }
    if (!failed || low || watch.isRestarting || options.keepAlive === false) return;
    watch.isRestarting = true;
    void current().stop(serverLimits.serverStopDeadlineMs);
  };
  const timer = setInterval(look, limits.diskLookEveryMs);
  timer.unref();
  return watch;
}
