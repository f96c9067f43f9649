/** A query on the ordinary engine with events by the clock, and how long each row took. */
import { setTimeout as sleep } from 'node:timers/promises';
import { catalogue } from '../../catalogue.ts';
import type { Log } from '../../runtime/bus/log.ts';
import { type Clock, steadyClock } from '../../runtime/clock.ts';
import type { BoundTopology } from '../../runtime/topology/index.ts';
import { type Latencies, latenciesOf } from '../end-to-end/judge.ts';
import { openLog } from '../nexmark/logs.ts';
import { openEngine, passingOf, prepareQuery, untilWritten } from '../nexmark/run-query.ts';
import { causeOf, momentOf, type Schedule } from './causes.ts';
import { type InputMessage, type LoggedRow, readInput, readRows, streamsRead } from './read-log.ts';
import type { Given } from './usage.ts';
import { Arrivals, type ArrivedRow, watched } from './watched-sink.ts';

/** The engine is open by then. */
const leadMs = 1_000;

/** In it the time of day changes its millisecond several times. */
const calibrationMs = 5;

/** Parts of the way, in its order. */
export const hops = [
  'intended to accepted',
  'accepted to input log',
  'input log to output log',
  'output log to sink',
] as const;

export interface LatencyFigures {
  readonly events: number;
  /** Rows that were measured; `warm_up` and `at_end` came too, and are not. */
  readonly rows: number;
  readonly warm_up: number;
  readonly at_end: number;
  readonly latency_ms: Latencies;
  readonly hops_ms: Readonly<Record<(typeof hops)[number], Latencies>>;
  readonly cores: number;
}

export async function measureLatency(given: Given): Promise<LatencyFigures> {
  const { clock, now } = exactClock();
  const arrivals = new Arrivals();
  const events = Math.round((given.rate * (given.warmUpMs + given.durationMs)) / 1_000);
  const beginMs = Math.ceil(now()) + leadMs;
  const prepared = await prepareQuery(
    given.query,
    { events, seed: given.seed, rate: given.rate, disorder: 1 },
    {
      variables: { NEXMARK_PACE: new Date(beginMs).toISOString() },
      catalogue: watched(catalogue, arrivals, now),
    },
  );
  const { topology, clean } = prepared;
  const { log, close, cpuSeconds } = await openLog(given.log, passingTo(topology));
  try {
    const untilMs = beginMs + (events * 1_000) / given.rate - now();
    const { cores, input, logged } = await runPaced(topology, log, { given, clock, untilMs, cpuSeconds });
    const taken = figuresOf([...arrivals.rows()], {
      input,
      logged,
      schedule: { beginMs, rate: given.rate },
      fromMs: beginMs + given.warmUpMs,
    });
    return { events, ...taken, cores };
  } finally {
    await clean();
    await close();
  }
}

/** What was read is forgotten, by whoever looks on here too. */
function passingTo(topology: BoundTopology): ReturnType<typeof passingOf> {
  const passing = passingOf(topology, { partitions: 1, keepsRows: false });
  const read = new Set(Object.values(streamsRead(topology)));
  return { ...passing, readers: (stream) => passing.readers(stream) + (read.has(stream) ? 1 : 0) };
}

/** Ms since the epoch with their fractions, and a clock for the engine that tells the same. */
function exactClock(): { clock: Clock; now(): number } {
  // `Date.now()` is up to a millisecond behind, and more where the process was held up in between: what is furthest ahead is right.
  const untilMs = performance.now() + calibrationMs;
  let origin = Number.NEGATIVE_INFINITY;
  while (performance.now() < untilMs) origin = Math.max(origin, Date.now() - performance.now());
  const now = () => origin + performance.now();
  return { clock: { ...steadyClock(), now: () => Math.floor(now()) }, now };
}

async function runPaced(
  topology: BoundTopology,
  log: Log,
  { given, clock, untilMs, cpuSeconds }: { given: Given; clock: Clock; untilMs: number; cpuSeconds(): number },
): Promise<Pick<Evidence, 'input' | 'logged'> & { readonly cores: number }> {
  const cpuBefore = process.cpuUsage();
  const [logBefore, began] = [cpuSeconds(), performance.now()];
  const engine = await openEngine(topology, log, {
    partitions: 1,
    checkpointEveryMs: given.checkpointEveryMs,
    machineClock: clock,
  });
  let isOver: () => void = () => {};
  const over = new Promise<void>((resolve) => {
    isOver = resolve;
  });
  // A log in memory forgets what has been read; JetStream keeps it, and is not asked before.
  const begin = given.log === 'memory' ? Promise.resolve() : over;
  const evidence = begin.then(() => Promise.all([readInput(log, topology, over), readRows(log, topology, over)]));
  // Nobody asks how far it is while it is measured: that would cost it time.
  await Promise.race([sleep(untilMs, undefined, { ref: true }), engine.failed, evidence]);
  await untilWritten(engine);
  const { user, system } = process.cpuUsage(cpuBefore);
  const seconds = (performance.now() - began) / 1_000;
  isOver();
  const [input, logged] = await evidence;
  await engine.stop();
  return { input, logged, cores: ((user + system) / 1e6 + cpuSeconds() - logBefore) / seconds };
}

interface Evidence {
  readonly input: ReadonlyMap<number, InputMessage>;
  /** The rows in the log, in order. */
  readonly logged: readonly LoggedRow[];
  readonly schedule: Schedule;
  /** Only events that were meant to come from this moment on are counted. */
  readonly fromMs: number;
}

/** Throws when the sink did not get exactly the rows that are in the log, each once and in order. */
export function figuresOf(
  arrived: readonly ArrivedRow[],
  evidence: Evidence,
): Omit<LatencyFigures, 'events' | 'cores'> {
  const { input, logged, schedule, fromMs } = evidence;
  if (arrived.length !== logged.length)
    throw new Error(`the sink got ${arrived.length} rows, and the log has ${logged.length}`);
  const latencies: number[] = [];
  const parts: [number[], number[], number[], number[]] = [[], [], [], []];
  let [warmUp, atEnd] = [0, 0];
  for (const [at, row] of arrived.entries()) {
    const written = logged[at] as LoggedRow;
    if (row.sequence !== written.sequence || row.time !== written.time)
      throw new Error(`row ${at + 1} of the sink is not that of the log`);
    const message = input.get(row.sequence);
    if (!message) {
      atEnd++;
      continue;
    }
    const intended = momentOf(causeOf(row.time, message, schedule.rate), schedule);
    if (intended < fromMs) {
      warmUp++;
      continue;
    }
    latencies.push(row.at - intended);
    const moments = [intended, message.acceptedAt, message.storedAt, written.storedAt, row.at] as const;
    for (const [hop, of] of parts.entries()) of.push((moments[hop + 1] as number) - (moments[hop] as number));
  }
  const hopLatencies = Object.fromEntries(hops.map((name, hop) => [name, latenciesOf(parts[hop] as number[])]));
  return {
    rows: latencies.length,
    warm_up: warmUp,
    at_end: atEnd,
    latency_ms: latenciesOf(latencies),
    hops_ms: hopLatencies as LatencyFigures['hops_ms'],
  };
}
