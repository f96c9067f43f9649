/** One simulated process: an engine behind its gate, with a clock, a log client and crash points of its own. */

import type { Log } from '../../../runtime/bus/log.ts';
import type { FaultPlan } from '../../../runtime/bus/memory/faults.ts';
import { memoryLog } from '../../../runtime/bus/memory/log.ts';
import type { MemoryStorage } from '../../../runtime/bus/memory/storage.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { messageOf } from '../../../runtime/errors.ts';
import { type Engine, type EngineOptions, startEngine } from '../../../runtime/execution/engine.ts';
import { simulatedHeap } from '../../../runtime/execution/heap-room.ts';
import { armedCrashPoints, type CrashPoints } from '../../../runtime/faults.ts';
import type { Store } from '../../../runtime/store/store.ts';
import type { Logger } from '../../../runtime/stream/definition.ts';
import type { Event } from '../../../runtime/stream/schema.ts';
import type { SourceContext } from '../../../runtime/stream/source-definition.ts';
import type { BoundTopology } from '../../../runtime/topology/index.ts';
import { openGate } from './gate.ts';
import { gatedLog, type LogHooks } from './gated-log.ts';
import { processClock } from './process-clock.ts';
import { startShared } from './start-shared.ts';

/** What a test breaks on purpose: production code has no switch for any of it. */
export interface Tampering {
  log?(log: Log): Log;
  store?(store: Store): Store;
  source?(context: SourceContext): SourceContext;
}

export interface ProcessArguments {
  readonly index: number;
  readonly base: Clock;
  readonly storage: MemoryStorage;
  readonly faults: FaultPlan;
  readonly store: Store;
  readonly topology: BoundTopology;
  readonly partitions: number;
  /** Owns only the partitions that it has the leases of. */
  readonly shares: boolean;
  readonly checkpointEveryMs: number;
  readonly hooks: LogHooks & { taken(): void };
  readonly tampering: Tampering;
  answer(event: Event, signal: AbortSignal): Promise<unknown>;
}

export interface SimulatedProcess {
  readonly index: number;
  readonly engine: Engine | undefined;
  readonly dead: boolean;
  readonly paused: boolean;
  /** When it was paused, in the time of the simulation. */
  readonly pausedAt: number;
  readonly died: Promise<void>;
  /** Why it ended, for people. */
  readonly reason: string;
  readonly visits: ReadonlyMap<string, number>;
  /** Undefined while it is not open. */
  source(id: string): SourceContext | undefined;
  kill(reason: string): void;
  pause(): void;
  resume(): void;
  /** Dies, or is paused, at the n-th visit of the point from now on. */
  crashAt(point: string, visit: number): void;
  pauseAt(point: string, visit: number, onPause: () => void): void;
  disarm(): void;
  jumpClock(byMs: number): void;
  readonly errors: readonly string[];
}

function withEdges(
  topology: BoundTopology,
  edges: Pick<ProcessArguments, 'answer'> & {
    opened(id: string, context: SourceContext): void;
    closed(id: string): void;
  },
): BoundTopology {
  return {
    ...topology,
    sources: topology.sources.map((node) => ({
      ...node,
      bound: {
        ...node.bound,
        async open(context) {
          edges.opened(node.id, context);
          return { address: 'the simulation', close: async () => edges.closed(node.id) };
        },
      },
    })),
    operators: topology.operators.map((node) => {
      const { lookup } = node.bound;
      return lookup ? { ...node, bound: { ...node.bound, lookup: { ...lookup, ask: edges.answer } } } : node;
    }),
  };
}

/** The store through the gate: what was asked goes on at the store, whatever becomes of the process. */
function gatedStore(store: Store, through: <T>(work: () => Promise<T>) => Promise<T>): Store {
  return {
    ...store,
    ensureTable: (table) => through(() => store.ensureTable(table)),
    insert: (table, rows, token) => through(() => store.insert(table, rows, token)),
  };
}

export function startProcess(args: ProcessArguments): SimulatedProcess {
  const { index, base, tampering } = args;
  const gate = openGate();
  const clock = processClock(base, gate);
  const inner = memoryLog({ clock: clock.monotonic, storage: args.storage, faults: args.faults });
  // The times of a lease are the broker's own: they go on while the process stands still.
  const leases = memoryLog({ clock: base, storage: args.storage, faults: args.faults });
  const contexts = new Map<string, SourceContext>();
  const errors: string[] = [];
  const pauses = new Map<string, { left: number; onPause: () => void }>();
  const state = { engine: undefined as Engine | undefined, pausedAt: 0, reason: '' };
  let resolveDied: () => void = () => {};
  const died = new Promise<void>((resolve) => {
    resolveDied = resolve;
  });

  function kill(reason: string): void {
    if (gate.dead) return;
    state.reason = reason;
    gate.kill();
    inner.crash();
    leases.crash();
    resolveDied();
  }

  function pause(): void {
    if (gate.dead || gate.paused) return;
    gate.pause();
    leases.pause();
    state.pausedAt = base.now();
  }

  const crashes = armedCrashPoints(({ point, visit }) => kill(`crash at ${point}, visit ${visit}`));
  const crashPoints: CrashPoints = {
    at(name) {
      const armed = pauses.get(name);
      if (armed && --armed.left === 0) {
        pauses.delete(name);
        // From here on nothing goes out: for the world the process stands still at this point.
        pause();
        armed.onPause();
      }
      crashes.at(name);
    },
  };

  const say = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) => {
    if (level === 'error' && !gate.dead) errors.push(`${message} ${JSON.stringify(fields)}`);
  };
  const logger: Logger = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
  const gated = gatedLog(tampering.log?.(inner) ?? inner, leases, gate, args.hooks);
  const store = gatedStore(tampering.store?.(args.store) ?? args.store, gate.through);

  const { partitions } = args;
  const options: EngineOptions = {
    topology: withEdges(args.topology, {
      answer: (event, signal) => gate.through(() => args.answer(event, signal)),
      opened: (id, context) => void contexts.set(id, tampering.source?.(context) ?? context),
      closed: (id) => void contexts.delete(id),
    }),
    log: gated,
    store,
    logger,
    clock: clock.wall,
    machineClock: clock.monotonic,
    crashPoints,
    heap: simulatedHeap(),
    groupCommitWindowMs: 0,
    checkpointEveryMs: args.checkpointEveryMs,
    partitions,
  };
  const shared = () =>
    startShared(options, {
      index,
      log: gated,
      clock: clock.monotonic,
      onFailure: (error) => kill(`failed: ${messageOf(error)}`),
      onTaken: args.hooks.taken,
    });
  void (args.shares ? shared() : startEngine(options)).then(
    (engine) => {
      if (gate.dead) return;
      state.engine = engine;
      void engine.failed.then((error) => kill(`failed: ${messageOf(error)}`));
    },
    (error) => kill(`did not start: ${messageOf(error)}`),
  );

  return {
    index,
    died,
    errors,
    get engine() {
      return state.engine;
    },
    get dead() {
      return gate.dead;
    },
    get paused() {
      return gate.paused;
    },
    get pausedAt() {
      return state.pausedAt;
    },
    get reason() {
      return state.reason;
    },
    visits: crashes.visits,
    source(id) {
      // Connections are taken once everything is open.
      const context = state.engine?.state === 'running' ? contexts.get(id) : undefined;
      return context && { ...context, append: (request) => gate.through(() => context.append(request)) };
    },
    kill,
    pause,
    resume() {
      gate.resume();
      leases.resume();
    },
    crashAt: (point, visit) => crashes.arm(point, visit),
    pauseAt: (point, visit, onPause) => void pauses.set(point, { left: visit, onPause }),
    disarm() {
      crashes.disarm();
      pauses.clear();
    },
    jumpClock: (byMs) => clock.jump(byMs),
  };
}
