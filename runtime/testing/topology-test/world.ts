/**
 * The real engine in virtual time: a log in memory that outlives the process, sources that a test sends through, sinks that
 * collect what they would write. The process can die at any time and starts again on what the log and its checkpoints hold.
 */
import { isDeepStrictEqual } from 'node:util';
import type { LogMessage } from '../../bus/log.ts';
import type { FaultPlan } from '../../bus/memory/faults.ts';
import { type MemoryLog, memoryLog } from '../../bus/memory/log.ts';
import { memoryStorage } from '../../bus/memory/storage.ts';
import { virtualClock } from '../../clock.ts';
import { decodeDeadLetterRows } from '../../execution/dead-letter.ts';
import { type Engine, startEngine } from '../../execution/engine.ts';
import { simulatedHeap } from '../../execution/heap-room.ts';
import { decodeInputFrame } from '../../execution/log-frame.ts';
import { firstStage } from '../../execution/streams.ts';
import { type CrashPoints, SimulatedCrash } from '../../faults.ts';
import { limits } from '../../limits.ts';
import { lookAtEngine } from '../../observe/history/history.ts';
import { renderMetrics } from '../../observe/metrics.ts';
import { engineStatus } from '../../observe/status.ts';
import { type Accounting, mergeAccounting } from '../../stream/ledger.ts';
import type { NodeCounts } from '../../stream/node-runner.ts';
import type { Schema } from '../../stream/schema.ts';
import type { SinkRow } from '../../stream/sink-definition.ts';
import type { SourceContext } from '../../stream/source-definition.ts';
import { parseEdgeToken, topologyNames } from '../../topology/names.ts';
import { answerer } from './answerer.ts';
import { topologyTestLimits } from './limits.ts';
import { type LookBack, lookBack } from './look-back.ts';
import { driver, noStore, silent } from './stand-ins.ts';
import { type EdgeHooks, withTestEdges } from './test-edges.ts';
import type { CollectedRow, LoggedInput, World, WorldOptions } from './world-form.ts';

/** One life of the process. */
interface Life {
  readonly log: MemoryLog;
  readonly contexts: Map<string, SourceContext>;
  readonly died: Promise<void>;
  engine: Engine | undefined;
  dead: boolean;
  die(): void;
}

const never = new Promise<never>(() => undefined);

export async function openWorld(args: WorldOptions): Promise<World> {
  const clock = virtualClock(args.startMs);
  const machineClock = virtualClock(args.startMs);
  const drive = driver(machineClock);
  const storage = memoryStorage();
  const names = topologyNames(args.topology.name);
  const collected = new Map(args.topology.sinks.map(({ id }) => [id, [] as CollectedRow[]]));
  const written = new Map<string, readonly SinkRow[]>();
  const schemas = new Map(args.topology.sources.map(({ id, ports }) => [id, ports.out as Schema]));
  const hasLookups = args.topology.operators.some(({ bound }) => bound.lookup);
  const answer = answerer({ mocks: args.mocks, clock });
  let armed: string | undefined;
  let messagesToLive: number | undefined;
  let storeBackAt = Number.NEGATIVE_INFINITY;
  let seen: { readonly messages: number; readonly lookBack: LookBack } | undefined;
  let acknowledgementsToDrop = 0;
  let sendingFrom: string | undefined;
  let life = newLife();

  function newLife(): Life {
    let resolveDied: () => void = () => {};
    const died = new Promise<void>((resolve) => {
      resolveDied = resolve;
    });
    const faults: FaultPlan = {
      forAppend: () => (acknowledgementsToDrop-- > 0 ? { kind: 'acknowledgement-lost' } : { kind: 'none' }),
      forDelivery: () => 0,
      forLease: () => 'none',
      counts: new Map(),
      stop() {},
    };
    const log = memoryLog({ clock: machineClock, storage, faults });
    const self: Life = {
      log,
      contexts: new Map(),
      died,
      engine: undefined,
      dead: false,
      die() {
        self.dead = true;
        log.crash();
        resolveDied();
      },
    };
    return self;
  }

  /** Dies here if the node is armed. */
  function mayDie(of: Life, node: string): void {
    if (of.dead) throw new SimulatedCrash(node, 1);
    if (armed !== node) return;
    armed = undefined;
    of.die();
    throw new SimulatedCrash(node, 1);
  }

  function edgesOf(of: Life): EdgeHooks {
    return {
      opened: (source, context) => of.contexts.set(source, context),
      handling: (node) => mayDie(of, node),
      async write(sink, rows, token) {
        if (of.dead) return never;
        if (clock.now() < storeBackAt) throw new Error('the store is down, as the test says');
        const before = written.get(token);
        if (before && !isDeepStrictEqual(before, rows)) throw new Error(`token ${token} came with other rows`);
        if (!before) {
          written.set(token, rows);
          for (const { event, time, sequence } of rows) collected.get(sink)?.push({ event, time, sequence });
        }
        if (armed !== sink) return [];
        armed = undefined;
        of.die();
        return never;
      },
      answer: answer.ask,
    };
  }

  /** Resolves with the work, or when the process dies; rejects when the engine fails of itself. */
  async function whileAlive(of: Life, work: Promise<unknown>): Promise<void> {
    const failed = (of.engine?.failed ?? never).then((error) => {
      if (!of.dead) throw error;
    });
    const survived = work.catch((error) => {
      if (!of.dead) throw error;
    });
    await drive(Promise.race([survived, failed, of.died]));
  }

  async function start(): Promise<void> {
    const mine = life;
    const crashPoints: CrashPoints = {
      at(name) {
        if (name === 'source.after-append' && sendingFrom !== undefined) mayDie(mine, sendingFrom);
        if (name !== 'stage.after-handle' || messagesToLive === undefined || --messagesToLive > 0) return;
        messagesToLive = undefined;
        mine.die();
        throw new SimulatedCrash(name, 1);
      },
    };
    const starting = startEngine({
      topology: withTestEdges(args.topology, edgesOf(mine)),
      log: mine.log,
      store: noStore,
      logger: silent,
      clock,
      machineClock,
      crashPoints,
      heap: simulatedHeap(),
      checkpointEveryMs: Number.MAX_SAFE_INTEGER,
      groupCommitWindowMs: 0,
    }).then((engine) => {
      mine.engine = engine;
    });
    await whileAlive(mine, starting);
  }

  async function restart(): Promise<void> {
    do {
      life = newLife();
      await start();
    } while (life.dead);
  }

  async function settle(): Promise<void> {
    for (;;) {
      const mine = life;
      await whileAlive(mine, settledButStore(mine.engine as Engine));
      answer.assertMocked();
      if (mine.dead) {
        await restart();
        continue;
      }
      if (!hasLookups) return;
      // Answers come by way of the log, a moment after they were asked for.
      const before = lastSequence();
      await whileAlive(mine, machineClock.sleep(limits.sinkWriteEveryMs));
      if (lastSequence() === before && !mine.dead) return;
    }
  }

  /** Everything is handled; and written, unless the store is down. */
  async function settledButStore(engine: Engine): Promise<void> {
    if (clock.now() >= storeBackAt) return engine.settled();
    const { signal } = new AbortController();
    for (const { stages } of engine.units.values()) {
      for (const stage of stages) {
        await stage.reached(lastSequence(), signal);
        for (const publisher of stage.publishers.values()) await publisher.flushed();
      }
    }
    await engine.accounted();
  }

  const awaitsCrash = () => armed !== undefined || messagesToLive !== undefined;

  const stored = (name: string) => [...(storage.streams.get(name)?.messages.values() ?? [])];
  const inputStream = names.inputStream(firstStage);
  const lastSequence = () => storage.streams.get(inputStream)?.lastSequence ?? 0;

  function inputs(fromSequence = 1): LoggedInput[] {
    return stored(inputStream)
      .filter(({ sequence }) => sequence >= fromSequence)
      .map(({ subject, payload }) => {
        const { node } = parseEdgeToken(subject.split('.').at(-2) ?? '');
        return { node, frame: decodeInputFrame(payload, schemas.get(node) ?? { fields: {} }) };
      });
  }

  /** Requests of a source in the log from a position on: what a sender need not send again after a crash. */
  function requestsStored(source: string, fromSequence: number): number {
    let count = 0;
    for (const { node, frame } of inputs(fromSequence)) {
      if (node === source && frame.kind === 'source') count += frame.segments.length;
    }
    return count;
  }

  await start();
  return {
    now: () => clock.now(),
    async append(source, requests) {
      let from = lastSequence() + 1;
      let rest = requests;
      while (rest.length > 0) {
        const mine = life;
        const context = mine.contexts.get(source) as SourceContext;
        sendingFrom = source;
        await whileAlive(mine, Promise.all(rest.map((request) => context.append(request))));
        sendingFrom = undefined;
        if (!mine.dead) break;
        rest = rest.slice(requestsStored(source, from));
        await restart();
        from = lastSequence() + 1;
      }
      await settle();
    },
    async advance(byMs) {
      const until = clock.now() + byMs;
      const stepMs = Math.max(topologyTestLimits.backWithinMs, byMs * topologyTestLimits.backWithinPart);
      while (awaitsCrash() && clock.now() < until) {
        await clock.advance(Math.min(stepMs, until - clock.now()));
        if (life.dead) await restart();
      }
      await clock.advance(Math.max(0, until - clock.now()));
      await settle();
    },
    async checkpoint() {
      const units = [...(life.engine as Engine).units.values()];
      await whileAlive(life, Promise.all(units.map((unit) => unit.checkpoint())));
    },
    async crash() {
      life.die();
      await restart();
      await settle();
    },
    armCrash(node) {
      armed = node;
    },
    crashAfter(messages) {
      messagesToLive = messages;
    },
    storeDown(forMs) {
      storeBackAt = clock.now() + forMs;
    },
    async finish() {
      if (clock.now() >= storeBackAt) return;
      storeBackAt = Number.NEGATIVE_INFINITY;
      await settle();
    },
    dropAcknowledgements(count) {
      acknowledgementsToDrop = count;
    },
    outstanding: () => [
      ...(armed === undefined ? [] : [`crash: ${armed}`]),
      ...(messagesToLive === undefined ? [] : [`crash_after: another ${messagesToLive}`]),
      ...(acknowledgementsToDrop > 0 ? [`drop_acks: another ${acknowledgementsToDrop}`] : []),
    ],
    rows: (sink) => collected.get(sink) ?? [],
    deadLetters: () => deadLettersOf(stored(names.deadLetterStream)),
    accounting: () => accountingOf(life.engine as Engine),
    watermark(node) {
      const { machine } = (life.engine as Engine).stage;
      const time = machine.runner(node)?.watermark ?? machine.sourceWatermark(node).time;
      return Number.isFinite(time) ? time : null;
    },
    counts: (node) => (life.engine as Engine).stage.machine.runner(node)?.counts as NodeCounts,
    async metrics() {
      const engine = life.engine as Engine;
      return renderMetrics(await drive(engineStatus(engine, clock.now())), engine);
    },
    look: () => drive(lookAtEngine(life.engine as Engine, clock.now(), 'test')),
    inputs: () => inputs(),
    lookBack() {
      if (seen?.messages !== lastSequence())
        seen = { messages: lastSequence(), lookBack: lookBack(args.topology, inputs()) };
      return seen.lookBack;
    },
    messages: () => stored(inputStream),
    async close() {
      if (life.engine && !life.dead) await drive(life.engine.stop());
    },
  };
}

/** Every letter in the order of its burial; not what became of those that were redriven. */
export function deadLettersOf(messages: readonly LogMessage[]): CollectedRow[] {
  const rows = messages.flatMap(({ payload }) => decodeDeadLetterRows(payload));
  return rows.filter(({ event }) => event.kind !== 'ending');
}

export function accountingOf({ units }: Engine): Accounting {
  return mergeAccounting([...units.values()].map(({ accounting }) => accounting));
}
