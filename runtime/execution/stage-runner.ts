/** Runs a stage: restores it, reads its log, publishes its outputs, and takes checkpoints. */
import type { LogMessage, LogStream } from '../bus/log.ts';
import { type Clock, wallTime } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { type CrashPoints, SimulatedCrash } from '../faults.ts';
import { limits } from '../limits.ts';
import type { Logger } from '../stream/definition.ts';
import type { Schema } from '../stream/schema.ts';
import type { BoundTopology } from '../topology/bound.ts';
import { parseEdgeToken, stageName, type TopologyNames } from '../topology/names.ts';
import type { CheckpointStore } from './checkpoint.ts';
import { headOf } from './checkpoint-head.ts';
import { executionErrors } from './errors.ts';
import { decodeExchangeFrame } from './exchange/exchange-frame.ts';
import { ExchangeMerge } from './exchange/exchange-merge.ts';
import { decodeInputFrame } from './log-frame.ts';
import type { LookupAsker } from './lookup-asker.ts';
import type { OutputPublisher } from './output-publisher.ts';
import { StageMachine } from './stage-machine.ts';
import { exchangesIn, laneName, lanesInto, type StagePart } from './stage-part.ts';
import { openExchangePublishers, openPublishers } from './stage-publishers.ts';
import { restoreStage } from './stage-restore.ts';
import type { Streams } from './streams.ts';
import { woken } from './woken.ts';

export interface StageCounts {
  messages: number;
  events: number;
  bytes: number;
  checkpoints: number;
  checkpointBytes: number;
  busyMs: number;
  /** Time spent waiting for outputs to be published. */
  backpressuredMs: number;
}

export interface StageRunner {
  readonly machine: StageMachine;
  readonly counts: StageCounts;
  readonly publishers: ReadonlyMap<string, OutputPublisher>;
  /** Resolves when every message up to this one has been handled. */
  reached(sequence: number, signal: AbortSignal): Promise<void>;
  /** Resolves when everything handled so far is out: results, and what goes to other stages. */
  flushed(): Promise<void>;
  checkpoint(): Promise<void>;
  /** Why the last checkpoint could not be taken, or null. */
  readonly checkpointProblem: string | null;
  close(): Promise<void>;
  /** Sequence that it was restored at (0: from the beginning). */
  readonly restoredAt: number;
}

export interface StageArguments {
  readonly topology: BoundTopology;
  readonly names: TopologyNames;
  readonly part: StagePart;
  readonly streams: Streams;
  readonly checkpoints: CheckpointStore;
  readonly lookups: LookupAsker;
  readonly machineClock: Clock;
  readonly checkpointEveryMs?: number;
  readonly acceptLoss: ReadonlySet<string>;
  /** Where its state was cut for the number of partitions: nothing before it is its own. */
  readonly cutAt?: number;
  /** No message is handled before. */
  readonly held?: Promise<void>;
  /** The first stage has come to the mark of a change, and handles nothing more before this resolves. */
  onVersion(id: string, sequence: number): Promise<void>;
  readonly logger: Logger;
  readonly crashPoints: CrashPoints;
  onFailure(error: unknown): void;
}

export async function startStageRunner(args: StageArguments): Promise<StageRunner> {
  const { topology, part, streams, crashPoints } = args;
  const stage = stageName(part.stage);
  const publishers = await openPublishers(args);
  const exchanges = await openExchangePublishers(args);
  const machine = new StageMachine(
    topology,
    {
      row: (output, row) => void publishers.get(output)?.add(row),
      question: (question) => args.lookups.ask(question),
      exchange: {
        row: (to, partition, row) => exchanges.get(laneName(to, partition))?.row(row),
        watermark: (to, partition, mark) => exchanges.get(laneName(to, partition))?.watermark(mark),
      },
    },
    part,
  );
  const head = { ...headOf(topology, part), ...(args.cutAt !== undefined && { cutAt: args.cutAt }) };
  const restoredAt = await restoreStage(machine, { ...args, stage, publishers, exchanges });
  const counts: StageCounts = {
    messages: 0,
    events: 0,
    bytes: 0,
    checkpoints: 0,
    checkpointBytes: 0,
    busyMs: 0,
    backpressuredMs: 0,
  };
  const stop = new AbortController();
  const closed = new Promise<void>((resolve) => {
    stop.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const schemas = new Map(topology.sources.map((source) => [source.id, source.bound.ports.out as Schema]));
  const exchangeSchemas = new Map(exchangesIn(part).map(({ id, schema }) => [id, schema]));
  const merge = new ExchangeMerge([...lanesInto(part).keys()], {
    handled: restoredAt.sequence,
    position: restoredAt.readFrom,
  });
  const waiters = new Set<() => void>();
  let savedAt = restoredAt.sequence;
  let saving: Promise<void> | undefined;
  let met: string | undefined;
  let broken = false;
  let failure: unknown;
  let checkpointProblem: string | null = null;

  function handle(message: LogMessage): void {
    const token = message.subject.split('.').at(-2) ?? '';
    const { node } = parseEdgeToken(token);
    const frame = decodeInputFrame(message.payload, schemas.get(node) ?? { fields: {} });
    crashPoints.at('stage.before-handle');
    if (frame.kind === 'source' && !schemas.has(node) && !args.acceptLoss.has(node))
      throw executionErrors.make('MACH3222', { source: node });
    machine.handle(message.sequence, node, frame);
    completed();
    crashPoints.at('stage.after-handle');
    counts.messages++;
    counts.bytes += message.payload.length;
    if (frame.kind === 'source') counts.events += frame.events.length;
    if (frame.kind === 'version') met = frame.id;
    for (const wake of [...waiters]) wake();
  }

  function completed(): void {
    for (const exchange of exchanges.values()) exchange.completed(machine.sequence);
  }

  async function relieve(): Promise<void> {
    let waiting = 0;
    for (const publisher of publishers.values()) waiting += publisher.waiting;
    for (const exchange of exchanges.values()) waiting += exchange.waiting;
    if (waiting < limits.outputWaitingRowsMax) return;
    const began = wallTime();
    await flushed();
    counts.backpressuredMs += wallTime() - began;
  }

  async function flushed(): Promise<void> {
    for (const publisher of publishers.values()) await publisher.flushed();
    for (const exchange of exchanges.values()) await exchange.flushed();
  }

  function handleExchanged(message: LogMessage): void {
    const [fromStage, fromPartition] = message.subject.split('.').slice(-4);
    const frame = decodeExchangeFrame(message.payload, (id) => exchangeSchemas.get(id) ?? { fields: {} });
    merge.push(message.sequence, `${fromStage}/${fromPartition}`, frame);
    crashPoints.at('stage.before-handle');
    for (let step = merge.next(); step; step = merge.next()) {
      machine.handleExchanged(step);
      for (const { rows } of step.waves) counts.events += rows.length;
    }
    machine.comeThrough(merge.through);
    completed();
    crashPoints.at('stage.after-handle');
    counts.messages++;
    counts.bytes += message.payload.length;
    for (const wake of [...waiters]) wake();
  }

  function messages(): AsyncIterable<LogMessage> {
    const reading = { signal: stop.signal, readAheadMessages: limits.readAheadMessagesMax };
    // The first stage reads the whole stream, unfiltered: so a message that is gone from its middle is noticed.
    if (part.stage === 1) return streams.input.read({ ...reading, fromSequence: machine.sequence + 1 });
    const subjects = [args.names.exchangeSubjectInto(stage, part.partition)];
    return (streams.exchange as LogStream).read({ ...reading, fromSequence: restoredAt.readFrom, subjects });
  }

  /** What is waited for may never come: another version goes on. */
  function orClosed(waited: Promise<void> | undefined): Promise<void> {
    return waited ? Promise.race([waited, closed]) : Promise.resolve();
  }

  async function run(): Promise<void> {
    await orClosed(args.held);
    if (stop.signal.aborted) return;
    await restoredAt.settle();
    let sliceBegan = wallTime();
    for await (const message of messages()) {
      const began = wallTime();
      if (part.stage === 1) handle(message);
      else handleExchanged(message);
      const now = wallTime();
      counts.busyMs += now - began;
      await relieve();
      if (met !== undefined) {
        await orClosed(args.onVersion(met, machine.sequence));
        met = undefined;
        if (stop.signal.aborted) return;
      }
      // A backlog must not keep the event loop from its sockets.
      if (now - sliceBegan > limits.stageSliceMs) {
        await new Promise<void>((resolve) => setImmediate(resolve));
        sliceBegan = wallTime();
      }
    }
  }

  function checkpoint(): Promise<void> {
    saving ??= save().finally(() => {
      saving = undefined;
    });
    return saving;
  }

  async function save(): Promise<void> {
    const { sequence } = machine;
    if (sequence === savedAt || broken) return;
    // The state is copied here, between two messages; the outputs that it has produced must be out before it may count.
    const encoded = args.checkpoints.encode({
      head: { ...head, sequence, ...(part.stage === 1 ? {} : { readFrom: merge.readFrom }) },
      snapshot: machine.snapshot(),
    });
    await flushed();
    await args.checkpoints.put(sequence, encoded);
    savedAt = sequence;
    counts.checkpoints++;
    counts.checkpointBytes = encoded.length;
  }

  function scheduleCheckpoints(): void {
    args.machineClock.after(args.checkpointEveryMs ?? limits.checkpointEveryMs, () => {
      if (stop.signal.aborted) return;
      void checkpoint()
        .then(
          () => {
            checkpointProblem = null;
          },
          (error) => {
            if (error instanceof SimulatedCrash) return args.onFailure(error);
            // The one before it still holds: only the replay after a restart grows.
            checkpointProblem = messageOf(error);
            args.logger.error({ stage, error: checkpointProblem }, 'no checkpoint could be taken');
          },
        )
        .finally(scheduleCheckpoints);
    });
  }

  const finished = run().catch((error) => {
    // Half a message may have been handled: this state must never be saved.
    broken = true;
    failure = error;
    for (const wake of [...waiters]) wake();
    args.onFailure(error);
  });
  scheduleCheckpoints();

  return {
    machine,
    counts,
    publishers,
    restoredAt: restoredAt.sequence,
    flushed,
    async reached(sequence, signal) {
      while (machine.sequence < sequence && !signal.aborted) {
        if (broken) throw failure;
        await woken(waiters, signal);
      }
    },
    checkpoint,
    get checkpointProblem() {
      return checkpointProblem;
    },
    async close() {
      stop.abort(new Error('closing'));
      await finished;
      await saving?.catch(() => undefined);
    },
  };
}
