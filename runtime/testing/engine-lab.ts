/**
 * Engines on a log in memory, in virtual time, one after the other: what the log and the sink hold outlives them, as a broker
 * and a store do. For the tests of `runtime/execution` and the simulation of chaos.
 */
import { isDeepStrictEqual } from 'node:util';
import type { FaultPlan } from '../bus/memory/faults.ts';
import { type MemoryLog, memoryLog } from '../bus/memory/log.ts';
import { type MemoryStorage, memoryStorage } from '../bus/memory/storage.ts';
import { type VirtualClock, virtualClock } from '../clock.ts';
import type { EngineOptions } from '../execution/engine.ts';
import { simulatedHeap } from '../execution/heap-room.ts';
import { openAgreement } from '../execution/upgrade/agreement.ts';
import { type LiveEngine, startLiveEngine, type Upgrade } from '../execution/upgrade/live-engine.ts';
import { rebindVersion } from '../execution/upgrade/rebind.ts';
import { type ArmedCrashPoints, armedCrashPoints } from '../faults.ts';
import type { Store } from '../store/store.ts';
import type { Catalogue, Logger } from '../stream/definition.ts';
import type { Event } from '../stream/schema.ts';
import type { SinkRow } from '../stream/sink-definition.ts';
import type { SourceContext } from '../stream/source-definition.ts';
import { type BoundTopology, loadTopology } from '../topology/index.ts';
import { type Edges, smallCatalogue } from './small-catalogue.ts';

/** What a sink has written: a token counts once, as in the store. */
export interface CollectedSink {
  readonly rows: SinkRow[];
  readonly tokens: Map<string, readonly SinkRow[]>;
  /** Writes that came again with a known token. */
  repeated: number;
}

export interface LabProcess {
  readonly log: MemoryLog;
  readonly crashPoints: ArmedCrashPoints;
  /** Undefined until it has started. */
  readonly engine: LiveEngine | undefined;
  readonly dead: boolean;
  /** Resolves when the process has died: at a crash point, or by `kill`. */
  readonly died: Promise<void>;
  readonly logged: { level: string; message: string; fields: object }[];
  source(id: string): SourceContext;
  /** Another version of the topology takes the place of this one. Rejects as `LiveEngine.upgrade` does; undefined when the process died. */
  upgrade(topology: string, options?: { readonly acceptLoss?: readonly string[] }): Promise<Upgrade | undefined>;
  kill(): void;
}

export interface Lab {
  readonly clock: VirtualClock;
  readonly storage: MemoryStorage;
  readonly topology: BoundTopology;
  /** Another text, with the lab's catalogue. */
  bind(topology: string): BoundTopology;
  sink(id: string): CollectedSink;
  events(sink: string): Event[];
  /** A new process on the same log. Resolves when it runs, or has died on the way; rejects when the engine refuses to start. */
  start(options?: LabStartOptions): Promise<LabProcess>;
  /** Lets time pass until the work is done; rejects after an hour of it. */
  drive<T>(work: Promise<T>, stepMs?: number): Promise<T>;
  /** Everything accepted is written. */
  settle(process: LabProcess): Promise<void>;
}

export type LabStartOptions = Partial<
  Pick<
    EngineOptions,
    | 'acceptLoss'
    | 'admitStore'
    | 'checkpointEveryMs'
    | 'groupCommitWindowMs'
    | 'heap'
    | 'isContested'
    | 'partitions'
    | 'units'
  >
> & {
  /** Another version of the topology. */
  readonly topology?: string;
  /** It shares the topology with other processes: `units` names those that it runs. */
  readonly shared?: boolean;
  /** Before the engine starts: to arm crash points. */
  readonly prepare?: (points: ArmedCrashPoints) => void;
};

const settleMaxMs = 3_600_000;

/** Nothing in the lab may ask the store: its sinks write to the lab. */
const noStore = new Proxy({} as Store, {
  get(_, name) {
    throw new Error(`the lab has no store (${String(name)})`);
  },
});

function labTopology(text: string, catalogue: Catalogue): BoundTopology {
  const readFile = () => new TextEncoder().encode(text);
  const { topology, diagnostics } = loadTopology('lab.yaml', { catalogue, env: {}, readFile });
  if (topology) return topology;
  throw new Error(diagnostics.map(({ line, message }) => `${line}: ${message}`).join('\n'));
}

export function openLab(args: {
  topology: string;
  faults?: FaultPlan;
  edges?: Partial<Edges>;
  appendDeadlineMs?: number;
  /** Real ones, beside those of the small catalogue. */
  operators?: Catalogue['operators'];
}): Lab {
  const catalogueOf = (edges?: Edges): Catalogue => {
    const small = smallCatalogue(edges);
    return { ...small, operators: [...small.operators, ...(args.operators ?? [])] };
  };
  const clock = virtualClock(1_700_000_000_000);
  const storage = memoryStorage();
  const sinks = new Map<string, CollectedSink>();
  const topology = labTopology(args.topology, catalogueOf());

  const sink = (id: string): CollectedSink => {
    const known = sinks.get(id) ?? { rows: [], tokens: new Map(), repeated: 0 };
    sinks.set(id, known);
    return known;
  };

  function collect(id: string, rows: readonly SinkRow[], token: string): void {
    const into = sink(id);
    const before = into.tokens.get(token);
    if (!before) {
      into.tokens.set(token, rows);
      into.rows.push(...rows);
      return;
    }
    into.repeated++;
    if (!isDeepStrictEqual(before, rows)) throw new Error(`token ${token} came again with other rows`);
  }

  async function drive<T>(work: Promise<T>, stepMs = 100): Promise<T> {
    let settled = false;
    const done = work.finally(() => {
      settled = true;
    });
    done.catch(() => undefined);
    const deadline = clock.now() + settleMaxMs;
    while (!settled) {
      await clock.advance(stepMs);
      if (clock.now() > deadline) throw new Error('not done after an hour of virtual time');
    }
    return done;
  }

  async function start(options: LabStartOptions = {}): Promise<LabProcess> {
    const { prepare, topology: text = args.topology, shared = false, ...engineOptions } = options;
    const contexts = new Map<string, SourceContext>();
    const logged: LabProcess['logged'] = [];
    const say = (level: string) => (fields: object, message: string) => void logged.push({ level, message, fields });
    const logger: Logger = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
    let resolveDied: () => void = () => {};
    const died = new Promise<void>((resolve) => {
      resolveDied = resolve;
    });
    const log = memoryLog({
      clock,
      storage,
      ...(args.faults && { faults: args.faults }),
      ...(args.appendDeadlineMs !== undefined && { appendDeadlineMs: args.appendDeadlineMs }),
    });
    const state = { dead: false, engine: undefined as LiveEngine | undefined };
    const kill = () => {
      state.dead = true;
      log.crash();
      resolveDied();
    };
    const crashPoints = armedCrashPoints(kill);
    prepare?.(crashPoints);
    const edges: Edges = {
      opened: (source, context) => {
        contexts.set(source, context);
        args.edges?.opened?.(source, context);
      },
      async write(id, rows, token) {
        if (state.dead) return new Promise(() => undefined);
        const refused = await args.edges?.write?.(id, rows, token);
        collect(id, rows, token);
        return refused ?? [];
      },
      ...(args.edges?.openSink && { openSink: args.edges.openSink }),
      ...(args.edges?.closedSink && { closedSink: args.edges.closedSink }),
      answer: args.edges?.answer ?? (async () => null),
    };
    const bound = labTopology(text, catalogueOf(edges));
    const process: LabProcess = {
      log,
      crashPoints,
      died,
      logged,
      kill,
      get engine() {
        return state.engine;
      },
      get dead() {
        return state.dead;
      },
      source(id) {
        const context = contexts.get(id);
        if (!context) throw new Error(`source ${id} is not open`);
        return context;
      },
      upgrade(next, upgradeOptions) {
        if (!state.engine) throw new Error('the process has not started');
        const upgrading = state.engine.upgrade(labTopology(next, catalogueOf(edges)), upgradeOptions);
        return drive(Promise.race([upgrading, died.then(() => undefined)]));
      },
    };
    const starting = startLiveEngine(
      {
        topology: bound,
        log,
        store: noStore,
        logger,
        clock,
        machineClock: clock,
        crashPoints,
        heap: simulatedHeap(),
        groupCommitWindowMs: 0,
        ...engineOptions,
      },
      rebindVersion({ catalogue: catalogueOf(edges), env: {} }),
      shared ? await openAgreement(log, bound.name, clock) : undefined,
    ).then((engine) => {
      state.engine = engine;
    });
    await drive(Promise.race([starting, died]));
    return process;
  }

  return {
    clock,
    storage,
    topology,
    bind: (text) => labTopology(text, catalogueOf()),
    sink,
    events: (id) => sink(id).rows.map(({ event }) => event),
    start,
    drive,
    async settle(process) {
      const { engine } = process;
      if (!engine) throw new Error('the process has not started');
      const failed = engine.failed.then((error) => {
        throw error;
      });
      await drive(Promise.race([engine.settled(), failed]));
    },
  };
}
