/** The same queries in batch by the embedded ClickHouse over the same events: what the engine's rows must equal. */
import { openGenerator, type StreamSettings } from '../../../connectors/nexmark/generator.ts';
import { type NexmarkField, nexmarkSchema } from '../../../connectors/nexmark/schema.ts';
import type { Store, TableSpec } from '../../../runtime/store/store.ts';
import { field } from '../../../runtime/stream/schema.ts';
import type { Query } from '../queries.ts';
import { RowBook } from '../rows.ts';
import { sqlOf } from './sql.ts';

const insertEvents = 20_000;

const table: TableSpec = {
  name: 'nexmark_events',
  schema: { fields: { position: field.int(), ...nexmarkSchema.fields } },
  orderBy: ['kind', 'position'],
  rows: 'append',
};

const ofKind: Readonly<Record<'people' | 'auctions' | 'bids', readonly [string, readonly NexmarkField[]]>> = {
  people: ['person', ['id', 'name', 'city', 'state']],
  auctions: ['auction', ['id', 'item_name', 'description', 'initial_bid', 'reserve', 'expires', 'seller', 'category']],
  bids: ['bid', ['auction', 'bidder', 'price', 'channel', 'url']],
};

/** Fills the store's tables with the stream, in place of any that was there. */
export async function fillOracle(store: Store, settings: StreamSettings & { readonly events: number }): Promise<void> {
  await store.command(`DROP TABLE IF EXISTS ${table.name} SYNC`);
  await store.ensureTable(table);
  for (const [view, [kind, names]] of Object.entries(ofKind)) {
    const columns = names.map((name) =>
      name === 'expires' ? msOf('assumeNotNull(expires)', name) : `assumeNotNull(${name}) AS ${name}`,
    );
    await store.command(`CREATE OR REPLACE VIEW ${view} AS SELECT position, ${msOf('date_time', 'date_time')}, extra,
      ${columns.join(', ')} FROM ${table.name} WHERE kind = '${kind}'`);
  }
  const generator = openGenerator(settings);
  for (let from = 0; from < settings.events; from += insertEvents) {
    const count = Math.min(insertEvents, settings.events - from);
    const stretch = generator.stretch(from, count).events.events;
    const events = stretch.map((event, at) => ({ position: from + at, ...event }));
    const origins = events.map((_, index) => ({ stage: 'oracle', partition: 0, sequence: from + index + 1, index: 0 }));
    await store.insert(table, { events, origins }, `oracle/${JSON.stringify(settings)}/${from}`);
  }
}

function msOf(time: string, name: string): string {
  return `toUnixTimestamp64Milli(${time}) AS ${name}`;
}

/** The lines that the query's rows must be, sorted. */
export async function expectedLines(store: Store, query: Query): Promise<readonly string[]> {
  const sql = sqlOf[query.name];
  if (sql === undefined) throw new Error(`there is no SQL for ${query.name}`);
  const book = new RowBook(query);
  for (const row of await store.query(sql)) book.add(row);
  return book.lines();
}
