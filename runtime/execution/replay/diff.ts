/**
 * Which rows of a shadow differ from the live ones, worked out in the store. Rows are matched by the table's key; of tables of `append`
 * rows, where a key may come more than once, the n-th row of a key in one is matched with the n-th in the other. Large tables are compared
 * in steps, a share of the keys at a time, so that the store's memory stays bounded.
 */
import type { Store } from '../../store/store.ts';
import {
  type Comparison,
  compare,
  type DiffOptions,
  type DiffPair,
  originNames,
  quote,
  type Shape,
  shapeOf,
  side,
} from './comparison.ts';
import { replayLimits } from './limits.ts';

export interface RowPlace {
  readonly stage: string;
  readonly partition: number;
  readonly sequence: number;
  readonly index: number;
}

export interface DifferingRow {
  readonly state: 'only-live' | 'only-shadow' | 'changed';
  readonly key: Readonly<Record<string, unknown>>;
  /** Of a changed row: field to its two values. */
  readonly fields: Readonly<Record<string, { readonly live: unknown; readonly shadow: unknown }>>;
  /** Where each row comes from; null where there is none. */
  readonly live: RowPlace | null;
  readonly shadow: RowPlace | null;
}

export interface TableDiff extends DiffPair {
  readonly key: readonly string[];
  readonly liveRows: number;
  readonly shadowRows: number;
  readonly equal: number;
  readonly onlyLive: number;
  readonly onlyShadow: number;
  readonly changed: number;
  /** Rows of `latest` tables that the live topology has replaced after the end of the replay: nothing to compare with. */
  readonly superseded: number;
  /** Columns that one of the two has alone; they are not compared. */
  readonly columnsOnlyLive: readonly string[];
  readonly columnsOnlyShadow: readonly string[];
  /** As many as asked for. */
  readonly rows: readonly DifferingRow[];
}

/** Rejects with MACH3238 when a table or a column of the key is not there. */
export async function diffTables(store: Store, pair: DiffPair, options: DiffOptions = {}): Promise<TableDiff> {
  const [live, shadow] = await Promise.all([shapeOf(store, pair.live), shapeOf(store, pair.shadow)]);
  const comparison = compare(pair, { live, shadow, options });
  const counts = await countRows(store, comparison);
  const rowsPerStepMax = options.rowsPerStepMax ?? replayLimits.diffRowsPerStepMax;
  const steps = Math.max(1, Math.ceil((counts.live + counts.shadow) / rowsPerStepMax));
  const limit = options.limit ?? replayLimits.diffRowsShown;
  const totals = { equal: 0, onlyLive: 0, onlyShadow: 0, changed: 0, superseded: 0 };
  const rows: DifferingRow[] = [];
  for (let step = 0; step < steps; step++) {
    const found = await compareStep(store, comparison, { step, steps, limit: limit - rows.length });
    for (const name of Object.keys(totals) as (keyof typeof totals)[]) totals[name] += Number(found[name]);
    if (found.keys.length > 0) rows.push(...(await rowsOf(store, comparison, { step, steps, keys: found.keys })));
  }
  const own = (shape: Shape, other: Shape) =>
    [...shape.columns.keys()].filter((name) => !originNames.includes(name) && !other.columns.has(name));
  return {
    ...pair,
    key: comparison.key,
    liveRows: counts.live,
    shadowRows: counts.shadow,
    ...totals,
    columnsOnlyLive: own(live, shadow),
    columnsOnlyShadow: own(shadow, live),
    rows,
  };
}

export function isEqual({
  onlyLive,
  onlyShadow,
  changed,
}: Pick<TableDiff, 'onlyLive' | 'onlyShadow' | 'changed'>): boolean {
  return onlyLive + onlyShadow + changed === 0;
}

async function countRows(store: Store, { live, shadow, from, until, isLatest }: Comparison) {
  const where = isLatest ? '' : `WHERE _sequence BETWEEN ${from} AND ${until}`;
  const count = async (table: string) => {
    const [row] = await store.query<{ rows: number }>(
      `SELECT count() AS rows FROM ${quote(table)} ${isLatest ? 'FINAL' : ''} ${where}`,
    );
    return Number(row?.rows ?? 0);
  };
  return { live: await count(live), shadow: await count(shadow) };
}

interface StepResult {
  readonly equal: number;
  readonly onlyLive: number;
  readonly onlyShadow: number;
  readonly changed: number;
  readonly superseded: number;
  readonly keys: readonly string[];
}

async function compareStep(
  store: Store,
  comparison: Comparison,
  { limit, ...share }: { step: number; steps: number; limit: number },
): Promise<StepResult> {
  const { from, until, keyHash, rowHash, live, shadow } = comparison;
  const one = (table: string, number: number) =>
    `SELECT ${number} AS side, ${keyHash} AS key, ${rowHash} AS hash, _sequence AS sequence FROM (${side(comparison, table, share)})`;
  const [row] = await store.query<StepResult>(
    `SELECT countIf(state = 'equal') AS equal, countIf(state = 'only-live') AS onlyLive, countIf(state = 'only-shadow') AS onlyShadow,
       countIf(state = 'changed') AS changed, countIf(state = 'superseded') AS superseded,
       groupArrayIf(${Math.max(1, limit)})(hex(key), state IN ('only-live', 'only-shadow', 'changed')) AS keys
     FROM (
       SELECT key, multiIf(
         inLive > 0 AND liveSequence > ${until}, 'superseded',
         inLive = 0, 'only-shadow',
         inShadow = 0 AND liveSequence < ${from}, 'before',
         inShadow = 0, 'only-live',
         liveHash = shadowHash, 'equal', 'changed') AS state
       FROM (
         SELECT key, countIf(side = 1) AS inLive, countIf(side = 2) AS inShadow, maxIf(sequence, side = 1) AS liveSequence,
           anyIf(hash, side = 1) AS liveHash, anyIf(hash, side = 2) AS shadowHash
         FROM (${one(live, 1)} UNION ALL ${one(shadow, 2)})
         GROUP BY key
       )
     )`,
  );
  if (!row) throw new Error('invariant broken: an aggregate without a row');
  return { ...row, keys: limit > 0 ? row.keys : [] };
}

type StoredRow = Record<string, unknown> & { readonly _key: string; readonly _side: string };

async function rowsOf(
  store: Store,
  comparison: Comparison,
  { keys, ...share }: { step: number; steps: number; keys: readonly string[] },
): Promise<DifferingRow[]> {
  const columns = [...comparison.columns, ...originNames.slice(0, 4)].map(quote).join(', ');
  const one = (table: string, name: string) =>
    `SELECT '${name}' AS _side, hex(${comparison.keyHash}) AS _key, ${columns} FROM (${side(comparison, table, share)})
     WHERE hex(${comparison.keyHash}) IN ({keys:Array(String)})`;
  const [live, shadow] = await Promise.all([
    store.query<StoredRow>(one(comparison.live, 'live'), { keys }),
    store.query<StoredRow>(one(comparison.shadow, 'shadow'), { keys }),
  ]);
  const byKey = (rows: readonly StoredRow[]) => new Map(rows.map((row) => [row._key, row]));
  const [lives, shadows] = [byKey(live), byKey(shadow)];
  return keys
    .map((key) => differingRow(comparison, lives.get(key), shadows.get(key)))
    .sort((a, b) => firstSequence(a) - firstSequence(b));
}

const firstSequence = ({ live, shadow }: DifferingRow) => shadow?.sequence ?? live?.sequence ?? 0;

function differingRow(
  { key, columns }: Comparison,
  live: StoredRow | undefined,
  shadow: StoredRow | undefined,
): DifferingRow {
  const either = (live ?? shadow) as StoredRow;
  const differing = live && shadow ? columns.filter((name) => !isSame(live[name], shadow[name])) : [];
  return {
    state: !live ? 'only-shadow' : !shadow ? 'only-live' : 'changed',
    key: Object.fromEntries(key.map((name) => [name, either[name]])),
    fields: Object.fromEntries(differing.map((name) => [name, { live: live?.[name], shadow: shadow?.[name] }])),
    live: live ? placeOf(live) : null,
    shadow: shadow ? placeOf(shadow) : null,
  };
}

const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

function placeOf(row: StoredRow): RowPlace {
  return {
    stage: String(row._stage),
    partition: Number(row._partition),
    sequence: Number(row._sequence),
    index: Number(row._index),
  };
}
