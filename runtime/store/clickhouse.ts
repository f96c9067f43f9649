/** The store over HTTP: a ClickHouse server and the embedded one are spoken to in the same way. */
import { Readable } from 'node:stream';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { Clock } from '../clock.ts';
import type { Logger } from '../stream/definition.ts';
import { readChanged, readDone, refuseStranger } from './answer.ts';
import { classifyInsertError, classifyQueryError } from './classify.ts';
import { ensureTable } from './ensure-table.ts';
import { storeErrors } from './errors.ts';
import { storeLimits } from './limits.ts';
import { blockColumns, nativeBlock } from './native-block.ts';
import { readBounded } from './read.ts';
import { quoteName } from './sql.ts';
import type { Rows, Store, TableSpec } from './store.ts';

export interface ConnectStoreOptions {
  /** `http://host:8123` or `https://...`, without user and database. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  readonly database?: string;
  readonly clock: Clock;
  readonly logger?: Logger;
}

/** How an insert must be run so that its outcome is known and its token counts. */
const insertSettings = {
  async_insert: 0,
  deduplicate_blocks_in_dependent_materialized_views: 1,
  insert_deduplicate: 1,
  wait_end_of_query: 1,
  // A batch of late events may touch more days than the usual 100; refusing it would never end.
  max_partitions_per_insert_block: '0',
} as const;

function isLoopback(url: string): boolean {
  return /^(?:127\.|localhost$|\[?::1)/.test(new URL(url).hostname);
}

function makeClient({ url, username, password, database }: ConnectStoreOptions): ClickHouseClient {
  return createClient({
    url,
    username: username ?? 'default',
    password: password ?? '',
    database: database ?? 'default',
    application: 'mach',
    request_timeout: storeLimits.requestTimeoutMs,
    max_open_connections: storeLimits.openConnectionsMax,
    // Compression costs more than loopback does.
    compression: { request: !isLoopback(url), response: false },
    keep_alive: { enabled: true, idle_socket_ttl: storeLimits.idleSocketMs, eagerly_destroy_stale_sockets: true },
    // Errors are thrown, and told by whoever retries; the client would print them as well.
    log: { level: ClickHouseLogLevel.OFF },
  });
}

function boundedBlock(table: TableSpec, rows: Rows): Buffer {
  const block = nativeBlock(table, rows);
  if (block.length <= storeLimits.insertBytesMax) return block;
  const reason = `${block.length} bytes are more than one insert takes, ${storeLimits.insertBytesMax} (insertBytesMax)`;
  throw storeErrors.make('MACH3102', { table: table.name, reason });
}

async function sendBlock(client: ClickHouseClient, table: TableSpec, block: Buffer, token: string): Promise<void> {
  const columns = blockColumns(table).map(quoteName).join(', ');
  const { stream, response_headers: headers } = await client.exec({
    query: `INSERT INTO ${quoteName(table.name)} (${columns}) FORMAT Native`,
    values: Readable.from([block], { objectMode: false }),
    clickhouse_settings: { ...insertSettings, insert_deduplication_token: token },
  });
  await readDone({ stream, headers });
}

/** Connects lazily: `check` says whether anyone is there. */
export async function connectStore(options: ConnectStoreOptions): Promise<Store> {
  const client = makeClient(options);
  const query = async <Row>(sql: string, parameters?: Record<string, unknown>): Promise<Row[]> => {
    try {
      const result = await client.query({
        query: sql,
        format: 'JSONEachRow',
        // Whole numbers of events are safe integers; older servers would send them as text.
        clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
        ...(parameters && { query_params: parameters }),
      });
      refuseStranger(result.response_headers);
      return await result.json<Row>();
    } catch (error) {
      throw classifyQueryError(error);
    }
  };
  const command = async (sql: string): Promise<void> => {
    try {
      const settings = { query: sql, clickhouse_settings: { wait_end_of_query: 1 } } as const;
      const { stream, response_headers: headers } = await client.exec(settings);
      await readChanged({ stream, headers });
    } catch (error) {
      throw classifyQueryError(error);
    }
  };
  const database = options.database ?? 'default';

  return {
    url: options.url,
    query,
    command,
    read: (sql, bounds, signal) => readBounded(client, sql, bounds, signal),
    ensureTable: (table) => ensureTable({ query, command, database, table }),
    async insert(table: TableSpec, rows: Rows, token: string) {
      if (rows.events.length === 0) return;
      try {
        await sendBlock(client, table, boundedBlock(table, rows), token);
      } catch (error) {
        const classified = classifyInsertError(table.name, error);
        options.logger?.debug({ table: table.name, token, code: classified.code }, classified.message);
        throw classified;
      }
    },
    async check() {
      const [row] = await query<{ version: string }>('SELECT version() AS version');
      return { version: row?.version ?? '' };
    },
    close: () => client.close(),
  };
}
