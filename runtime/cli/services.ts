/** The log and the store that a run needs: those that the environment names, else embedded ones in the data folder. */

import { join } from 'node:path';
import type { Log } from '../bus/log.ts';
import { serverFolderOf } from '../bus/server-folder.ts';
import type { Clock } from '../clock.ts';
import { limits } from '../limits.ts';
import { makeFolder } from '../make-folder.ts';
import type { Store } from '../store/store.ts';
import type { Logger } from '../stream/definition.ts';
import { cliErrors } from './errors.ts';
import { folderReason } from './files.ts';

export interface Services {
  readonly log: Log;
  readonly store: Store;
  /** Where they are, for people: `nats://127.0.0.1:4222 (embedded)`. */
  readonly logAddress: string;
  readonly storeAddress: string;
  /** The log is not this process's own: workers elsewhere may run the same topology. */
  readonly isShared: boolean;
  /** What another process needs in its environment to use the same. */
  readonly environment: { readonly NATS_URL: string; readonly CLICKHOUSE_URL: string };
  /** Resolves with the error when an embedded server has died for good; never rejects. */
  readonly failed: Promise<unknown>;
  close(): Promise<void>;
}

export async function openServices(args: {
  directory: string;
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  logger: Logger;
  /** Copies of each stream of the log. */
  replicas?: number | undefined;
}): Promise<Services> {
  const { directory, env, clock, logger, replicas } = args;
  await makeFolder(directory).catch((error) => {
    throw cliErrors.make('MACH1635', { directory, reason: folderReason(error) }, error);
  });
  const opened: (() => Promise<void>)[] = [];
  const closeAll = async () => {
    for (const close of opened.splice(0).reverse()) await close();
  };
  try {
    const around = { clock, logger, opened, reserveBytes: reserveOf(env), replicas };
    const [bus, store] = await Promise.all([
      openLog({ ...around, directory: serverFolderOf(directory), url: env.NATS_URL }),
      openResultStore({ ...around, directory: join(directory, 'clickhouse'), url: env.CLICKHOUSE_URL }),
    ]);
    const environment = { NATS_URL: bus.url, CLICKHOUSE_URL: store.url };
    return { ...bus, ...store, isShared: Boolean(env.NATS_URL), environment, close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

interface Opening {
  readonly directory: string;
  readonly url: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly opened: (() => Promise<void>)[];
  /** Room that embedded servers leave free on the disk; undefined: their own choice. */
  readonly reserveBytes: number | undefined;
  readonly replicas: number | undefined;
}

/** `MACH_DISK_RESERVE_MIB`: a whole number of MiB. Throws MACH1650. */
function reserveOf(env: Readonly<Record<string, string | undefined>>): number | undefined {
  const text = env.MACH_DISK_RESERVE_MIB;
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,9}$/.test(text)) throw cliErrors.make('MACH1650', { value: text });
  return Number(text) * 1024 ** 2;
}

/** What a NATS server of one's own does not promise, or does not take, that the engine would like. */
export function doubtsAbout({
  syncAlways,
  publishBytesMax = Number.POSITIVE_INFINITY,
}: {
  syncAlways: boolean | undefined;
  publishBytesMax: number | undefined;
}): string[] {
  const doubts: string[] = [];
  if (syncAlways !== true)
    doubts.push('it cannot be proven that this NATS server syncs to disk before it acknowledges');
  if (publishBytesMax < limits.frameBytesMax) {
    doubts.push(
      `this NATS server takes messages of ${publishBytesMax} bytes; a larger row ends the engine (MACH3003) until its max_payload is raised, best to 8MB`,
    );
  }
  return doubts;
}

async function openLog({
  directory,
  url,
  clock,
  logger,
  opened,
  reserveBytes,
  replicas,
}: Opening): Promise<Pick<Services, 'log' | 'logAddress' | 'failed'> & { url: string }> {
  const { announceRoom, connectLog, startNatsServer } = await import('../bus/index.ts');
  if (url) {
    const log = await connectLog({ url, clock, ...(replicas === undefined ? {} : { replicas }) });
    opened.push(() => log.close());
    const { syncAlways } = await log.check();
    for (const doubt of doubtsAbout({ syncAlways, publishBytesMax: log.publishBytesMax }))
      logger.warn({ url: withoutPassword(url) }, doubt);
    return { log, url, logAddress: withoutPassword(url), failed: new Promise(() => {}) };
  }
  const server = await startNatsServer({
    directory,
    reserveBytes,
    onEvent: ({ kind, detail }) => {
      if (kind === 'disk-full') logger.error({ code: 'MACH3017' }, detail);
      else if (kind === 'disk-room') logger.info({ room: detail }, 'the disk of the log has room again');
      else logger.warn({ detail }, `nats-server ${kind}`);
    },
  });
  opened.push(() => server.stop());
  const log = await connectLog({ url: server.url, clock });
  opened.push(() => log.close());
  const stopTelling = announceRoom(log, server);
  opened.push(async () => stopTelling());
  return {
    log,
    url: server.url,
    logAddress: `${server.url} (embedded)`,
    failed: server.failed.catch((error: unknown) => error),
  };
}

async function openResultStore(args: Opening): Promise<Pick<Services, 'store' | 'storeAddress'> & { url: string }> {
  const { directory, url, clock, logger, opened, reserveBytes } = args;
  const { openStore } = await import('../store/index.ts');
  const store = await openStore({ directory, clock, logger, reserveBytes, ...(url ? { url } : {}) });
  opened.push(() => store.close());
  return { store, url: url ?? store.url, storeAddress: url ? withoutPassword(url) : `${store.url} (embedded)` };
}

function withoutPassword(address: string): string {
  try {
    const url = new URL(address);
    url.username = '';
    url.password = '';
    return url.toString().replace(/\/$/, '');
  } catch {
    return 'the address given';
  }
}
