/**
 * The store remembers from which log the rows of a topology come. A log that was wiped whole has lost its checkpoints too, and
 * looks like a new one; only what the store knows tells the difference between a first start and a loss.
 */
import type { Log } from '../bus/log.ts';
import type { Store } from '../store/store.ts';
import type { BoundTopology } from '../topology/bound.ts';
import { topologyNames } from '../topology/names.ts';
import { executionErrors } from './errors.ts';
import { incarnationOf, promiseSpec } from './streams.ts';

/** One row for each topology that has tables. */
const table = 'mach_logs';

const createTable = `CREATE TABLE IF NOT EXISTS ${table} (
  topology String, log String, seen_at DateTime64(3)
) ENGINE = ReplacingMergeTree(seen_at) ORDER BY topology
COMMENT 'The log that the rows of each topology come from'`;

/** Rejects with MACH3215 when the tables of the topology were filled from another log, and that is not accepted as a loss. */
export async function refuseOtherLog(args: {
  readonly topology: BoundTopology;
  readonly log: Log;
  readonly store: Store;
  readonly acceptLoss: readonly string[];
}): Promise<void> {
  const { topology, log, store, acceptLoss } = args;
  if (!topology.sinks.some(({ bound }) => (bound.tables?.length ?? 0) > 0)) return;
  const names = topologyNames(topology.name);
  const current = await incarnationOf(await log.stream(promiseSpec(names, topology)), names);
  await store.command(createTable);
  const [known] = await store.query<{ log: string }>(
    `SELECT log FROM ${table} FINAL WHERE topology = {topology:String}`,
    { topology: topology.name },
  );
  if (known?.log === current) return;
  if (known && !acceptLoss.includes('log')) {
    throw executionErrors.make('MACH3215', { topology: topology.name, before: known.log, now: current });
  }
  // Both are names of our own making: no quotes in them.
  await store.command(`INSERT INTO ${table} VALUES ('${topology.name}', '${current}', now64(3))`);
}
