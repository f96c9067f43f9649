/** Runs every query of every board on the store, as Grafana would, and takes the time. */
import { existsSync, readFileSync } from 'node:fs';
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { bucketMs } from '../../runtime/boards/interval.ts';
import type { Store } from '../../runtime/store/store.ts';
import type { ClickHouseQuery } from '../kit/query.ts';
import { intervalMin } from '../kit/render-panel.ts';
import { type ExpandOptions, expandQuery, type Range } from './expand.ts';

export interface QueryRun {
  readonly board: string;
  readonly panel: string;
  readonly kind: string;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** Of several runs the quickest: other work on the machine is not the query's. */
  readonly ms: number;
  /** The least that a run has used of the processor, all threads together; undefined where the store cannot be watched. */
  readonly processorMs: number | undefined;
  readonly rowsRead: number;
  readonly problem?: string;
}

export interface BoardQuery {
  readonly board: string;
  readonly panel: string;
  readonly kind: string;
  readonly sql: string;
}

/** Points that a panel asks for across its width, as Grafana on a wall does. */
const pointsAcross = 1_000;

export function intervalOf({ from, to }: Range): number {
  return bucketMs(to - from, pointsAcross, intervalMin);
}

export function queriesOf(dashboard: Dashboard): BoardQuery[] {
  const board = dashboard.uid ?? '';
  const panels = (dashboard.panels ?? []).flatMap((panel): BoardQuery[] => {
    const targets = ('targets' in panel ? panel.targets : undefined) as readonly ClickHouseQuery[] | undefined;
    return (targets ?? []).map(({ rawSql }) => ({ board, panel: panel.title ?? '', kind: panel.type, sql: rawSql }));
  });
  const choices = (dashboard.templating.list ?? []).flatMap(({ type, name, query }): BoardQuery[] => {
    const sql = (query as { readonly rawSql?: string } | undefined)?.rawSql;
    return type === 'query' && sql ? [{ board, panel: `variable ${name}`, kind: 'variable', sql }] : [];
  });
  return [...panels, ...choices];
}

/** Rows that the store has to read for it by its own estimate from the primary key: the same on every machine. */
async function estimateRows(store: Store, sql: string): Promise<number> {
  const tables = await store.query<{ readonly rows: number }>(`EXPLAIN ESTIMATE ${sql}`);
  return tables.reduce((total, { rows }) => total + Number(rows), 0);
}

const tickMs = 10;

/** What a process has used of the processor, from Linux; in steps of 10 ms. */
function usedProcessorMs(processId: number | undefined): number | undefined {
  const path = `/proc/${processId}/stat`;
  if (processId === undefined || !existsSync(path)) return undefined;
  const [user = 0, system = 0] = readFileSync(path, 'utf8').split(') ')[1]?.split(' ').slice(11, 13).map(Number) ?? [];
  return (user + system) * tickMs;
}

export async function runQuery(
  store: Store,
  query: BoardQuery,
  options: Omit<ExpandOptions, 'intervalMs'> & {
    /** It is run again, so many times at most, until a run is as quick as this, or uses no more of the processor. */
    readonly wantedMs?: number;
    readonly runsMax?: number;
    /** Of the store, for `processorMs`. */
    readonly storeProcessId?: number | undefined;
  },
): Promise<QueryRun> {
  const { wantedMs = 0, runsMax = 1, storeProcessId, ...range } = options;
  const { board, panel, kind } = query;
  let rows: QueryRun['rows'] = [];
  let ms = Number.POSITIVE_INFINITY;
  let rowsRead = 0;
  let processorMs: number | undefined;
  try {
    const sql = expandQuery(query.sql, { ...range, intervalMs: intervalOf(range) });
    rowsRead = await estimateRows(store, sql);
    for (let run = 0; run < runsMax && Math.min(ms, processorMs ?? ms) > wantedMs; run++) {
      const [startedAt, usedBefore] = [performance.now(), usedProcessorMs(storeProcessId)];
      rows = await store.query(sql);
      ms = Math.min(ms, performance.now() - startedAt);
      const used = usedProcessorMs(storeProcessId);
      if (usedBefore === undefined || used === undefined) continue;
      processorMs = Math.min(processorMs ?? Number.POSITIVE_INFINITY, used - usedBefore);
    }
    return { board, panel, kind, rows, ms, processorMs, rowsRead };
  } catch (error) {
    return { board, panel, kind, rows, ms, processorMs, rowsRead, problem: (error as Error).message };
  }
}
