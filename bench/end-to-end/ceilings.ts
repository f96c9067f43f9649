/**
 * What each part does alone, in this process and on the same machine, with messages of the size that the run had: the whole can
 * never be faster than the slowest of them.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catalogue } from '../../catalogue.ts';
import { readItem } from '../../connectors/feed-115/items.ts';
import { decodeFrame } from '../../connectors/hl7-mllp/decode.ts';
import { codesOf } from '../../connectors/hl7-mllp/index.ts';
import { connectLog, startNatsServer } from '../../runtime/bus/index.ts';
import { systemClock } from '../../runtime/clock.ts';
import { decodeInputFrame, encodeSourceFrame, type OutputRow } from '../../runtime/execution/log-frame.ts';
import { rowByRow } from '../../runtime/execution/output-run.ts';
import { StageMachine } from '../../runtime/execution/stage-machine.ts';
import { limits } from '../../runtime/limits.ts';
import { connectStore, startEmbeddedStore, type TableSpec } from '../../runtime/store/index.ts';
import type { Schema, SourceEvent } from '../../runtime/stream/index.ts';
import { type BoundTopology, loadTopology } from '../../runtime/topology/index.ts';
import { topologyFile } from './engine.ts';
import { feedItem, hl7Message, type Protocol } from './workload.ts';

const sources: Readonly<Record<Protocol, string>> = { 'feed-115': 'centres', 'hl7-mllp': 'hospitals' };
const sinks: Readonly<Record<Protocol, string>> = { 'feed-115': 'bench_runs', 'hl7-mllp': 'bench_visits' };
const eventsMade = 40_000;
/** Writes of a sink begin this far apart; a batch is what came meanwhile. */
const writesPerSecond = 1_000 / limits.sinkWriteEveryMs;

/** Events (rows) per second. */
export interface Ceilings {
  readonly events_per_log_message: number;
  /** Synced to disk, one log message under way at a time, as a source commits. */
  readonly append: number;
  /** Decoding a log message and all operators. */
  readonly stage: number;
  /** Rows of this table into the store, as large as a sink writes them. */
  readonly insert: number;
  readonly rows_per_insert: number;
}

interface Versions {
  readonly nats: string;
  readonly clickhouse: string;
}

/** How the run went: log messages and batches of that size are measured. */
export interface Shape {
  readonly eventsPerMessage: number;
  readonly rowsPerSecond: number;
}

interface Made {
  readonly frames: readonly Uint8Array[];
  readonly perFrame: number;
}

export async function measureCeilings(
  shapes: Readonly<Record<Protocol, Shape>>,
  eachMs: number,
): Promise<{ ceilings: Record<Protocol, Ceilings>; versions: Versions }> {
  const { topology } = loadTopology(topologyFile, { catalogue });
  if (!topology) throw new Error(`${topologyFile} is not right; mach check tells why`);
  const made: Record<Protocol, Made> = {
    'feed-115': makeFrames(topology, 'feed-115', shapes['feed-115']),
    'hl7-mllp': makeFrames(topology, 'hl7-mllp', shapes['hl7-mllp']),
  };
  const stage: Record<Protocol, StageResult> = {
    'feed-115': measureStage(topology, 'feed-115', made['feed-115'], eachMs),
    'hl7-mllp': measureStage(topology, 'hl7-mllp', made['hl7-mllp'], eachMs),
  };
  const directory = await mkdtemp(join(tmpdir(), 'mach-bench-'));
  try {
    const append = await measureAppends(join(directory, 'nats'), made, eachMs);
    const batches: Record<Protocol, readonly OutputRow[]> = {
      'feed-115': batchOf(stage['feed-115'], shapes['feed-115']),
      'hl7-mllp': batchOf(stage['hl7-mllp'], shapes['hl7-mllp']),
    };
    const insert = await measureInserts({ directory: join(directory, 'store'), topology, batches, forMs: eachMs });
    const of = (protocol: Protocol): Ceilings => ({
      events_per_log_message: made[protocol].perFrame,
      append: append.perSecond[protocol],
      stage: stage[protocol].perSecond,
      insert: insert.perSecond[protocol],
      rows_per_insert: batches[protocol].length,
    });
    return {
      ceilings: { 'feed-115': of('feed-115'), 'hl7-mllp': of('hl7-mllp') },
      versions: { nats: append.version, clickhouse: insert.version },
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function makeFrames(topology: BoundTopology, protocol: Protocol, { eventsPerMessage }: Shape): Made {
  const source = topology.sources.find(({ id }) => id === sources[protocol]);
  const schema = source?.bound.ports.out as Schema;
  const perFrame = Math.max(1, Math.min(limits.frameEventsMax, Math.round(eventsPerMessage)));
  const frames = Array.from({ length: Math.ceil(eventsMade / perFrame) }, (_, frame) => {
    const events = Array.from({ length: perFrame }, (_, index) => eventOf(protocol, 1 + frame * perFrame + index));
    return encodeSourceFrame(schema, {
      acceptedAt: Date.now(),
      segments: [{ origin: 'bench', events: events.length }],
      deadLetters: [],
      events: events.map(({ event }) => event),
      times: events.map(({ time }) => time),
      raws: events.map(({ raw }) => raw ?? null),
    });
  });
  return { frames, perFrame };
}

function batchOf({ rows }: StageResult, { rowsPerSecond }: Shape): readonly OutputRow[] {
  return rows.slice(0, Math.max(1, Math.round(rowsPerSecond / writesPerSecond)));
}

const hl7Options = { zone: 'Asia/Ho_Chi_Minh', charset: 'UTF-8', codes: codesOf({ observations: {} }) };

function eventOf(protocol: Protocol, number: number): SourceEvent {
  const now = Date.now();
  if (protocol === 'feed-115') {
    const read = readItem(feedItem(number, now), { centre: '115-0', timeMax: now + 600_000 });
    if ('code' in read) throw new Error(read.reason);
    return read;
  }
  const [outcome] = decodeFrame(Buffer.from(hl7Message(number, now)), { ...hl7Options, receivedAt: now });
  const event = outcome?.events?.[0];
  if (!event) throw new Error(`a message of the bench cannot be read: ${outcome?.failure?.message}`);
  return event;
}

interface StageResult {
  readonly perSecond: number;
  /** Those of one pass over the frames. */
  readonly rows: readonly OutputRow[];
}

interface StageResult {
  readonly perSecond: number;
  /** Those of one pass over the frames. */
  readonly rows: readonly OutputRow[];
}

function measureStage(
  topology: BoundTopology,
  protocol: Protocol,
  { frames, perFrame }: Made,
  forMs: number,
): StageResult {
  const source = sources[protocol];
  const schema = topology.sources.find(({ id }) => id === source)?.bound.ports.out as Schema;
  let rows: OutputRow[] = [];
  const pass = () => {
    // A new machine for each pass: to one that has seen them, all events are repetitions.
    const take = rowByRow((_output, row) => void rows.push(row));
    const machine = new StageMachine(topology, { rows: take, question() {} });
    rows = [];
    frames.forEach((frame, index) => {
      machine.handle(index + 1, source, decodeInputFrame(frame, schema));
    });
  };
  pass();
  const began = performance.now();
  let passes = 0;
  for (; performance.now() - began < forMs; passes++) pass();
  return { perSecond: Math.round((passes * frames.length * perFrame * 1_000) / (performance.now() - began)), rows };
}

async function measureAppends(directory: string, made: Readonly<Record<Protocol, Made>>, forMs: number) {
  const server = await startNatsServer({ directory });
  try {
    const log = await connectLog({ url: server.url, clock: systemClock() });
    const { version } = await log.check();
    const stream = await log.stream({ name: 'bench', subjects: ['bench.>'], durability: 'disk' });
    const measure = async ({ frames, perFrame }: Made) => {
      const append = (index: number) => stream.append('bench.frames', frames[index % frames.length] as Uint8Array);
      await append(0);
      const began = performance.now();
      let appended = 0;
      for (; performance.now() - began < forMs; appended++) await append(appended);
      return Math.round((appended * perFrame * 1_000) / (performance.now() - began));
    };
    const perSecond: Record<Protocol, number> = {
      'feed-115': await measure(made['feed-115']),
      'hl7-mllp': await measure(made['hl7-mllp']),
    };
    await log.close();
    return { version, perSecond };
  } finally {
    await server.stop();
  }
}

async function measureInserts(args: {
  directory: string;
  topology: BoundTopology;
  batches: Readonly<Record<Protocol, readonly OutputRow[]>>;
  forMs: number;
}) {
  const { directory, topology, batches, forMs } = args;
  const embedded = await startEmbeddedStore({ directory });
  const store = await connectStore({ url: embedded.url, clock: systemClock() });
  try {
    const { version } = await store.check();
    const measure = async (protocol: Protocol) => {
      const table = topology.sinks.find(({ id }) => id === sinks[protocol])?.bound.tables?.[0] as TableSpec;
      await store.ensureTable(table);
      const events = batches[protocol].map(({ event }) => event);
      const origins = batches[protocol].map(({ sequence, index }) => ({ stage: 's1', partition: 0, sequence, index }));
      await store.insert(table, { events, origins }, `${protocol}/warm`);
      const began = performance.now();
      let inserts = 0;
      for (; performance.now() - began < forMs; inserts++) {
        await store.insert(table, { events, origins }, `${protocol}/${inserts}`);
      }
      return Math.round((inserts * events.length * 1_000) / (performance.now() - began));
    };
    const perSecond: Record<Protocol, number> = {
      'feed-115': await measure('feed-115'),
      'hl7-mllp': await measure('hl7-mllp'),
    };
    return { version, perSecond };
  } finally {
    await store.close();
    await embedded.stop();
  }
}
