/**
 * A simulated day, lived through by the real engine on a log in memory in virtual time: sources that take what the city says at the
 * time at which it says it, group commit, silence, checkpoints, results. For tests that look back at such a day.
 */

import type { Log } from '../runtime/bus/log.ts';
import { memoryLog } from '../runtime/bus/memory/log.ts';
import { type VirtualClock, virtualClock } from '../runtime/clock.ts';
import { type Engine, startEngine } from '../runtime/execution/engine.ts';
import type { Store } from '../runtime/store/store.ts';
import type { Logger, SinkRow, SourceContext } from '../runtime/stream/index.ts';
import type { BoundTopology } from '../runtime/topology/index.ts';
import { type CityRun, type Said, saidByCity } from './city-log.ts';

export interface CityDay {
  readonly log: Log;
  readonly clock: VirtualClock;
  readonly engine: Engine;
  /** Rows by sink, in order. */
  readonly rows: ReadonlyMap<string, readonly SinkRow[]>;
  close(): Promise<void>;
}

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} };

const noStore = new Proxy({} as Store, {
  get(_, name) {
    throw new Error(`this day has no store (${String(name)})`);
  },
});

/** Time that passes at once: what is said within it is accepted together. */
const stepMs = 15_000;

export interface CityDayOptions {
  /** Default: one in memory. It is closed with the day. */
  readonly log?: Log;
  /** Time that passes after the last word; default: until every hospital counts as silent, so that the last minutes are told. */
  readonly afterMs?: number;
  readonly partitions?: number;
}

export async function liveCityDay(
  topology: BoundTopology,
  run: CityRun,
  options: CityDayOptions = {},
): Promise<CityDay> {
  const clock = virtualClock(run.start);
  const log = options.log ?? memoryLog({ clock });
  const contexts = new Map<string, SourceContext>();
  const rows = new Map<string, SinkRow[]>();
  const starting = startEngine({
    topology: withoutSockets(topology, contexts, rows),
    log,
    store: noStore,
    logger: quiet,
    clock,
    machineClock: clock,
    groupCommitWindowMs: 0,
    checkpointEveryMs: 3_600_000,
    ...(options.partitions === undefined ? {} : { partitions: options.partitions }),
  });
  const engine = await passTime(clock, starting);
  const said = await saidByCity(topology, run);
  for (let at = 0, until = run.start + stepMs; at < said.length; until += stepMs) {
    const accepted: Promise<void>[] = [];
    for (let next = said[at]; next && next.at <= until; next = said[++at]) accepted.push(append(contexts, next));
    await clock.advance(until - clock.now());
    await passTime(clock, Promise.all(accepted));
  }
  await clock.advance(options.afterMs ?? 600_000);
  await passTime(clock, engine.settled());
  return {
    log,
    clock,
    engine,
    rows,
    async close() {
      await passTime(clock, engine.stop());
      await passTime(clock, log.close());
    },
  };
}

function append(
  contexts: ReadonlyMap<string, SourceContext>,
  { source, origin, events, deadLetters }: Said,
): Promise<void> {
  const context = contexts.get(source);
  if (!context) throw new Error(`source ${source} is not open`);
  return context.append({
    origin,
    events,
    deadLetters: deadLetters.map((letter) => ({ ...letter, raw: Buffer.from(letter.raw, 'base64') })),
  });
}

async function passTime<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let done = false;
  const ended = work.finally(() => {
    done = true;
  });
  ended.catch(() => undefined);
  while (!done) await clock.advance(10);
  return ended;
}

/** The topology itself, but for its edges to the world: the test speaks for the senders, and keeps what sinks are given. */
function withoutSockets(
  topology: BoundTopology,
  contexts: Map<string, SourceContext>,
  rows: Map<string, SinkRow[]>,
): BoundTopology {
  return {
    ...topology,
    sources: topology.sources.map((node) => ({
      ...node,
      bound: {
        ...node.bound,
        async open(context) {
          contexts.set(node.id, context);
          return { address: 'the test', close: async () => undefined };
        },
      },
    })),
    sinks: topology.sinks.map((node) => ({
      ...node,
      bound: {
        ...node.bound,
        async open() {
          return {
            async write(batch) {
              const known = rows.get(node.id) ?? [];
              known.push(...batch);
              rows.set(node.id, known);
              return [];
            },
            close: async () => undefined,
          };
        },
      },
    })),
  };
}
