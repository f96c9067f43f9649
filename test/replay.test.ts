/**
 * The main job on the log in memory, through crashes, at one partition and at four: a replay of that log gives the same rows. With one
 * partition they stand in the same places, too. (On NATS and ClickHouse: `kill-and-restart.test.ts`.)
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { catalogue } from '../catalogue.ts';
import { type MemoryStorage, memoryLog, memoryStorage } from '../runtime/bus/index.ts';
import { type VirtualClock, virtualClock } from '../runtime/clock.ts';
import { type Engine, startEngine } from '../runtime/execution/engine.ts';
import { decodeOutputFrame, encodeSourceFrame, type OutputRow } from '../runtime/execution/log-frame.ts';
import { openPast } from '../runtime/execution/replay/past.ts';
import { replay } from '../runtime/execution/replay/run.ts';
import { openStreams } from '../runtime/execution/streams.ts';
import { type Random, seededRandom } from '../runtime/random.ts';
import type { Store } from '../runtime/store/index.ts';
import type { Logger } from '../runtime/stream/index.ts';
import { type BoundTopology, loadTopology } from '../runtime/topology/index.ts';
import { topologyNames } from '../runtime/topology/names.ts';
import { type CityRun, type Said, saidByCity } from './city-log.ts';

const hourMs = 3_600_000;
const city: CityRun = {
  seed: 31,
  hospitals: 8,
  start: Date.parse('2026-03-02T07:00:00+07:00'),
  durationMs: hourMs,
  scenario: 'surge',
};
const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const names = topologyNames('emergency-overload');

/** What sinks write is read from the log of results. */
const anyStore: Store = {
  url: 'http://127.0.0.1:0',
  ensureTable: async () => {},
  insert: async () => {},
  query: async () => [],
  read: async () => ({ columns: [], rows: [] }),
  command: async () => {},
  check: async () => ({ version: '' }),
  close: async () => {},
};

function load(): BoundTopology {
  const env = { MACH_BED_FILES: 'inbox' };
  return loadTopology('topologies/emergency-overload.yaml', { catalogue, env }).topology as BoundTopology;
}

interface World {
  readonly topology: BoundTopology;
  readonly clock: VirtualClock;
  readonly storage: MemoryStorage;
}

async function drive<T>({ clock }: World, work: Promise<T>): Promise<T> {
  let done = false;
  const settled = work.finally(() => {
    done = true;
  });
  settled.catch(() => undefined);
  while (!done) await clock.advance(20);
  return settled;
}

/** What the sources would have appended. */
async function append({ topology, clock, storage }: World, said: readonly Said[]): Promise<void> {
  const { input } = await openStreams(memoryLog({ clock, storage }), names, topology);
  for (const { source, origin, events, deadLetters } of said) {
    const schema = topology.sources.find(({ id }) => id === source)?.bound.ports.out ?? { fields: {} };
    const frame = encodeSourceFrame(schema, {
      acceptedAt: 1,
      engineTime: city.start + 2 * hourMs,
      segments: [{ origin, events: events.length }],
      deadLetters,
      events: events.map(({ event }) => event),
      times: events.map(({ time }) => time),
      raws: events.map(() => null),
    });
    await input.append(names.inputSubject('s1', { node: source, port: 'out' }, 0), frame);
  }
}

async function start(world: World, partitions: number): Promise<{ engine: Engine; kill(): void }> {
  const { topology, clock, storage } = world;
  const log = memoryLog({ clock, storage });
  const options = { log, store: anyStore, logger: silent, clock, machineClock: clock, withoutSources: true };
  const engine = await drive(world, startEngine({ ...options, topology, partitions, checkpointEveryMs: 500 }));
  return { engine, kill: () => log.crash() };
}

async function liveThrough(
  world: World,
  { said, partitions, random }: { said: readonly Said[]; partitions: number; random: Random },
): Promise<number> {
  let deaths = 0;
  let { engine, kill } = await start(world, partitions);
  for (let at = 0; at < said.length; ) {
    const size = random.int(1, Math.ceil(said.length / 8));
    await append(world, said.slice(at, at + size));
    at += size;
    if (random.chance(0.5)) {
      // In the middle of it.
      await world.clock.advance(random.int(1, 40));
      kill();
      deaths++;
      ({ engine, kill } = await start(world, partitions));
    } else {
      await drive(world, engine.settled());
      await world.clock.advance(600);
    }
  }
  await drive(world, engine.settled());
  kill();
  return deaths;
}

type ShownRow = Pick<OutputRow, 'event' | 'time' | 'sequence' | 'index'>;
const shown = ({ event, time, sequence, index }: OutputRow): ShownRow => ({ event, time, sequence, index });

/** Rows of each sink as they stand in the log of results. */
async function liveRows({ topology, clock, storage }: World): Promise<Map<string, ShownRow[]>> {
  const log = memoryLog({ clock, storage });
  const rows = new Map<string, ShownRow[]>();
  for (const stage of ['s1', 's2', 's3', 's4']) {
    const stream = await log.find(names.outputStream(stage));
    const { lastSequence = 0 } = (await stream?.state()) ?? {};
    for (let at = 1; at <= lastSequence; at++) {
      const message = await stream?.get(at);
      const sink = topology.sinks.find(({ id }) => id === message?.subject.split('.').at(-2));
      if (!message || !sink) throw new Error(`message ${at} of ${stage} is of no sink`);
      const list = rows.get(sink.id) ?? [];
      rows.set(sink.id, list);
      list.push(...decodeOutputFrame(message.payload, sink.inputs[0]?.schema ?? { fields: {} }).rows.map(shown));
    }
  }
  return rows;
}

async function replayedRows({ topology, clock, storage }: World, from?: number) {
  const log = memoryLog({ clock, storage });
  const objects = await log.objects(names.checkpointBucket);
  const past = await openPast({ log, topology, names, objects });
  const rows = new Map<string, ShownRow[]>();
  const result = await replay({
    past,
    topology,
    before: topology,
    from: from ?? past.first,
    until: past.last,
    output: {
      row(sink, row) {
        const list = rows.get(sink) ?? [];
        rows.set(sink, list);
        list.push(shown(row));
      },
      ready: () => undefined,
      finish: async () => {},
    },
  });
  rows.delete('$dead');
  return { rows, result };
}

/** By cause and content: where a row stands among those of its message hangs on who made it. */
const byCause = (rows: readonly ShownRow[] = []) =>
  rows
    .map(({ sequence, time, event }) => `${String(sequence).padStart(8, '0')} ${JSON.stringify({ time, event })}`)
    .sort();

describe('a replay of the main job', () => {
  let said: Said[];
  const newWorld = (): World => ({
    topology: load(),
    clock: virtualClock(city.start + 2 * hourMs),
    storage: memoryStorage(),
  });

  beforeAll(async () => {
    said = await saidByCity(load(), city);
  });

  it.each([1, 2])(
    'at one partition gives the rows that came out, through crashes, in their places (seed %i)',
    async (seed) => {
      const world = newWorld();
      const random = seededRandom(seed);
      expect(await liveThrough(world, { said, partitions: 1, random })).toBeGreaterThan(0);
      const live = await liveRows(world);
      expect([...live.keys()].sort()).toEqual(world.topology.sinks.map(({ id }) => id).sort());
      const whole = await replayedRows(world);
      for (const [sink, rows] of live) expect(whole.rows.get(sink), sink).toEqual(rows);
      const from = Math.floor(whole.result.until * 0.7);
      const part = await replayedRows(world, from);
      expect(part.result.restored?.sequence).toBeGreaterThan(0);
      for (const [sink, rows] of live) {
        expect(part.rows.get(sink) ?? [], sink).toEqual(rows.filter(({ sequence }) => sequence >= from));
      }
    },
  );

  it('at four partitions gives the rows that came out, of the same messages', async () => {
    const world = newWorld();
    expect(await liveThrough(world, { said, partitions: 4, random: seededRandom(3) })).toBeGreaterThan(0);
    const live = await liveRows(world);
    const { rows, result } = await replayedRows(world, 1);
    expect(result.restored).toBeUndefined();
    for (const { id } of world.topology.sinks) expect(byCause(live.get(id)), id).toEqual(byCause(rows.get(id)));
  });
});
