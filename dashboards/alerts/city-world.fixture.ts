/** The main job in virtual time, whose rows go into a real store as the engine's sinks would write them: events in, and boards and rules can be asked. */

import { engineNodesTable, feedFreshnessTable } from '../../runtime/observe/history/tables.ts';
import type { Store, TableSpec } from '../../runtime/store/store.ts';
import type { Event, Schema } from '../../runtime/stream/schema.ts';
import type { AppendRequest } from '../../runtime/stream/source-definition.ts';
import { openWorld } from '../../runtime/testing/topology-test/world.ts';
import type { BoundTopology } from '../../runtime/topology/bound.ts';
import { loadEmergencyTopology, makeTables } from '../sample/city.ts';

export type Source = 'adt' | 'centre' | 'beds';
export type Item = Readonly<Record<string, unknown>>;

export interface CityWorld {
  now(): number;
  /** `agoMs`: how old the news is. */
  send(source: Source, origin: string, items: readonly Item[], options?: { readonly agoMs?: number }): Promise<void>;
  /** What came could not be read. */
  sendUnreadable(source: Source, origin: string): Promise<void>;
  /** Time passes, and what the engine gave out in it is in the store. */
  pass(ms: number, options?: { readonly engineWritesOfItself?: boolean }): Promise<void>;
  close(): Promise<void>;
}

const stepMs = 30_000;

function complete(schema: Schema, item: Item): Event {
  const empty = Object.entries(schema.fields).map(([name, { type }]) => [name, type.kind === 'list' ? [] : null]);
  return { ...Object.fromEntries(empty), ...item };
}

/** One store serves many worlds, one after the other: their tables are made once, and emptied at the end of each. */
export async function cityWorlds(store: Store): Promise<(startMs: number) => Promise<CityWorld>> {
  const topology = loadEmergencyTopology();
  await makeTables(store);
  return (startMs) => openCityWorld(store, topology, startMs);
}

async function openCityWorld(store: Store, topology: BoundTopology, startMs: number): Promise<CityWorld> {
  const world = await openWorld({ topology, startMs, mocks: new Map() });
  const schemas = new Map(topology.sources.map(({ id, ports }) => [id, ports.out as Schema]));
  const written = new Set<string>();
  const done = new Map<string, number>();
  let inserts = 0;

  const insert = async (table: TableSpec, events: readonly Event[], sequences: readonly number[]) => {
    if (events.length === 0) return;
    written.add(table.name);
    const origins = events.map((_event, index) => ({
      stage: 's1',
      partition: 0,
      sequence: sequences[index] ?? 0,
      index,
    }));
    await store.insert(table, { events, origins }, `${startMs} ${table.name} ${inserts++}`);
  };

  const writeRows = async () => {
    for (const { id, bound } of topology.sinks) {
      const [table] = bound.tables ?? [];
      const rows = world.rows(id).slice(done.get(id) ?? 0);
      if (table)
        await insert(
          table,
          rows.map(({ event }) => event),
          rows.map(({ sequence = 0 }) => sequence),
        );
      done.set(id, world.rows(id).length);
    }
  };

  const append = (source: Source, request: AppendRequest) => world.append(source, [request]);

  return {
    now: () => world.now(),
    async send(source, origin, items, { agoMs = 0 } = {}) {
      const schema = schemas.get(source) as Schema;
      const time = world.now() - agoMs;
      await append(source, { origin, events: items.map((item) => ({ event: complete(schema, item), time })) });
    },
    async sendUnreadable(source, origin) {
      const letter = { code: 'MACH2001', reason: 'not a message', raw: Buffer.from('?'), place: {} };
      await append(source, { origin, events: [], deadLetters: [letter] });
    },
    async pass(ms, { engineWritesOfItself = true } = {}) {
      const nodes: Event[] = [];
      const feeds: Event[] = [];
      for (let left = ms; left > 0; left -= stepMs) {
        await world.advance(Math.min(stepMs, left));
        if (!engineWritesOfItself) continue;
        const look = await world.look();
        nodes.push(...look.nodes);
        feeds.push(...look.feeds);
      }
      const sequence = (rows: readonly Event[]) => rows.map(() => world.now());
      await insert(engineNodesTable, nodes, sequence(nodes));
      await insert(feedFreshnessTable, feeds, sequence(feeds));
      await writeRows();
    },
    async close() {
      await world.close();
      for (const name of written) await store.command(`TRUNCATE TABLE ${name}`);
    },
  };
}
