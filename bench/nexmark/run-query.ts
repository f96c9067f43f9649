/** One query on the ordinary engine, from the first event to the last row. */
import { catalogue } from '../../catalogue.ts';
import type { Log } from '../../runtime/bus/log.ts';
import { memoryLog } from '../../runtime/bus/memory/log.ts';
import { steadyClock, systemClock } from '../../runtime/clock.ts';
import { type Engine, startEngine } from '../../runtime/execution/engine.ts';
import { decodeOutputFrame } from '../../runtime/execution/log-frame.ts';
import type { Store } from '../../runtime/store/store.ts';
import type { Logger } from '../../runtime/stream/definition.ts';
import { type BoundTopology, loadTopology } from '../../runtime/topology/index.ts';
import { stageName, topologyNames } from '../../runtime/topology/names.ts';
import { type Query, topologyFile } from './queries.ts';
import { RowBook, type RowLines } from './rows.ts';

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

export function loadQuery(query: Query, { events, seed, rate, disorder }: StreamOptions): BoundTopology {
  const file = topologyFile(query.name);
  const env = {
    NEXMARK_EVENTS: String(events),
    NEXMARK_SEED: String(seed),
    NEXMARK_RATE: String(rate),
    NEXMARK_DISORDER: String(disorder),
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
  const engine = await startEngine({
    topology,
    log,
    store: noStore,
    logger: quiet,
    clock: systemClock(),
    machineClock: steadyClock(),
    partitions: options.partitions,
    checkpointEveryMs: options.checkpointEveryMs,
  });
  await untilWritten(engine);
  const seconds = (performance.now() - begin) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  await engine.stop();
  return { seconds, cpuSeconds: (user + system) / 1e6 };
}

async function untilWritten(engine: Engine): Promise<void> {
  const failed = engine.failed.then((error) => {
    throw error;
  });
  await Promise.race([Promise.all(engine.sources.map(({ ended }) => ended)), failed]);
  await Promise.race([engine.settled(), failed]);
}

/** The rows that the log has of a query, as they stand in the end. */
export async function collectRows(
  topology: BoundTopology,
  log: Log,
  { query, file }: { query: Query; file?: string | undefined },
): Promise<RowLines> {
  const book = new RowBook(query);
  const names = topologyNames(topology.name);
  const schema = topology.sinks.find(({ id }) => id === resultSink)?.inputs[0]?.schema;
  if (!schema) throw new Error(`the topology of ${query.name} has no sink ${resultSink}`);
  for (let stage = 1; ; stage++) {
    const stream = await log.find(names.outputStream(stageName(stage)));
    if (!stream) break;
    const { firstSequence, lastSequence } = await stream.state();
    const wanted = `.out.${resultSink}.`;
    for (let sequence = firstSequence; sequence <= lastSequence; sequence++) {
      const message = await stream.get(sequence);
      if (!message?.subject.includes(wanted)) continue;
      for (const { event } of decodeOutputFrame(message.payload, schema).rows) book.add(event);
    }
  }
  return book.close(file);
}
