/**
 * A unit: one partition of a topology with all its stages, and the sinks of what they give out. It is what a worker takes, and hands on.
 */
import type { Log } from '../bus/log.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { CrashPoints } from '../faults.ts';
import { limits } from '../limits.ts';
import { forMany } from '../many-listeners.ts';
import type { ConnectorMetrics } from '../observe/connector-metrics.ts';
import type { Store } from '../store/store.ts';
import type { Logger } from '../stream/definition.ts';
import { type Accounting, mergeAccounting } from '../stream/ledger.ts';
import type { BoundSinkNode, BoundTopology } from '../topology/bound.ts';
import { stageName, type TopologyNames } from '../topology/names.ts';
import { partitionsOfStage, type SpreadPlan } from '../topology/spread.ts';
import { checkpointStore } from './checkpoint.ts';
import { isFenced } from './fenced.ts';
import type { HeapRoom } from './heap-room.ts';
import type { LogBeginning } from './log-beginning.ts';
import type { LookupAsker } from './lookup-asker.ts';
import { openWhenThere } from './sink-opening.ts';
import { type SinkRunner, startSinkRunner } from './sink-runner.ts';
import { accountsStage, type StagePart, writesTo } from './stage-part.ts';
import { type StageRunner, startStageRunner } from './stage-runner.ts';
import type { Streams } from './streams.ts';

export interface UnitArguments {
  readonly topology: BoundTopology;
  readonly plan: SpreadPlan;
  readonly partition: number;
  readonly names: TopologyNames;
  readonly log: Log;
  readonly streams: Streams;
  readonly store: Store;
  /** Before a sink with tables opens: rejects when the store is away, or not the one of this log. */
  admitStore?(): Promise<void>;
  /** Name of this log (see `incarnationOf`). */
  readonly incarnation: string;
  readonly lookups: LookupAsker;
  readonly metrics: ConnectorMetrics;
  /** Time for checkpoints and retries. */
  readonly machineClock: Clock;
  readonly checkpointEveryMs?: number;
  readonly acceptLoss: ReadonlySet<string>;
  readonly heap: HeapRoom;
  readonly beginning: LogBeginning;
  /** Where the state was cut for the number of partitions. */
  readonly cutAt?: number;
  /** Stages that had a state to cut; absent: all of them. */
  readonly cutStages?: readonly string[];
  /** No message is handled before. */
  readonly held?: Promise<void>;
  /** Its first stage has come to the mark of a change. */
  onVersion(id: string, sequence: number): Promise<void>;
  readonly logger: Logger;
  readonly crashPoints: CrashPoints;
  onFailure(error: unknown): void;
}

export interface Unit {
  readonly partition: number;
  /** In order; the first reads what the sources append. */
  readonly stages: readonly [StageRunner, ...StageRunner[]];
  /** Keeps the accounts of all partitions; in the first, where there are several. */
  readonly accounts: StageRunner | undefined;
  /** What this unit has counted. */
  readonly accounting: Accounting;
  readonly sinks: ReadonlyMap<string, SinkRunner>;
  /** Every stage has handled what the input log has now, and every row of it is written. */
  settled(signal: AbortSignal): Promise<void>;
  checkpoint(): Promise<void>;
  /** The stages have handled the input up to `sequence`, stop there with a checkpoint, and the sinks named have written all of it. */
  finish(sequence: number, sinks: ReadonlySet<string>, signal: AbortSignal): Promise<void>;
  /** `clean`: says in the log what is written, so that none of it goes out again, whoever goes on. */
  close(how?: { readonly clean: boolean }): Promise<void>;
}

export async function startUnit(args: UnitArguments): Promise<Unit> {
  const { plan, partition } = args;
  const ending = new AbortController();
  forMany(ending.signal);
  const stages: StageRunner[] = [];
  const sinks = new Map<string, SinkRunner>();
  let accounts: StageRunner | undefined;
  const runners = () => (accounts ? [...stages, accounts] : stages);
  const conclude = async ([sink, runner]: [string, SinkRunner]) => {
    await runner.conclude().catch((error) => {
      // Another owner has the last word.
      if (!isFenced(error)) args.logger.warn({ sink, error: messageOf(error) }, 'its last batch will go out again');
    });
  };
  const close = async ({ clean } = { clean: false }) => {
    ending.abort(new Error('closing'));
    for (const runner of runners()) await runner.close();
    for (const sink of sinks.values()) await sink.close();
    if (clean) await Promise.all([...sinks].map(conclude));
  };
  try {
    // Later stages first: they must know where they go on before anything new comes to them.
    for (let stage = plan.stages; stage >= 1; stage--) {
      if (partition >= partitionsOfStage(plan, stage)) continue;
      stages.unshift(await openStage({ plan, stage, partition }, args));
    }
    if (plan.partitions > 1 && partition === 0)
      accounts = await openStage({ plan, stage: accountsStage, partition }, args);
    const opening = args.topology.sinks.map(async (sink) => {
      const part = { plan, stage: plan.nodes.get(sink.id)?.stage ?? 1, partition };
      if (writesTo(part, sink.id)) sinks.set(sink.id, await openSink(sink, part, args, ending.signal));
    });
    // All to their end: one that opens after another was refused is closed as well.
    for (const outcome of await Promise.allSettled(opening)) if (outcome.status === 'rejected') throw outcome.reason;
  } catch (error) {
    await close();
    throw error;
  }
  async function written(id: string, signal: AbortSignal): Promise<void> {
    const stage = stageName(plan.nodes.get(id)?.stage ?? 1);
    const newest = await args.streams.outputOf(stage).last(args.names.outputSubject(stage, id, partition));
    if (newest) await sinks.get(id)?.reached(newest.sequence, signal);
  }

  return {
    partition,
    stages: stages as [StageRunner, ...StageRunner[]],
    accounts,
    get accounting() {
      return mergeAccounting(runners().map(({ machine }) => machine.accounting));
    },
    sinks,
    async settled(signal) {
      const { lastSequence } = await args.streams.input.state();
      for (const stage of stages) {
        await stage.reached(lastSequence, signal);
        if (signal.aborted) return;
        await stage.flushed();
      }
      for (const id of sinks.keys()) await written(id, signal);
    },
    async finish(sequence, finishing, signal) {
      for (const runner of runners()) {
        await runner.reached(sequence, signal);
        await runner.close();
        await runner.checkpoint();
      }
      for (const [id, sink] of sinks) {
        if (!finishing.has(id)) continue;
        await written(id, signal);
        await sink.conclude();
      }
    },
    async checkpoint() {
      for (const runner of runners()) await runner.checkpoint();
    },
    close,
  };
}

async function openStage(part: StagePart, args: UnitArguments): Promise<StageRunner> {
  const { names, streams, logger, crashPoints } = args;
  const stage = stageName(part.stage);
  return startStageRunner({
    topology: args.topology,
    names,
    part,
    streams,
    checkpoints: checkpointStore({
      objects: await args.log.objects(names.checkpointBucket),
      names,
      stage,
      partition: part.partition,
      logger,
      crashPoints,
      clock: args.machineClock,
    }),
    lookups: args.lookups,
    machineClock: args.machineClock,
    ...(args.checkpointEveryMs === undefined ? {} : { checkpointEveryMs: args.checkpointEveryMs }),
    acceptLoss: args.acceptLoss,
    heap: args.heap,
    beginning: args.beginning,
    ...(args.cutAt !== undefined && { cutAt: args.cutAt }),
    ...(args.cutStages && { cutStages: args.cutStages }),
    ...(args.held && { held: args.held }),
    onVersion: args.onVersion,
    logger,
    crashPoints,
    onFailure: args.onFailure,
  });
}

async function openSink(
  sink: BoundSinkNode,
  part: StagePart,
  args: UnitArguments,
  signal: AbortSignal,
): Promise<SinkRunner> {
  const { names, streams } = args;
  const stage = stageName(part.stage);
  const opening = await openWhenThere({
    sink: sink.id,
    waitMs: limits.sinkOpenWaitMs,
    clock: args.machineClock,
    logger: args.logger,
    signal,
    async open() {
      if ((sink.bound.tables ?? []).length > 0) await args.admitStore?.();
      return sink.bound.open({
        node: sink.id,
        clock: args.machineClock,
        logger: args.logger,
        signal,
        store: args.store,
        publish: (subject, payload) => args.log.publish(subject, payload),
        get publishBytesMax() {
          return args.log.publishBytesMax ?? Number.POSITIVE_INFINITY;
        },
        count: (metric, by, labels) => args.metrics.count(sink.id, metric, by, labels),
      });
    },
  });
  return startSinkRunner({
    sink: sink.id,
    stage,
    partition: part.partition,
    topology: args.topology.name,
    schema: sink.inputs[0]?.schema ?? { fields: {} },
    outputs: streams.outputOf(stage),
    outputSubject: names.outputSubject(stage, sink.id, part.partition),
    promises: streams.promises,
    promiseSubject: names.sinkSubject(sink.id, stage, part.partition),
    deadLetters: streams.deadLetters,
    deadLetterSubject: names.deadLetterSubject(sink.id),
    incarnation: args.incarnation,
    opening,
    clock: args.machineClock,
    logger: args.logger,
    crashPoints: args.crashPoints,
    onFailure: args.onFailure,
  });
}
