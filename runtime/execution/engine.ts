/** A running topology: its log, stage, sources and sinks, from start to drain. */
import type { Log, LogStream } from '../bus/log.ts';
import { type Clock, systemClock, wallTime } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { type CrashPoints, noCrashPoints } from '../faults.ts';
import { limits } from '../limits.ts';
import { ConnectorMetrics } from '../observe/connector-metrics.ts';
import type { Store } from '../store/store.ts';
import type { Logger, RunningSource } from '../stream/definition.ts';
import type { Schema } from '../stream/schema.ts';
import type { BoundTopology } from '../topology/bound.ts';
import { type TopologyNames, topologyNames } from '../topology/names.ts';
import { checkpointStore } from './checkpoint.ts';
import { endsWithin } from './ends-within.ts';
import { executionErrors } from './errors.ts';
import { type LookupAsker, startLookupAsker } from './lookup-asker.ts';
import { type SinkRunner, startSinkRunner } from './sink-runner.ts';
import { openSource } from './source-host.ts';
import { type SourceRunner, startSourceRunner } from './source-runner.ts';
import { type StageRunner, startStageRunner } from './stage-runner.ts';
import { incarnationOf, onlyPartition, onlyStage, openStreams, type Streams } from './streams.ts';

export interface EngineOptions {
  readonly topology: BoundTopology;
  readonly log: Log;
  readonly store: Store;
  readonly logger: Logger;
  /** Engine time: idleness, and what connectors see. May run faster than the machine's. */
  readonly clock?: Clock;
  /** Time for checkpoints, retries and look-ups. */
  readonly machineClock?: Clock;
  readonly crashPoints?: CrashPoints;
  readonly checkpointEveryMs?: number;
  /** Nodes (or `log`) whose state may be lost on this start. */
  readonly acceptLoss?: readonly string[];
  readonly replicas?: number;
  readonly groupCommitWindowMs?: number;
}

export interface OpenSource {
  readonly id: string;
  readonly runner: SourceRunner;
  readonly running: RunningSource;
}

export interface Engine {
  readonly topology: BoundTopology;
  readonly stage: StageRunner;
  readonly sources: readonly OpenSource[];
  readonly sinks: ReadonlyMap<string, SinkRunner>;
  readonly lookups: LookupAsker;
  readonly metrics: ConnectorMetrics;
  readonly input: LogStream;
  readonly startedAt: number;
  readonly state: EngineState;
  /** Resolves with the error when the engine cannot go on; never rejects. */
  readonly failed: Promise<unknown>;
  /** Every message accepted so far has been handled and its rows are written. */
  settled(signal?: AbortSignal): Promise<void>;
  /**
   * Sources stop taking in and answer what they owe; what is in the log is handled, written and checkpointed. Rejects with MACH3206
   * after `deadlineMs` (default `limits.drainDeadlineMs`); what is left then is handled after the next start.
   */
  drain(deadlineMs?: number): Promise<void>;
  /** Ends at once, as a crash would but for open files. */
  stop(): Promise<void>;
}

export type EngineState = 'starting' | 'running' | 'draining' | 'stopped' | 'failed';

export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { topology, log, logger } = options;
  const clock = options.clock ?? systemClock();
  const machineClock = options.machineClock ?? systemClock();
  const crashPoints = options.crashPoints ?? noCrashPoints;
  const names = topologyNames(topology.name);
  const streams = await openStreams(log, names, topology, options.replicas);
  const incarnation = await incarnationOf(streams.promises, names);
  const metrics = new ConnectorMetrics();
  const draining = new AbortController();
  const ending = new AbortController();
  let state: EngineState = 'starting';
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<unknown>((resolve) => {
    fail = resolve;
  });
  const onFailure = (error: unknown) => {
    if (state === 'stopped' || state === 'failed') return;
    state = 'failed';
    logger.error({ error: messageOf(error) }, 'the engine cannot go on');
    draining.abort(error);
    fail(error);
  };
  const lookups = startLookupAsker({
    stream: streams.input,
    subjectOf: (node) => names.inputSubject(onlyStage, { node, port: 'answers' }, onlyPartition),
    clock: machineClock,
    onFailure,
  });
  const stage = await startStageRunner({
    topology,
    names,
    stage: onlyStage,
    partition: onlyPartition,
    input: streams.input,
    output: streams.output,
    deadLetters: streams.deadLetters,
    checkpoints: checkpointStore({
      objects: await log.objects(names.checkpointBucket),
      names,
      stage: onlyStage,
      partition: onlyPartition,
      logger,
      crashPoints,
    }),
    lookups,
    machineClock,
    ...(options.checkpointEveryMs === undefined ? {} : { checkpointEveryMs: options.checkpointEveryMs }),
    acceptLoss: new Set(options.acceptLoss ?? []),
    logger,
    crashPoints,
    onFailure,
  });
  const sinks = new Map<string, SinkRunner>();
  const sources: OpenSource[] = [];
  try {
    await openSinks(sinks, {
      ...options,
      machineClock,
      crashPoints,
      names,
      streams,
      incarnation,
      metrics,
      ending,
      onFailure,
    });
    // Senders are told where to go on from by what is in the log: so the stage must have seen all of it before they come.
    await stage.reached((await streams.input.state()).lastSequence, draining.signal);
    for (const source of topology.sources) {
      const runner = startSourceRunner({
        node: source.id,
        schema: source.bound.ports.out as Schema,
        idleMs: source.idleMs,
        stream: streams.input,
        subject: names.inputSubject(onlyStage, { node: source.id, port: 'out' }, onlyPartition),
        clock,
        crashPoints,
        origins: stage.machine.origins(source.id),
        ...(options.groupCommitWindowMs === undefined ? {} : { windowMs: options.groupCommitWindowMs }),
      });
      const running = await openSource({
        source,
        runner,
        stage,
        log,
        clock,
        machineClock,
        logger,
        metrics,
        signal: draining.signal,
      });
      sources.push({ id: source.id, runner, running });
      logger.info({ source: source.id, address: running.address }, 'source open');
    }
  } catch (error) {
    await stop();
    throw error;
  }
  if (state === 'starting') state = 'running';

  async function settled(signal: AbortSignal = new AbortController().signal): Promise<void> {
    await stage.reached((await streams.input.state()).lastSequence, signal);
    for (const publisher of stage.publishers.values()) await publisher.flushed();
    for (const [id, sink] of sinks) {
      const newest = await streams.output.last(names.outputSubject(onlyStage, id, onlyPartition));
      if (newest) await sink.reached(newest.sequence, signal);
    }
  }

  async function drainAll(deadline: AbortSignal): Promise<void> {
    await Promise.all(
      sources.map(async ({ running, runner }) => {
        await running.close();
        await runner.close();
      }),
    );
    await settled(deadline);
    if (deadline.aborted) return;
    await stage.checkpoint().catch((error) => logger.warn({ error: messageOf(error) }, 'no checkpoint at the end'));
  }

  async function closeAll(): Promise<void> {
    ending.abort(new Error('closing'));
    await stage.close();
    await lookups.close();
    for (const sink of sinks.values()) await sink.close();
    state = 'stopped';
  }

  async function stop(): Promise<void> {
    draining.abort(new Error('stopping'));
    await Promise.allSettled(sources.map(({ running }) => running.close()));
    await closeAll();
  }

  return {
    topology,
    stage,
    sources,
    sinks,
    lookups,
    metrics,
    input: streams.input,
    startedAt: wallTime(),
    get state() {
      return state;
    },
    failed,
    settled,
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
    stop,
  };
}

async function openSinks(
  sinks: Map<string, SinkRunner>,
  args: EngineOptions & {
    machineClock: Clock;
    crashPoints: CrashPoints;
    names: TopologyNames;
    streams: Streams;
    incarnation: string;
    metrics: ConnectorMetrics;
    ending: AbortController;
    onFailure(error: unknown): void;
  },
): Promise<void> {
  const { topology, names, streams } = args;
  for (const sink of topology.sinks) {
    const running = await sink.bound.open({
      node: sink.id,
      clock: args.machineClock,
      logger: args.logger,
      signal: args.ending.signal,
      store: args.store,
      publish: (subject, payload) => args.log.publish(subject, payload),
      count: (metric, by, labels) => args.metrics.count(sink.id, metric, by, labels),
    });
    sinks.set(
      sink.id,
      await startSinkRunner({
        sink: sink.id,
        stage: onlyStage,
        partition: onlyPartition,
        topology: topology.name,
        schema: sink.inputs[0]?.schema ?? { fields: {} },
        outputs: streams.output,
        outputSubject: names.outputSubject(onlyStage, sink.id, onlyPartition),
        promises: streams.promises,
        promiseSubject: names.sinkSubject(sink.id, onlyStage, onlyPartition),
        deadLetters: streams.deadLetters,
        deadLetterSubject: names.deadLetterSubject(sink.id),
        incarnation: args.incarnation,
        running,
        clock: args.machineClock,
        logger: args.logger,
        crashPoints: args.crashPoints,
        onFailure: args.onFailure,
      }),
    );
  }
}
