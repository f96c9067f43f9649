/**
 * A made-up city in the tables of the store, of the size of Ho Chi Minh City: a month is there in a minute. Numbers follow the hours of the day and are
 * the same at every run.
 */
import { fileURLToPath } from 'node:url';
import { catalogue } from '../../catalogue.ts';
import { limits } from '../../runtime/limits.ts';
import { engineNodesTable, feedFreshnessTable } from '../../runtime/observe/history/tables.ts';
import type { Store, TableSpec } from '../../runtime/store/store.ts';
import type { BoundTopology } from '../../runtime/topology/bound.ts';
import { loadTopology } from '../../runtime/topology/index.ts';
import { insertAlerts, insertCalls, insertUnitReports } from './calls.ts';
import { insertBedFiles, insertCorrections, insertHospitals, insertPictures } from './departments.ts';
import { insertFreshness, insertNodes } from './engine.ts';
import { dayMs, minuteMs } from './sql.ts';

const topologyFile = fileURLToPath(new URL('../../topologies/emergency-overload.yaml', import.meta.url));

export interface SampleCity {
  /** The last instant that has data, ms since the epoch; a whole quarter of an hour. */
  readonly end: number;
  readonly days: number;
  readonly hospitals: number;
  readonly callsPerDay: number;
  readonly units: number;
}

/** The city as it is: 164 hospitals, 1,200 calls a day; 140,000 visits a day are in the arrivals of its departments. */
export const wholeCity = { hospitals: 164, callsPerDay: 1_200, units: 90 } as const;

export function loadEmergencyTopology(): BoundTopology {
  const { topology, diagnostics } = loadTopology(topologyFile, { catalogue, env: {} });
  if (!topology) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  return topology;
}

/** Makes every table that boards read, empty. */
export async function makeTables(store: Store): Promise<ReadonlyMap<string, TableSpec>> {
  const tables = [
    ...loadEmergencyTopology().sinks.flatMap(({ bound }) => bound.tables ?? []),
    engineNodesTable,
    feedFreshnessTable,
  ];
  for (const table of tables) await store.ensureTable(table);
  return new Map(tables.map((table) => [table.name, table]));
}

export async function fillCity(store: Store, city: SampleCity): Promise<void> {
  const tables = await makeTables(store);
  const table = (name: string): TableSpec => {
    const found = tables.get(name);
    if (!found) throw new Error(`the topology has no table ${name}`);
    return found;
  };
  const begin = city.end - city.days * dayMs;
  for (let from = begin; from < city.end; from += dayMs) {
    const newest = from + dayMs >= city.end;
    await store.command(insertPictures(table('ed_status'), city, from, minuteMs));
    await store.command(insertCorrections(table('ed_status'), city, from));
    await store.command(insertPictures(table('ed_status_quarterly'), city, from, 15 * minuteMs));
    await store.command(insertBedFiles(table('bed_status'), city, from));
    if (newest) await store.command(insertHospitals(table('hospitals'), city, from));
    await store.command(insertCalls(table('emergency_calls'), city, from));
    await store.command(insertUnitReports(table('unit_reports'), city, from));
    await store.command(insertAlerts(table('alerts'), city, from));
  }
  const topology = loadEmergencyTopology();
  const nodesFrom = Math.max(begin, city.end - limits.historyNodesKeepMs);
  const nodes = { from: nodesFrom, to: city.end, everyMs: limits.historyNodesEveryMs };
  await store.command(insertNodes(engineNodesTable, topology, nodes));
  const feedsFrom = Math.max(begin, city.end - limits.historyFeedsKeepMs);
  const feeds = { from: feedsFrom, to: city.end, everyMs: limits.historyFeedsEveryMs };
  await store.command(insertFreshness(feedFreshnessTable, topology, city, feeds));
}
