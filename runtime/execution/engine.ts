/** A running topology: its log, stage, sources and sinks, from start to drain. */
import { steadyClock, systemClock, wallTime } from '../clock.ts';
import { MachError, messageOf } from '../errors.ts';
import { noCrashPoints } from '../faults.ts';
import { limits } from '../limits.ts';
import { forMany } from '../many-listeners.ts';
import { ConnectorMetrics } from '../observe/connector-metrics.ts';
import type { BoundSourceNode } from '../topology/bound.ts';
import { topologyNames } from '../topology/names.ts';
import { spreadTopology } from '../topology/spread.ts';
import { deadLetterSchema } from './dead-letter.ts';
import { sayDrained, undrainedPartitions } from './drained.ts';
import { endsWithin } from './ends-within.ts';
import type { Engine, EngineOptions, EngineState, HandOverArguments } from './engine-contract.ts';
import { engineSources } from './engine-sources.ts';
import { executionErrors } from './errors.ts';
import { isFenced } from './fenced.ts';
import { heapProblem, tellOfHeap, whileRoom } from './heap-problem.ts';
import { processHeap } from './heap-room.ts';
import { settleBeginning } from './log-beginning.ts';
import { LogEnd } from './log-end.ts';
import { startLookupAsker } from './lookup-asker.ts';
import { completeCut } from './rescale/cut-objects.ts';
import { readDeployed } from './rescale/deployed-partitions.ts';
import { openSchemaBook } from './schema-book.ts';
import { type OpenSource, openSource, type SourceStage } from './source-host.ts';
import { firstStage, incarnationOf, inputPartition, openStreams } from './streams.ts';
import { startUnit, type Unit } from './unit.ts';
import { appendMark } from './upgrade/mark.ts';
import { keepVersion, sayStarted, startedLast } from './upgrade/versions.ts';

export type {
  Engine,
  EngineOptions,
  EngineState,
  HandedOver,
  HandOverArguments,
  Mark,
  OpenSource,
} from './engine-contract.ts';

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
  const deployed = await readDeployed(log, topology.name);
  await completeCut(objects, names, deployed);
  const acceptLoss = new Set(options.acceptLoss ?? []);
  const acceptsLoss = acceptLoss.has('log');
  const beginning = await settleBeginning({ topology, plan, names, streams, objects, acceptsLoss, logger });
  const metrics = options.handedOver?.metrics ?? new ConnectorMetrics();
  const draining = new AbortController();
  forMany(draining.signal);
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
  const heap = options.heap ?? processHeap();
  const stopTelling = tellOfHeap(heap, { logger, topology, units });
  let isHeld = options.held !== undefined;
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
    if (!options.held) await sayStarted(objects, topology);
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
      heap,
      beginning,
      ...(deployed.cutAt !== undefined && { cutAt: deployed.cutAt }),
      ...(deployed.cutStages && { cutStages: deployed.cutStages }),
      ...(options.held && { held: options.held }),
      onVersion: async (id, sequence) => options.onMark?.({ id, sequence }),
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
      if (!isHeld && !options.withoutSources) {
        // Senders are told where to go on from by what is in the log: so the stage must have seen all of it before they come.
        const caughtUp = stage.reached((await streams.input.state()).lastSequence, draining.signal);
        await (started ? caughtUp : whileRoom(caughtUp, heap, { topology, units, clock: machineClock }));
        await openSourcesOf(partition, stage);
      }
    } catch (error) {
      if (started) await closeUnit(partition, { drain: false });
      throw error;
    }
  }

  async function openSourcesOf(partition: number, stage: SourceStage): Promise<void> {
    for (const source of sources.ofPartition(partition)) if (!sources.has(source.id)) await sources.add(source, stage);
  }

  async function openSources(): Promise<void> {
    for (const [partition, { stages }] of units) await openSourcesOf(partition, stages[0]);
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

  async function closeSources(keep: ReadonlySet<string> = new Set()): Promise<void> {
    const leaving = new Set(topology.sources.map(({ id }) => id).filter((id) => !keep.has(id)));
    await Promise.all(sources.release(leaving, new Error('the engine is draining, or its topology changes')));
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
      const closed = Promise.all([unit.close({ clean: drain }), closing]);
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
    forMany(signal);
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
    // Where workers drain together, what the others tell comes at the same time; where one of them is gone it does not come.
    await endsWithin(accounted(deadline), limits.unitDrainDeadlineMs);
    if (deadline.aborted) return;
    for (const partition of units.keys()) {
      const drained = sayDrained(streams.promises, names, { partition, sequence: lastSequence });
      await drained.catch((error) => logger.warn({ error: messageOf(error) }, 'the log does not know of the drain'));
    }
    for (const unit of units.values())
      await unit.checkpoint().catch((error) => logger.warn({ error: messageOf(error) }, 'no checkpoint at the end'));
  }

  async function closeAll(how?: { readonly clean: boolean }): Promise<void> {
    for (const unit of units.values()) await unit.close(how);
    await lookups.close();
    stopTelling();
    state = 'stopped';
  }

  async function stop(): Promise<void> {
    draining.abort(new Error('stopping'));
    await Promise.allSettled([sources.stopWaiting(), ...own().map((source) => source.close())]);
    await closeAll();
  }

  async function finishUp({ keep, finish, mark }: HandOverArguments, deadline: AbortSignal): Promise<void> {
    await closeSources(keep);
    const { sequence } = await mark();
    // Later stages wait for what all the others pass to them.
    await Promise.all([...units.values()].map((unit) => unit.finish(sequence, finish, deadline)));
  }

  return {
    topology,
    plan,
    units,
    openUnit,
    closeUnit,
    closeSources,
    openSources,
    async begin() {
      isHeld = false;
      await sayStarted(objects, topology);
      await openSources();
    },
    appendMark: (id) => appendMark(streams.input, names, id),
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
    inputEnd: new LogEnd(streams.input, machineClock),
    get logProblem() {
      return log.problem ?? null;
    },
    heap,
    get heapProblem() {
      return heap.state === 'full' ? heapProblem(heap, { topology, units }).message : null;
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
        const deadline = forMany(AbortSignal.timeout(deadlineMs));
        // The two timers are not one: what was left undone at the first is late whatever the second says.
        inTime = (await endsWithin(drainAll(deadline), deadlineMs)) && !deadline.aborted;
      } finally {
        // A log or a store that does not answer must not keep the process from its end.
        await endsWithin(closeAll({ clean: true }), limits.closeDeadlineMs);
        state = 'stopped';
      }
      if (!inTime) throw executionErrors.make('MACH3206', { deadlineMs, waiting: 'rows were still to be written' });
    },
    async handOver(args) {
      if (state !== 'running') throw new Error(`the engine is ${state}`);
      state = 'draining';
      const { keep, signal, deadlineMs = limits.drainDeadlineMs } = args;
      const inTime = AbortSignal.timeout(deadlineMs);
      const deadline = forMany(signal ? AbortSignal.any([inTime, signal]) : inTime);
      let finished = false;
      try {
        const aborted = new Promise<void>((resolve) => deadline.addEventListener('abort', () => resolve()));
        const work = finishUp(args, deadline).then(() => {
          finished = !deadline.aborted;
        });
        await endsWithin(Promise.race([work, aborted]), deadlineMs);
      } finally {
        await endsWithin(closeAll({ clean: true }), limits.closeDeadlineMs);
        state = 'stopped';
      }
      if (!finished) throw executionErrors.make('MACH3206', { deadlineMs, waiting: 'rows were still to be written' });
      return { sources: new Map(sources.open.filter(({ id }) => keep.has(id)).map((one) => [one.id, one])), metrics };
    },
    stop,
  };
}
