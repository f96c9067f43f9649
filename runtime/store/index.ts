/** The store that the environment names: a ClickHouse server, or the embedded one. */
import type { Clock } from '../clock.ts';
import type { Logger } from '../stream/definition.ts';
import { type ConnectStoreOptions, connectStore } from './clickhouse.ts';
import { type EmbeddedStore, startEmbeddedStore } from './embedded/supervisor.ts';
import { storeErrors } from './errors.ts';
import type { Store } from './store.ts';

export { type ConnectStoreOptions, connectStore } from './clickhouse.ts';
export { type EmbeddedStore, type EmbeddedStoreOptions, startEmbeddedStore } from './embedded/supervisor.ts';
export { type RefusedRow, RefusedRowsError, storeErrors } from './errors.ts';
export type { ReadBounds, ReadColumn, ReadResult, RowOrigin, Rows, Store, TableSpec } from './store.ts';

export interface OpenStoreOptions {
  /** Folder of the embedded store. */
  readonly directory: string;
  readonly clock: Clock;
  readonly logger?: Logger;
  /** Room that the embedded store leaves free on the disk; default: see `diskRoom`. */
  readonly reserveBytes?: number | undefined;
  /** Default: `CLICKHOUSE_URL` of the environment. */
  readonly url?: string;
}

/** Takes `http://user:password@host:8123/database` apart. Throws MACH3108, which never repeats the password. */
export function parseStoreUrl(text: string): Pick<ConnectStoreOptions, 'url' | 'username' | 'password' | 'database'> {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw storeErrors.make('MACH3108', { reason: 'it is no address such as http://127.0.0.1:8123' });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw storeErrors.make('MACH3108', { reason: `it begins with ${url.protocol}// and not with http:// or https://` });
  }
  const database = decodeURIComponent(url.pathname.slice(1));
  if (database.includes('/')) throw storeErrors.make('MACH3108', { reason: `"${database}" is not a database` });
  return {
    url: url.origin,
    ...(url.username && { username: decodeURIComponent(url.username) }),
    ...(url.password && { password: decodeURIComponent(url.password) }),
    ...(database && { database }),
  };
}

/** Opens the store. `close` also ends the embedded one if this call started it. */
export async function openStore(options: OpenStoreOptions): Promise<Store & { readonly embedded?: EmbeddedStore }> {
  const { directory, clock, logger } = options;
  const address = options.url ?? process.env.CLICKHOUSE_URL;
  const base = { clock, ...(logger && { logger }) };
  if (address) return connectStore({ ...parseStoreUrl(address), ...base });
  const embedded = await startEmbeddedStore({
    directory,
    reserveBytes: options.reserveBytes,
    ...(logger && { logger }),
  });
  const store = await connectStore({ url: embedded.url, ...base });
  return {
    ...store,
    embedded,
    async close() {
      await store.close();
      await embedded.stop();
    },
  };
}
