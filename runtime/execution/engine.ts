/** A running topology: its log, stage, sources and sinks, from start to drain. */
import type { Log, LogStream } from '../bus/log.ts';
import { type Clock, systemClock, wallTime } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { type CrashPoints, noCrashPoints } from '../faults.ts';
import { limits } from '../limits.ts';
import { ConnectorMetrics } from '../observe/connector-metrics.ts';
import type { Store } from '../store/store.ts';
import type { Logger } from '../stream/definition.ts';
import type { BoundTopology } from '../topology/bound.ts';
import { type TopologyNames, topologyNames } from '../topology/names.ts';
import { checkpointStore } from './checkpoint.ts';
import { endsWithin } from './ends-within.ts';
import { executionErrors } from './errors.ts';
import { type LookupAsker, startLookupAsker } from './lookup-asker.ts';
import { type SinkRunner, startSinkRunner } from './sink-runner.ts';
import { type OpenSource, openSource } from './source-host.ts';
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
  /** Of the engine before this one in the same process: sources that stay open. */
  readonly handedOver?: HandedOver;
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
  const machineClock = options.machineClock ?? systemClock();
  const crashPoints = options.crashPoints ?? noCrashPoints;
  const names = topologyNames(topology.name);
  const streams = await openStreams(log, names, topology, options.replicas);
  const incarnation = await incarnationOf(streams.promises, names);
  const metrics = options.handedOver?.metrics ?? new ConnectorMetrics();
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
      clock: machineClock,
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
  // A start that fails leaves what was handed to it as it is.
  let started = false;
  const own = () => sources.filter((one) => started || options.handedOver?.sources.get(one.id) !== one);
  draining.signal.addEventListener('abort', () => {
    for (const source of own()) source.stop(draining.signal.reason as Error);
  });
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
    for (const source of options.withoutSources ? [] : topology.sources) {
      const open = options.handedOver?.sources.get(source.id);
      if (open) {
        open.attach(stage);
        sources.push(open);
        continue;
      }
      const opened = await openSource({
        source,
        stage,
        stream: streams.input,
        subject: names.inputSubject(onlyStage, { node: source.id, port: 'out' }, onlyPartition),
        log,
        clock,
        machineClock,
        logger,
        metrics,
        crashPoints,
        ...(options.groupCommitWindowMs === undefined ? {} : { windowMs: options.groupCommitWindowMs }),
      });
      sources.push(opened);
      logger.info({ source: source.id, address: opened.running.address }, 'source open');
    }
  } catch (error) {
    await stop();
    throw error;
  }
  started = true;
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
    await Promise.all(sources.map((source) => source.close()));
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
    await Promise.allSettled(own().map((source) => source.close()));
    await closeAll();
  }

  /** What is in the log now is handled; what the stage made of it is out, and written by the sinks of `finish`. */
  async function finishUp(finish: ReadonlySet<string>, deadline: AbortSignal): Promise<void> {
    await stage.reached((await streams.input.state()).lastSequence, deadline);
    await stage.close();
    await stage.checkpoint();
    for (const [id, sink] of sinks) {
      const newest = finish.has(id) && (await streams.output.last(names.outputSubject(onlyStage, id, onlyPartition)));
      if (newest) await sink.reached(newest.sequence, deadline);
    }
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
    async handOver({ keep, finish, deadlineMs = limits.drainDeadlineMs }) {
      if (state !== 'running') throw new Error(`the engine is ${state}`);
      state = 'draining';
      const leaving = sources.filter(({ id }) => !keep.has(id));
      for (const source of leaving) source.stop(new Error('its topology changes'));
      const deadline = AbortSignal.timeout(deadlineMs);
      let inTime = false;
      try {
        const work = Promise.all(leaving.map((source) => source.close())).then(() => finishUp(finish, deadline));
        inTime = (await endsWithin(work, deadlineMs)) && !deadline.aborted;
      } finally {
        await endsWithin(closeAll(), limits.closeDeadlineMs);
        state = 'stopped';
      }
      if (!inTime) throw executionErrors.make('MACH3206', { deadlineMs, waiting: 'rows were still to be written' });
      return { sources: new Map(sources.filter(({ id }) => keep.has(id)).map((one) => [one.id, one])), metrics };
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
