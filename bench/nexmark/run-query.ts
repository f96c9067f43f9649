/** One query on the ordinary engine, from the first event to the last row. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catalogue as everything } from '../../catalogue.ts';
import type { Log } from '../../runtime/bus/log.ts';
import type { MemoryLogOptions } from '../../runtime/bus/memory/log.ts';
import { type Engine, type EngineOptions, startEngine } from '../../runtime/execution/engine.ts';
import { outputRunsOf } from '../../runtime/execution/handed-on.ts';
import { readersOf } from '../../runtime/execution/streams.ts';
import type { Store } from '../../runtime/store/store.ts';
import type { Catalogue, Logger } from '../../runtime/stream/definition.ts';
import type { BoundSource } from '../../runtime/stream/source-definition.ts';
import { type BoundTopology, loadTopology } from '../../runtime/topology/index.ts';
import { stageName, topologyNames } from '../../runtime/topology/names.ts';
import { spreadTopology } from '../../runtime/topology/spread.ts';
import { countFiles } from './files.ts';
import { type Query, topologyFile } from './queries.ts';
import { RowBook } from './rows.ts';

export interface StreamOptions {
  readonly events: number;
  readonly seed: number;
  readonly rate: number;
  readonly disorder: number;
  /** Of so many parts of the stream one, such as 1/2; all of it when absent. */
  readonly share?: string;
}

export interface RunOptions extends StreamOptions {
  readonly partitions: number;
  readonly checkpointEveryMs: number;
  /** Where its files go, if it writes any; a folder of its own when absent. */
  readonly folder?: string;
}

export interface Measured {
  /** From the first event to the last row, as of every contender. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** ms since the epoch: for who puts the times of several processes together. */
  readonly beganAt: number;
  readonly endedAt: number;
  /** Written by the sinks of this process, corrections included. */
  readonly rows: number;
  readonly checkpoints: number;
  /** The newest checkpoints of its partitions together. */
  readonly checkpointBytes: number;
}

/** How often it is looked whether the end has come. */
const lookEveryMs = 2;
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

/** What a bench may want otherwise than a run of the query has it. */
export interface QueryVariant {
  /** Variables of the topology file, beside those of the stream. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly catalogue?: Catalogue;
}

export async function prepareQuery(
  query: Query,
  stream: StreamOptions & Pick<RunOptions, 'folder'>,
  variant: QueryVariant = {},
): Promise<PreparedQuery> {
  const folder = stream.folder ?? (await mkdtemp(join(tmpdir(), `mach-nexmark-${query.name}-`)));
  const clean = async () => {
    if (stream.folder === undefined) await rm(folder, { recursive: true, force: true });
  };
  try {
    return {
      query,
      topology: loadStreamTopology(topologyFile(query.name), stream, { folder, ...variant }),
      folder,
      clean,
    };
  } catch (error) {
    await clean();
    throw error;
  }
}

/** A topology file over the stream: its source takes these settings from the environment. */
export function loadStreamTopology(
  file: string,
  { events, seed, rate, disorder, share = '1/1' }: StreamOptions,
  { folder, variables, catalogue = everything }: QueryVariant & { readonly folder?: string } = {},
): BoundTopology {
  const env = {
    NEXMARK_EVENTS: String(events),
    NEXMARK_SEED: String(seed),
    NEXMARK_RATE: String(rate),
    NEXMARK_DISORDER: String(disorder),
    NEXMARK_SHARE: share,
    ...(folder !== undefined && { NEXMARK_FOLDER: folder }),
    ...variables,
  };
  const { topology, diagnostics } = loadTopology(file, { catalogue, env });
  if (topology) return topology;
  throw new Error(diagnostics.map(({ code, line, message }) => `${file}:${line} ${code} ${message}`).join('\n'));
}

/** Runs the query over a log until the stream has ended and every row is written. */
export async function measureQuery(
  topology: BoundTopology,
  log: Log,
  options: RunOptions & { readonly units?: readonly number[] },
): Promise<Measured> {
  let begin = now();
  // A worker without the source begins here.
  const watched = whenOpened(topology, () => {
    begin = now();
  });
  const { partitions, units: own, checkpointEveryMs } = options;
  const engine = await openEngine(watched, log, { partitions, checkpointEveryMs, ...(own && { units: own }) });
  await untilWritten(engine);
  const end = now();
  const cpuSeconds = end.cpuSeconds - begin.cpuSeconds;
  const units = [...engine.units.values()];
  const rows = sumOf(units.flatMap((unit) => [...unit.sinks.values()].map(({ counts }) => counts.rows)));
  const stages = units.flatMap((unit) => unit.stages.map(({ counts }) => counts));
  const checkpoints = sumOf(stages.map((counts) => counts.checkpoints));
  const checkpointBytes = sumOf(stages.map((counts) => counts.checkpointBytes));
  await engine.stop();
  const times = { seconds: (end.at - begin.at) / 1_000, beganAt: begin.at, endedAt: end.at };
  return { ...times, cpuSeconds, rows, checkpoints, checkpointBytes };
}

interface Moment {
  /** ms since the epoch, monotonic within a process. */
  readonly at: number;
  /** Of this process, since it began. */
  readonly cpuSeconds: number;
}

function now(): Moment {
  const { user, system } = process.cpuUsage();
  return { at: performance.timeOrigin + performance.now(), cpuSeconds: (user + system) / 1e6 };
}

/** The same topology; tells when its source is about to make the first event. */
function whenOpened(topology: BoundTopology, tell: () => void): BoundTopology {
  const watch = (bound: BoundSource): BoundSource => ({
    ...bound,
    ...(bound.narrow && { narrow: (fields) => watch((bound.narrow as NonNullable<typeof bound.narrow>)(fields)) }),
    open(context) {
      tell();
      return bound.open(context);
    },
  });
  return { ...topology, sources: topology.sources.map((source) => ({ ...source, bound: watch(source.bound) })) };
}

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

export interface OpenOptions
  extends Pick<EngineOptions, 'partitions' | 'units' | 'checkpointEveryMs' | 'crashPoints' | 'clock' | 'machineClock'> {
  readonly logger?: Logger;
}

export function openEngine(topology: BoundTopology, log: Log, options: OpenOptions): Promise<Engine> {
  return startEngine({ topology, log, store: noStore, logger: quiet, ...options });
}

/** The stream has ended, and every row of it is written. */
export async function untilWritten(engine: Engine): Promise<void> {
  let failure: unknown;
  void engine.failed.then((error) => {
    failure = error ?? new Error('the engine has failed');
  });
  // Every partition reads the whole input, and so the word that its source has ended.
  const isOver = ({ machine }: Engine['stage']) => engine.topology.sources.every(({ id }) => machine.hasEnded(id));
  while (![...engine.units.values()].every(({ stages }) => isOver(stages[0]))) {
    if (failure !== undefined) throw failure;
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
  const failed = engine.failed.then((error) => {
    throw error;
  });
  await Promise.race([engine.settled(), failed]);
}

/** The rows of a query that has run on this log, as they stand in the end: sorted lines. */
export async function collectLines({ query, topology, folder }: PreparedQuery, log: Log): Promise<readonly string[]> {
  const book = new RowBook(query);
  if (query.files) for (const row of await countFiles(folder)) book.add(row);
  else await readOutputs(topology, log, book);
  return book.lines();
}

/** Of the log in memory for a run of a query. `keepsRows`: its rows are read by `collectLines` afterwards. */
export function passingOf(
  topology: BoundTopology,
  { partitions, keepsRows }: { partitions: number; keepsRows: boolean },
): NonNullable<MemoryLogOptions['passing']> {
  const readers = readersOf(topology, spreadTopology(topology, partitions));
  return {
    keeps: keepsRows ? isOutputOf(topology) : () => false,
    readers: (stream) => readers.get(stream) ?? Number.POSITIVE_INFINITY,
  };
}

function isOutputOf(topology: BoundTopology): (stream: string) => boolean {
  const names = topologyNames(topology.name);
  // A stage has one operator at least.
  const stages = Array.from({ length: topology.operators.length + 1 }, (_, at) => stageName(at + 1));
  const streams = new Set(stages.map(names.outputStream));
  return (stream) => streams.has(stream);
}

async function readOutputs(topology: BoundTopology, log: Log, book: RowBook): Promise<void> {
  const names = topologyNames(topology.name);
  const schema = topology.sinks.find(({ id }) => id === resultSink)?.inputs[0]?.schema;
  if (!schema) throw new Error(`the topology ${topology.name} has no sink ${resultSink}`);
  for (let stage = 1; ; stage++) {
    const stream = await log.find(names.outputStream(stageName(stage)));
    if (!stream) return;
    const { firstSequence, lastSequence } = await stream.state();
    if (lastSequence < firstSequence) continue;
    for await (const message of stream.read({ fromSequence: firstSequence })) {
      if (message.subject.includes(`.out.${resultSink}.`))
        for (const { events } of outputRunsOf(message, schema)) for (const event of events) book.add(event);
      if (message.sequence >= lastSequence) break;
    }
  }
}
