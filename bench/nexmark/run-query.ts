/** One query on the ordinary engine, from the first event to the last row. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catalogue } from '../../catalogue.ts';
import type { Log } from '../../runtime/bus/log.ts';
import { memoryLog } from '../../runtime/bus/memory/log.ts';
import { systemClock } from '../../runtime/clock.ts';
import { type Engine, type EngineOptions, startEngine } from '../../runtime/execution/engine.ts';
import { decodeOutputFrame } from '../../runtime/execution/log-frame.ts';
import type { Store } from '../../runtime/store/store.ts';
import type { Logger } from '../../runtime/stream/definition.ts';
import { type BoundTopology, loadTopology } from '../../runtime/topology/index.ts';
import { stageName, topologyNames } from '../../runtime/topology/names.ts';
import { countFiles } from './files.ts';
import { type Query, topologyFile } from './queries.ts';
import { RowBook } from './rows.ts';

export interface StreamOptions {
  readonly events: number;
  readonly seed: number;
  readonly rate: number;
  readonly disorder: number;
}

export interface RunOptions extends StreamOptions {
  readonly partitions: number;
  readonly checkpointEveryMs: number;
}

export interface Measured {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** The sink of every query's topology. */
const resultSink = 'rows';

const quiet: Logger = {
  debug() {},
  info() {},
  warn: (fields, message) => void process.stderr.write(`${message} ${JSON.stringify(fields)}\n`),
  error: (fields, message) => void process.stderr.write(`${message} ${JSON.stringify(fields)}\n`),
};

/** None of the queries has a table. */
const noStore = new Proxy({} as Store, {
  get(_, name) {
    throw new Error(`invariant broken: a query of Nexmark asks the store (${String(name)})`);
  },
});

/** A query that is ready to run, and the place of what it writes. */
export interface PreparedQuery {
  readonly query: Query;
  readonly topology: BoundTopology;
  /** Where its files go. */
  readonly folder: string;
  /** Removes what it has written. */
  clean(): Promise<void>;
}

export async function prepareQuery(query: Query, stream: StreamOptions): Promise<PreparedQuery> {
  const folder = await mkdtemp(join(tmpdir(), `mach-nexmark-${query.name}-`));
  const clean = () => rm(folder, { recursive: true, force: true });
  try {
    return { query, topology: loadQuery(query, stream, folder), folder, clean };
  } catch (error) {
    await clean();
    throw error;
  }
}

function loadQuery(query: Query, { events, seed, rate, disorder }: StreamOptions, folder: string): BoundTopology {
  const file = topologyFile(query.name);
  const env = {
    NEXMARK_EVENTS: String(events),
    NEXMARK_SEED: String(seed),
    NEXMARK_RATE: String(rate),
    NEXMARK_DISORDER: String(disorder),
    NEXMARK_FOLDER: folder,
  };
  const { topology, diagnostics } = loadTopology(file, { catalogue, env });
  if (topology) return topology;
  throw new Error(diagnostics.map(({ code, line, message }) => `${file}:${line} ${code} ${message}`).join('\n'));
}

export function openMemoryLog(): Log {
  return memoryLog({ clock: systemClock() });
}

/** Runs the query over a log until the stream has ended and every row is written. */
export async function measureQuery(topology: BoundTopology, log: Log, options: RunOptions): Promise<Measured> {
  const cpuBefore = process.cpuUsage();
  const begin = performance.now();
  const engine = await openEngine(topology, log, options);
  await untilWritten(engine);
  const seconds = (performance.now() - begin) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  await engine.stop();
  return { seconds, cpuSeconds: (user + system) / 1e6 };
}

export function openEngine(
  topology: BoundTopology,
  log: Log,
  options: Pick<EngineOptions, 'partitions' | 'checkpointEveryMs' | 'crashPoints' | 'clock' | 'machineClock'> & {
    readonly logger?: Logger;
  },
): Promise<Engine> {
  return startEngine({ topology, log, store: noStore, logger: quiet, ...options });
}

/** The stream has ended, and every row of it is written. */
export async function untilWritten(engine: Engine): Promise<void> {
  const failed = engine.failed.then((error) => {
    throw error;
  });
  await Promise.race([Promise.all(engine.sources.map(({ ended }) => ended)), failed]);
  await Promise.race([engine.settled(), failed]);
}

/** The rows of a query that has run on this log, as they stand in the end: sorted lines. */
export async function collectLines({ query, topology, folder }: PreparedQuery, log: Log): Promise<readonly string[]> {
  const book = new RowBook(query);
  if (query.files) for (const row of await countFiles(folder)) book.add(row);
  else await readOutputs(topology, log, book);
  return book.lines();
}

async function readOutputs(topology: BoundTopology, log: Log, book: RowBook): Promise<void> {
  const names = topologyNames(topology.name);
  const schema = topology.sinks.find(({ id }) => id === resultSink)?.inputs[0]?.schema;
  if (!schema) throw new Error(`the topology ${topology.name} has no sink ${resultSink}`);
  for (let stage = 1; ; stage++) {
    const stream = await log.find(names.outputStream(stageName(stage)));
    if (!stream) return;
    const { firstSequence, lastSequence } = await stream.state();
    const wanted = `.out.${resultSink}.`;
    for (let sequence = firstSequence; sequence <= lastSequence; sequence++) {
      const message = await stream.get(sequence);
      if (!message?.subject.includes(wanted)) continue;
      for (const { event } of decodeOutputFrame(message.payload, schema).rows) book.add(event);
    }
  }
}
