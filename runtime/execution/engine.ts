/** A running topology: its log, stage, sources and sinks, from start to drain. */
import type { Log, LogStream } from '../bus/log.ts';
import { type Clock, steadyClock, systemClock, wallTime } from '../clock.ts';
import { MachError, messageOf } from '../errors.ts';
import { type CrashPoints, noCrashPoints } from '../faults.ts';
import { limits } from '../limits.ts';
import { ConnectorMetrics } from '../observe/connector-metrics.ts';
import type { Store } from '../store/store.ts';
import type { Logger } from '../stream/definition.ts';
import type { BoundSourceNode, BoundTopology } from '../topology/bound.ts';
import { topologyNames } from '../topology/names.ts';
import { type SpreadPlan, spreadTopology } from '../topology/spread.ts';
import { deadLetterSchema } from './dead-letter.ts';
import { sayDrained, undrainedPartitions } from './drained.ts';
import { endsWithin } from './ends-within.ts';
import { engineSources, type WaitingSource } from './engine-sources.ts';
import { executionErrors } from './errors.ts';
import { isFenced } from './fenced.ts';
import { settleBeginning } from './log-beginning.ts';
import { type LookupAsker, startLookupAsker } from './lookup-asker.ts';
import { openSchemaBook } from './schema-book.ts';
import type { SinkRunner } from './sink-runner.ts';
import { type OpenSource, openSource, type SourceStage } from './source-host.ts';
import type { StageRunner } from './stage-runner.ts';
import { firstStage, incarnationOf, inputPartition, openStreams } from './streams.ts';
import { startUnit, type Unit } from './unit.ts';
import { keepVersion, sayStarted, startedLast } from './upgrade/versions.ts';

export interface EngineOptions {
  readonly topology: BoundTopology;
  readonly log: Log;
  readonly store: Store;
  readonly logger: Logger;
  /** Engine time: idleness, and what connectors see. May run faster than the machine's. */
  readonly clock?: Clock;
  /** See `UnitArguments.admitStore`. */
  readonly admitStore?: () => Promise<void>;
  /** Time for checkpoints, retries and look-ups. */
  readonly machineClock?: Clock;
  readonly crashPoints?: CrashPoints;
  readonly checkpointEveryMs?: number;
  /** Nodes (or `log`) whose state may be lost on this start. */
  readonly acceptLoss?: readonly string[];
  readonly replicas?: number;
  /** Partitions of the topology: fixed when it is first run (default 1). */
  readonly partitions?: number;
  /** Those to open at the start (default: all of them). */
  readonly units?: readonly number[];
  /**
   * Another owner has written for a partition of this engine, which must close its unit. Where nobody asks to be told, the engine
   * fails.
   */
  readonly onUnitTaken?: (partition: number, error: unknown) => void;
  /** Whether another worker may still have the port of a source: then one that does not open is tried again (default: never). */
  readonly isContested?: () => boolean;
  readonly groupCommitWindowMs?: number;
  /** Of the engine before this one in the same process: sources that stay open. */
  readonly handedOver?: HandedOver;
  /** No message is handled before this resolves, and the start does not wait for what is in the log: every source must be handed over. */
  readonly held?: Promise<void>;
  /** Opens none of its sources: an engine that only finishes what is in the log. */
  readonly withoutSources?: boolean;
}

export type { OpenSource };

/** What outlives an engine whose topology is changed: open sources, by id, and what connectors have counted. */
export interface HandedOver {
  readonly sources: ReadonlyMap<string, OpenSource>;
  readonly metrics: ConnectorMetrics;
}

export interface Engine {
  readonly topology: BoundTopology;
  readonly plan: SpreadPlan;
  /** The partitions that this engine runs. */
  readonly units: ReadonlyMap<number, Unit>;
  /** Takes a partition: restores it, catches up, and opens its share of the sources. */
  openUnit(partition: number): Promise<void>;
  /** Gives a partition up. `drain`: its senders are answered and a checkpoint is taken first, so that the next one begins where this one ends. */
  closeUnit(partition: number, how: { readonly drain: boolean }): Promise<void>;
  /** Sources take nothing more in, and answer what they owe; everything else goes on. */
  closeSources(): Promise<void>;
  /** First stage of the first partition that it runs. */
  readonly stage: StageRunner;
  readonly sources: readonly OpenSource[];
  /** Sources of its partitions that do not open yet; everything else of those partitions goes on. */
  readonly waitingSources: readonly WaitingSource[];
  /** Of the first partition that writes to each. */
  readonly sinks: ReadonlyMap<string, SinkRunner>;
  readonly lookups: LookupAsker;
  readonly metrics: ConnectorMetrics;
  readonly input: LogStream;
  /** Why the log takes nothing now (its disk is full), or null. */
  readonly logProblem: string | null;
  readonly startedAt: number;
  readonly state: EngineState;
  /** Resolves with the error when the engine cannot go on; never rejects. */
  readonly failed: Promise<unknown>;
  /** Every message accepted so far has been handled and its rows are written. */
  settled(signal?: AbortSignal): Promise<void>;
  /** The accounts have all of what was accepted so far: where several workers run the topology, those of the one that keeps them. */
  accounted(signal?: AbortSignal): Promise<void>;
  /**
   * Sources stop taking in and answer what they owe; what is in the log is handled, written and checkpointed. Rejects with MACH3206
   * after `deadlineMs` (default `limits.drainDeadlineMs`); what is left then is handled after the next start.
   */
  drain(deadlineMs?: number): Promise<void>;
  /**
   * Ends so that another engine can go on in this process: sources but those of `keep` are closed, what they had taken in is handled,
   * the sinks of `finish` have written all of it, and a checkpoint stands exactly where the stage ended. Rejects with MACH3206 after
   * `deadlineMs`; then, too, everything but the sources of `keep` is closed.
   */
  handOver(args: HandOverArguments): Promise<HandedOver>;
  /** Ends at once, as a crash would but for open files. */
  stop(): Promise<void>;
}

export interface HandOverArguments {
  readonly keep: ReadonlySet<string>;
  readonly finish: ReadonlySet<string>;
  readonly deadlineMs?: number;
}

export type EngineState = 'starting' | 'running' | 'draining' | 'stopped' | 'failed';

export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { topology, log, logger } = options;
  const clock = options.clock ?? systemClock();
  const machineClock = options.machineClock ?? steadyClock();
  const crashPoints = options.crashPoints ?? noCrashPoints;
  const names = topologyNames(topology.name);
  const plan = spreadTopology(topology, options.partitions ?? 1);
  const streams = await openStreams(log, names, topology, {
    replicas: options.replicas,
    plan,
  });
  const incarnation = await incarnationOf(streams.promises, names);
  const objects = await log.objects(names.checkpointBucket);
  await openSchemaBook(objects, topology, [deadLetterSchema]);
  await keepVersion(objects, topology, { partitions: plan.partitions, clock: machineClock });
  const acceptLoss = new Set(options.acceptLoss ?? []);
  const acceptsLoss = acceptLoss.has('log');
  const beginning = await settleBeginning({ topology, plan, names, streams, objects, acceptsLoss, logger });
  const metrics = options.handedOver?.metrics ?? new ConnectorMetrics();
  const draining = new AbortController();
  let state: EngineState = 'starting';
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<unknown>((resolve) => {
    fail = resolve;
  });
  const onFailure = (error: unknown) => {
    if (state === 'stopped' || state === 'failed') return;
    state = 'failed';
    const code = error instanceof MachError ? { code: error.code } : {};
    logger.error({ ...code, error: messageOf(error) }, 'the engine cannot go on');
    draining.abort(error);
    fail(error);
  };
  const lookups = startLookupAsker({
    stream: streams.input,
    subjectOf: (node) => names.inputSubject(firstStage, { node, port: 'answers' }, inputPartition),
    clock: machineClock,
    onFailure,
  });
  const units = new Map<number, Unit>();
  /** Partitions that are being closed. */
  const leaving = new Set<number>();
  /** The newest opening of each partition: what an earlier one still says does not concern it. */
  const openings = new Map<number, object>();
  const sources = engineSources({
    sources: topology.sources,
    partitions: plan.partitions,
    handedOver: options.handedOver?.sources,
    clock: machineClock,
    logger,
    openSource: openOne,
    isContested: options.isContested ?? (() => false),
  });
  // A start that fails leaves what was handed to it as it is.
  let started = false;
  const own = () => sources.open.filter((one) => started || options.handedOver?.sources.get(one.id) !== one);
  draining.signal.addEventListener('abort', () => {
    for (const source of own()) source.stop(draining.signal.reason as Error);
  });
  try {
    for (const partition of options.units ?? Array.from({ length: plan.partitions }, (_, number) => number))
      await openUnit(partition);
  } catch (error) {
    await stop();
    throw error;
  }
  started = true;
  if (state === 'starting') state = 'running';

  async function openUnit(partition: number): Promise<void> {
    if (units.has(partition)) throw new Error(`invariant broken: partition ${partition} is open`);
    await refuseUnfinishedVersion();
    await sayStarted(objects, topology);
    const opening = {};
    openings.set(partition, opening);
    const unit = await startUnit({
      topology,
      plan,
      partition,
      names,
      log,
      streams,
      store: options.store,
      ...(options.admitStore && { admitStore: options.admitStore }),
      incarnation,
      lookups,
      metrics,
      machineClock,
      ...(options.checkpointEveryMs === undefined ? {} : { checkpointEveryMs: options.checkpointEveryMs }),
      acceptLoss,
      beginning,
      ...(options.held && { held: options.held }),
      logger,
      crashPoints,
      onFailure: (error) => {
        // A unit that is being closed may find that it has been taken over already.
        if (leaving.has(partition) || openings.get(partition) !== opening) return;
        if (options.onUnitTaken && isFenced(error)) options.onUnitTaken(partition, error);
        else onFailure(error);
      },
    });
    units.set(partition, unit);
    const [stage] = unit.stages;
    try {
      // Senders are told where to go on from by what is in the log: so the stage must have seen all of it before they come.
      if (!options.held) await stage.reached((await streams.input.state()).lastSequence, draining.signal);
      for (const source of options.withoutSources ? [] : sources.ofPartition(partition))
        await sources.add(source, stage);
    } catch (error) {
      if (started) await closeUnit(partition, { drain: false });
      throw error;
    }
  }

  function openOne(source: BoundSourceNode, stage: SourceStage): Promise<OpenSource> {
    return openSource({
      source,
      stage,
      stream: streams.input,
      subject: names.inputSubject(firstStage, { node: source.id, port: 'out' }, inputPartition),
      log,
      clock,
      machineClock,
      logger,
      metrics,
      crashPoints,
      ...(options.groupCommitWindowMs === undefined ? {} : { windowMs: options.groupCommitWindowMs }),
    });
  }

  async function closeSources(): Promise<void> {
    const all = new Set(topology.sources.map(({ id }) => id));
    await Promise.all(sources.release(all, new Error('the engine is draining')));
  }

  /** With several partitions the version before must have come to its end everywhere: each would change at another message. */
  async function refuseUnfinishedVersion(): Promise<void> {
    const before = await startedLast(objects);
    if (plan.partitions === 1 || options.handedOver || before === undefined || before === topology.hash) return;
    const { lastSequence } = await streams.input.state();
    const left = await undrainedPartitions(log, topology.name, plan.partitions, lastSequence);
    if (left.length > 0)
      throw executionErrors.make('MACH3217', { topology: topology.name, partitions: left.join(', ') });
  }

  async function closeUnit(partition: number, { drain }: { drain: boolean }): Promise<void> {
    const unit = units.get(partition);
    if (!unit) return;
    const opening = openings.get(partition);
    leaving.add(partition);
    const own = new Set(sources.ofPartition(partition).map(({ id }) => id));
    const closing = Promise.allSettled(sources.release(own, new Error('its partition is closing')));
    if (drain) {
      await endsWithin(closing, limits.unitDrainDeadlineMs);
      // What others must still pass to its later stages is handled where it goes.
      const problem = (error: unknown) =>
        logger.warn({ partition, error: messageOf(error) }, 'no checkpoint at the end');
      await endsWithin(unit.checkpoint().catch(problem), limits.unitDrainDeadlineMs);
    }
    units.delete(partition);
    try {
      const closed = Promise.all([unit.close(), closing]);
      const inTime = await endsWithin(closed, limits.closeDeadlineMs);
      if (!inTime)
        logger.warn({ partition, deadlineMs: limits.closeDeadlineMs }, 'the partition is still being closed');
    } finally {
      leaving.delete(partition);
      // What a unit says that ends later than it may concerns nobody any more.
      if (openings.get(partition) === opening) openings.delete(partition);
    }
  }

  async function settled(signal: AbortSignal = new AbortController().signal): Promise<void> {
    // Each waits for what the others pass to it: all of them at once.
    await Promise.all([...units.values()].map((unit) => unit.settled(signal)));
    // They wait for what every partition tells: for those that run elsewhere nobody waits here.
    if (units.size === plan.partitions) await accounted(signal);
  }

  async function accounted(signal: AbortSignal = new AbortController().signal): Promise<void> {
    const { lastSequence } = await streams.input.state();
    for (const { accounts } of units.values()) await accounts?.reached(lastSequence, signal);
  }

  async function drainAll(deadline: AbortSignal): Promise<void> {
    await Promise.all([sources.stopWaiting(), ...sources.open.map((source) => source.close())]);
    const { lastSequence } = await streams.input.state();
    await settled(deadline);
    if (deadline.aborted) return;
    for (const partition of units.keys()) {
      const drained = sayDrained(streams.promises, names, { partition, sequence: lastSequence });
      await drained.catch((error) => logger.warn({ error: messageOf(error) }, 'the log does not know of the drain'));
    }
    for (const unit of units.values())
      await unit.checkpoint().catch((error) => logger.warn({ error: messageOf(error) }, 'no checkpoint at the end'));
  }

  async function closeAll(): Promise<void> {
    for (const unit of units.values()) await unit.close();
    await lookups.close();
    state = 'stopped';
  }

  async function stop(): Promise<void> {
    draining.abort(new Error('stopping'));
    await Promise.allSettled([sources.stopWaiting(), ...own().map((source) => source.close())]);
    await closeAll();
  }

  /** What is in the log now is handled; what the stage made of it is out, and written by the sinks of `finish`. */
  async function finishUp(finish: ReadonlySet<string>, deadline: AbortSignal): Promise<void> {
    const { lastSequence } = await streams.input.state();
    for (const unit of units.values()) await unit.finish(lastSequence, finish, deadline);
  }

  return {
    topology,
    plan,
    units,
    openUnit,
    closeUnit,
    closeSources,
    get stage() {
      const [first] = [...units.values()].sort((a, b) => a.partition - b.partition);
      if (!first) throw new Error('this engine holds no partition');
      return first.stages[0];
    },
    sources: sources.open,
    get waitingSources() {
      return sources.waiting;
    },
    get sinks() {
      return new Map([...units.values()].reverse().flatMap((unit) => [...unit.sinks]));
    },
    lookups,
    metrics,
    input: streams.input,
    get logProblem() {
      return log.problem ?? null;
    },
    startedAt: wallTime(),
    get state() {
      return state;
    },
    failed,
    settled,
    accounted,
    async drain(deadlineMs = limits.drainDeadlineMs) {
      if (state !== 'running') return closeAll();
      state = 'draining';
      draining.abort(new Error('draining'));
      let inTime = false;
      try {
        const deadline = AbortSignal.timeout(deadlineMs);
        // The two timers are not one: what was left undone at the first is late whatever the second says.
        inTime = (await endsWithin(drainAll(deadline), deadlineMs)) && !deadline.aborted;
      } finally {
        // A log or a store that does not answer must not keep the process from its end.
        await endsWithin(closeAll(), limits.closeDeadlineMs);
        state = 'stopped';
      }
      if (!inTime) throw executionErrors.make('MACH3206', { deadlineMs, waiting: 'rows were still to be written' });
    },
    async handOver({ keep, finish, deadlineMs = limits.drainDeadlineMs }) {
      if (state !== 'running') throw new Error(`the engine is ${state}`);
      state = 'draining';
      const leaving = sources.open.filter(({ id }) => !keep.has(id));
      for (const source of leaving) source.stop(new Error('its topology changes'));
      const deadline = AbortSignal.timeout(deadlineMs);
      let inTime = false;
      try {
        const closed = Promise.all([sources.stopWaiting(), ...leaving.map((source) => source.close())]);
        const work = closed.then(() => finishUp(finish, deadline));
        inTime = (await endsWithin(work, deadlineMs)) && !deadline.aborted;
      } finally {
        await endsWithin(closeAll(), limits.closeDeadlineMs);
        state = 'stopped';
      }
      if (!inTime) throw executionErrors.make('MACH3206', { deadlineMs, waiting: 'rows were still to be written' });
      return { sources: new Map(sources.open.filter(({ id }) => keep.has(id)).map((one) => [one.id, one])), metrics };
    },
    stop,
  };
}
