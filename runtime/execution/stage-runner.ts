/** Runs a stage: restores it, reads its log, publishes its outputs, and takes checkpoints. */
import { type LogMessage, type LogStream, lengthOf } from '../bus/log.ts';
import { type Clock, type Timer, wallTime } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { type CrashPoints, SimulatedCrash } from '../faults.ts';
import { limits } from '../limits.ts';
import type { Logger } from '../stream/definition.ts';
import type { Schema } from '../stream/schema.ts';
import type { BoundTopology } from '../topology/bound.ts';
import { parseEdgeToken, stageName, type TopologyNames } from '../topology/names.ts';
import type { CheckpointStore } from './checkpoint.ts';
import { headOf } from './checkpoint-head.ts';
import { CheckpointRoom } from './checkpoint-room.ts';
import { executionErrors } from './errors.ts';
import { decodeExchangeFrame } from './exchange/exchange-frame.ts';
import { ExchangeMerge } from './exchange/exchange-merge.ts';
import { endsOf, type Lane, readLanes } from './exchange/lane-readers.ts';
import { inputFrameOf } from './handed-on.ts';
import type { HeapRoom } from './heap-room.ts';
import type { LogBeginning } from './log-beginning.ts';
import type { LookupAsker } from './lookup-asker.ts';
import type { OutputPublisher } from './output-publisher.ts';
import { StageMachine } from './stage-machine.ts';
import { exchangesIn, laneName, laneSubject, lanesFrom, type StagePart } from './stage-part.ts';
import { openExchangePublishers, openPublishers } from './stage-publishers.ts';
import { beginningHead, restoreStage } from './stage-restore.ts';
import type { Streams } from './streams.ts';
import { woken } from './woken.ts';

const noFields: Schema = { fields: {} };

export interface StageCounts {
  messages: number;
  events: number;
  bytes: number;
  checkpoints: number;
  checkpointBytes: number;
  busyMs: number;
  /** Time spent waiting for outputs to be published, and for room in the heap. */
  backpressuredMs: number;
}

export interface StageRunner {
  readonly machine: StageMachine;
  readonly counts: StageCounts;
  /** Of a later stage: rows and watermarks of lanes that wait for slower ones. */
  readonly waiting: number;
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
  readonly heap: HeapRoom;
  readonly beginning: LogBeginning;
  /** Where its state was cut for the number of partitions: nothing before it is its own. */
  readonly cutAt?: number;
  /** Stages that had a state to cut; absent: all of them. */
  readonly cutStages?: readonly string[];
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
      rows: (output, run) => publishers.get(output)?.add(run),
      question: (question) => args.lookups.ask(question),
      exchange: {
        row: (to, partition, row) => exchanges.get(laneName(to, partition))?.row(row),
        watermark: (to, partition, mark) => exchanges.get(laneName(to, partition))?.watermark(mark),
      },
    },
    part,
  );
  const head = {
    ...headOf(topology, part),
    ...beginningHead(args.beginning),
    ...(args.cutAt !== undefined && { cutAt: args.cutAt }),
  };
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
  const merge = new ExchangeMerge(
    lanesFrom(part).map(({ stage: from, partition }) => laneName(from, partition)),
    {
      handled: restoredAt.sequence,
      position: restoredAt.readFrom,
    },
  );
  const lanes = lanesFrom(part).map(
    (from): Lane => ({
      name: laneName(from.stage, from.partition),
      subject: laneSubject(args.names, from, part),
    }),
  );
  const waiters = new Set<() => void>();
  let savedAt = restoredAt.sequence;
  let saving: Promise<void> | undefined;
  let met: string | undefined;
  let broken = false;
  let failure: unknown;
  let checkpointProblem: string | null = null;
  const checkpointRoom = new CheckpointRoom(args.heap, () => machine.stateKeys);
  let checkpointTimer: Timer | undefined;

  function handle(message: LogMessage): void {
    const token = message.subject.split('.').at(-2) ?? '';
    const { node } = parseEdgeToken(token);
    const frame = inputFrameOf(message, schemas.get(node) ?? noFields);
    crashPoints.at('stage.before-handle');
    if (frame.kind === 'source' && !schemas.has(node) && !args.acceptLoss.has(node))
      throw executionErrors.make('MACH3222', { source: node });
    machine.handle(message.sequence, node, frame);
    completed();
    crashPoints.at('stage.after-handle');
    counts.messages++;
    counts.bytes += lengthOf(message);
    if (frame.kind === 'source') counts.events += frame.times.length;
    if (frame.kind === 'version') met = frame.id;
    for (const wake of [...waiters]) wake();
  }

  function completed(): void {
    for (const exchange of exchanges.values()) exchange.completed(machine.sequence);
  }

  async function relieve(): Promise<void> {
    if (waitingRows() < limits.outputWaitingRowsMax && args.heap.state !== 'full') return;
    const began = wallTime();
    while (waitingRows() > limits.outputGoesOnRowsMax) await makeRoom();
    await args.heap.whenRoom(stop.signal);
    counts.backpressuredMs += wallTime() - began;
  }

  function waitingRows(): number {
    let waiting = 0;
    for (const publisher of publishers.values()) waiting += publisher.waiting;
    for (const exchange of exchanges.values()) waiting += exchange.waiting;
    return waiting;
  }

  /** For one message more. */
  async function makeRoom(): Promise<void> {
    const [fullest] = [...publishers.values()].sort((one, other) => other.waiting - one.waiting);
    const leaving = (fullest?.waiting ?? 0) - limits.outputFlushEventsMax;
    await (fullest && leaving > 0 ? fullest.flushed(leaving) : flushed());
  }

  async function flushed(): Promise<void> {
    for (const publisher of publishers.values()) await publisher.flushed();
    for (const exchange of exchanges.values()) await exchange.flushed();
  }

  function handleExchanged(lane: string, message: LogMessage): void {
    const frame = decodeExchangeFrame(message.payload, (id) => exchangeSchemas.get(id) ?? noFields);
    const { beginning = 0 } = frame;
    const { number } = args.beginning;
    // What was passed on of a log before that is lost; one that goes on with it finds out by what is passed on of this one.
    if (beginning < number) return;
    if (beginning > number) throw executionErrors.make('MACH3218', { stage, partition: part.partition });
    merge.push(message.sequence, lane, frame, message.payload.length);
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

  let sliceBegan = wallTime();

  async function within(work: () => void): Promise<void> {
    if (broken) return;
    const began = wallTime();
    try {
      work();
    } catch (error) {
      // Half a message may have been handled: this state must never be saved, and no other lane may go on with it.
      broken = true;
      throw error;
    }
    const now = wallTime();
    counts.busyMs += now - began;
    await relieve();
    // A backlog must not keep the event loop from its sockets.
    if (now - sliceBegan > limits.stageSliceMs) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      sliceBegan = wallTime();
    }
  }

  /** What is waited for may never come: another version goes on. */
  function orClosed(waited: Promise<void> | undefined): Promise<void> {
    return waited ? Promise.race([waited, closed]) : Promise.resolve();
  }

  async function run(): Promise<void> {
    await orClosed(args.held);
    if (stop.signal.aborted) return;
    await restoredAt.settle();
    // A later stage that begins with this version, or with this number of partitions, would else hear of it with the next message only.
    completed();
    const { signal } = stop;
    sliceBegan = wallTime();
    if (part.stage !== 1) {
      const stream = streams.exchange as LogStream;
      const handleOf = (lane: string, message: LogMessage) => within(() => handleExchanged(lane, message));
      await readLanes({ stream, lanes, fromSequence: restoredAt.readFrom, merge, handle: handleOf, signal });
      return;
    }
    // The whole stream, unfiltered: so a message that is gone from its middle is noticed.
    const reading = { signal, readAheadMessages: limits.readAheadMessagesMax, fromSequence: machine.sequence + 1 };
    for await (const message of streams.input.read(reading)) {
      await within(() => handle(message));
      if (met === undefined) continue;
      await orClosed(args.onVersion(met, machine.sequence));
      met = undefined;
      if (signal.aborted) return;
    }
  }

  function checkpoint(): Promise<void> {
    saving ??= save().finally(() => {
      saving = undefined;
    });
    return saving;
  }

  async function save(): Promise<void> {
    if (machine.sequence === savedAt || broken) return;
    args.heap.look();
    if (args.heap.state === 'full') throw executionErrors.make('MACH3255', { stage });
    const ends = part.stage !== 1 ? await endsOf(streams.exchange as LogStream, lanes) : undefined;
    if (broken) return;
    const { sequence } = machine;
    // The state is copied here, between two messages; the outputs that it has produced must be out before it may count.
    const encoded = checkpointRoom.copy(() =>
      args.checkpoints.encode({
        head: { ...head, sequence, ...(ends && { readFrom: merge.readFrom(ends) }) },
        snapshot: machine.snapshot(),
      }),
    );
    await flushed();
    await args.checkpoints.put(sequence, encoded);
    savedAt = sequence;
    counts.checkpoints++;
    counts.checkpointBytes = encoded.length;
  }

  function scheduleCheckpoints(): void {
    if (stop.signal.aborted) return;
    checkpointTimer = args.machineClock.after(args.checkpointEveryMs ?? limits.checkpointEveryMs, () => {
      if (stop.signal.aborted) return;
      args.heap.look();
      // The engine tells of it (MACH3254); the checkpoint before still holds.
      if (args.heap.state === 'full') return scheduleCheckpoints();
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
    broken = true;
    failure = error;
    for (const wake of [...waiters]) wake();
    args.onFailure(error);
  });
  scheduleCheckpoints();

  return {
    machine,
    counts,
    get waiting() {
      return merge.waiting;
    },
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
      checkpointRoom.close();
      checkpointTimer?.cancel();
      await finished;
      await saving?.catch(() => undefined);
    },
  };
}
