/** How two tables are compared: what their columns and key are, and the queries that give the rows of each side. */
import type { Store } from '../../store/store.ts';
import { replayErrors } from './errors.ts';

/** Tables to compare, and the part of the log whose results count. */
export interface DiffPair {
  readonly live: string;
  readonly shadow: string;
  readonly from: number;
  readonly until: number;
}

export interface DiffOptions {
  /** Columns to match rows by, in place of the table's sorting key. */
  readonly key?: readonly string[];
  /** A row that has another place (`_sequence`, `_index`) counts as changed, too. */
  readonly places?: boolean;
  readonly limit?: number;
  /** Rows of both sides in one step (default `replayLimits.diffRowsPerStepMax`). */
  readonly rowsPerStepMax?: number;
}

export interface Shape {
  readonly columns: ReadonlyMap<string, string>;
  readonly sortingKey: readonly string[];
  readonly isLatest: boolean;
}

export const originNames = ['_stage', '_partition', '_sequence', '_index', '_version'];
export const quote = (name: string) => `\`${name}\``;

/** Rejects with MACH3238 when there is no such table. */
export async function shapeOf(store: Store, table: string): Promise<Shape> {
  const where = { table };
  const [found] = await store.query<{ engine: string; sorting_key: string }>(
    'SELECT engine, sorting_key FROM system.tables WHERE database = currentDatabase() AND name = {table:String}',
    where,
  );
  if (!found) throw replayErrors.make('MACH3238', { reason: `there is no table ${table}` });
  const columns = await store.query<{ name: string; type: string }>(
    'SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = {table:String} ORDER BY position',
    where,
  );
  return {
    columns: new Map(columns.map(({ name, type }) => [name, type])),
    sortingKey: found.sorting_key
      .replace(/[`()]/g, '')
      .split(',')
      .map((name) => name.trim()),
    isLatest: found.engine.includes('Replacing'),
  };
}

export interface Comparison extends DiffPair {
  readonly key: readonly string[];
  readonly columns: readonly string[];
  readonly isLatest: boolean;
  readonly keyHash: string;
  readonly rowHash: string;
}

/** Throws MACH3238 when a column of the key is not in both. */
export function compare(
  pair: DiffPair,
  { live, shadow, options }: { live: Shape; shadow: Shape; options: DiffOptions },
): Comparison {
  const key = options.key ?? live.sortingKey;
  for (const name of key) {
    if (live.columns.has(name) && shadow.columns.has(name)) continue;
    throw replayErrors.make('MACH3238', {
      reason: `${pair.live} and ${pair.shadow} do not both have a column ${name}`,
    });
  }
  const columns = [...live.columns.keys()].filter((name) => !originNames.includes(name) && shadow.columns.has(name));
  const values = (names: readonly string[]) =>
    names.map((name) =>
      live.columns.get(name) === shadow.columns.get(name) ? quote(name) : `toString(${quote(name)})`,
    );
  const places = options.places ? ['_sequence', '_index'] : [];
  // A tuple, so that an absent value is a value of its own: a hash of NULL alone would be NULL.
  const hash = (names: readonly string[], more: readonly string[] = []) =>
    `sipHash128(tuple(${[...values(names), ...more, '0'].join(', ')}))`;
  const isLatest = live.isLatest && shadow.isLatest && options.key === undefined;
  return {
    ...pair,
    key,
    columns,
    isLatest,
    keyHash: hash(key, isLatest ? [] : ['_occurrence']),
    rowHash: hash(columns, places),
  };
}

/** The rows of one side that take part; of `latest` tables the newest of each key, those before and after the range included. */
export function side(
  { from, until, key, isLatest }: Comparison,
  table: string,
  { step, steps }: { step: number; steps: number },
): string {
  const share = `sipHash64(tuple(${[...key.map((name) => `toString(${quote(name)})`), '0'].join(', ')})) % ${steps} = ${step}`;
  if (isLatest) return `SELECT *, 1 AS _occurrence FROM ${quote(table)} FINAL WHERE ${share}`;
  const order = `PARTITION BY ${key.map(quote).join(', ')} ORDER BY _sequence, _index`;
  return `SELECT *, row_number() OVER (${order}) AS _occurrence FROM ${quote(table)}
    WHERE _sequence BETWEEN ${from} AND ${until} AND ${share}`;
}
