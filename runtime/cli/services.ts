/** The log and the store that a run needs: those that the environment names, else embedded ones in the data folder. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../bus/log.ts';
import type { Clock } from '../clock.ts';
import type { Store } from '../store/store.ts';
import type { Logger } from '../stream/definition.ts';

export interface Services {
  readonly log: Log;
  readonly store: Store;
  /** Where they are, for people: `nats://127.0.0.1:4222 (embedded)`. */
  readonly logAddress: string;
  readonly storeAddress: string;
  /** Resolves with the error when an embedded server has died for good; never rejects. */
  readonly failed: Promise<unknown>;
  close(): Promise<void>;
}

export async function openServices(args: {
  directory: string;
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  logger: Logger;
}): Promise<Services> {
  const { directory, env, clock, logger } = args;
  await mkdir(directory, { recursive: true });
  const opened: (() => Promise<void>)[] = [];
  const closeAll = async () => {
    for (const close of opened.splice(0).reverse()) await close();
  };
  try {
    const [bus, store] = await Promise.all([
      openLog({ directory: join(directory, 'nats'), url: env.NATS_URL, clock, logger, opened }),
      openResultStore({ directory: join(directory, 'clickhouse'), url: env.CLICKHOUSE_URL, clock, logger, opened }),
    ]);
    return { ...bus, ...store, close: closeAll };
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
}

async function openLog({
  directory,
  url,
  clock,
  logger,
  opened,
}: Opening): Promise<Pick<Services, 'log' | 'logAddress' | 'failed'>> {
  const { connectLog, startNatsServer } = await import('../bus/index.ts');
  if (url) {
    const log = await connectLog({ url, clock });
    opened.push(() => log.close());
    const { syncAlways } = await log.check();
    if (syncAlways !== true) {
      logger.warn(
        { url: withoutPassword(url) },
        'it cannot be proven that this NATS server syncs to disk before it acknowledges',
      );
    }
    return { log, logAddress: withoutPassword(url), failed: new Promise(() => {}) };
  }
  const server = await startNatsServer({
    directory,
    onEvent: ({ kind, detail }) => logger.warn({ detail }, `nats-server ${kind}`),
  });
  opened.push(() => server.stop());
  const log = await connectLog({ url: server.url, clock });
  opened.push(() => log.close());
  return { log, logAddress: `${server.url} (embedded)`, failed: server.failed.catch((error: unknown) => error) };
}

async function openResultStore(args: Opening): Promise<Pick<Services, 'store' | 'storeAddress'>> {
  const { directory, url, clock, logger, opened } = args;
  const { openStore } = await import('../store/index.ts');
  const store = await openStore({ directory, clock, logger, ...(url ? { url } : {}) });
  opened.push(() => store.close());
  return { store, storeAddress: url ? withoutPassword(url) : `${store.url} (embedded)` };
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
