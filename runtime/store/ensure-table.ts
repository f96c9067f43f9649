/** Makes a table, or brings one that exists up to its specification, without ever changing what it holds. */
import { storeErrors } from './errors.ts';
import { quoteName } from './sql.ts';
import type { Store, TableSpec } from './store.ts';
import { checkTable, columnDefinition, columnsOf, createTable, keepSeconds, takesType, timeToLive } from './table.ts';

export interface EnsureTableOptions extends Pick<Store, 'query' | 'command'> {
  readonly database: string;
  readonly table: TableSpec;
}

interface ExistingTable {
  readonly engine: string;
  readonly sorting_key: string;
  readonly create_table_query: string;
}

export async function ensureTable({ query, command, database, table }: EnsureTableOptions): Promise<void> {
  checkTable(table);
  await command(createTable(table));
  const parameters = { database, table: table.name };
  const [existing] = await query<ExistingTable>(
    'SELECT engine, sorting_key, create_table_query FROM system.tables WHERE database = {database:String} AND name = {table:String}',
    parameters,
  );
  if (existing) checkEngine(table, existing);
  const columns = await query<{ name: string; type: string }>(
    'SELECT name, type FROM system.columns WHERE database = {database:String} AND table = {table:String}',
    parameters,
  );
  const types = new Map(columns.map(({ name, type }) => [name, type]));
  const additions: string[] = [];
  for (const column of columnsOf(table)) {
    const actual = types.get(column.name);
    if (actual === undefined) additions.push(`ADD COLUMN IF NOT EXISTS ${columnDefinition(column)}`);
    else if (!takesType(actual, column.type)) {
      const data = { table: table.name, column: column.name, actual, wanted: column.type };
      throw storeErrors.make('MACH3101', data);
    }
  }
  if (additions.length > 0) await command(`ALTER TABLE ${quoteName(table.name)} ${additions.join(', ')}`);
  await ensureTimeToLive(table, existing?.create_table_query ?? '', command);
}

function checkEngine(table: TableSpec, existing: ExistingTable): void {
  const wantedEngine = table.rows === 'latest' ? 'ReplacingMergeTree' : 'MergeTree';
  const wantedKey = table.orderBy.join(', ');
  const actualKey = existing.sorting_key.replace(/[`()]/g, '');
  const actualEngine = existing.engine.replace(/^(?:Replicated|Shared)/, '');
  if (actualEngine === wantedEngine && actualKey === wantedKey) return;
  const actual = `${existing.engine} sorted by (${actualKey})`;
  const wanted = `${wantedEngine} sorted by (${wantedKey})`;
  throw storeErrors.make('MACH3104', {
    table: table.name,
    reason: `it is there already as ${actual}, and the topology wants ${wanted}`,
  });
}

/** A changed retention applies from the next merges on; nothing is rewritten at once. */
async function ensureTimeToLive(table: TableSpec, definition: string, command: Store['command']): Promise<void> {
  const actual = /\bTTL toDateTime\([^)]*\) \+ toIntervalSecond\((\d+)\)/.exec(definition)?.[1];
  const wanted = keepSeconds(table);
  if (String(wanted) === String(actual)) return;
  const change = wanted === undefined ? 'REMOVE TTL' : `MODIFY TTL ${timeToLive(table)}`;
  await command(`ALTER TABLE ${quoteName(table.name)} ${change} SETTINGS materialize_ttl_after_modify = 0`);
}
