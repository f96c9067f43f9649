/** Runs a stage: restores it, reads its log, publishes its outputs, and takes checkpoints. */
import type { LogMessage, LogStream } from '../bus/log.ts';
import { type Clock, wallTime } from '../clock.ts';
import { MachError, messageOf } from '../errors.ts';
import { type CrashPoints, SimulatedCrash } from '../faults.ts';
import { limits } from '../limits.ts';
import type { Logger } from '../stream/definition.ts';
import type { Schema } from '../stream/schema.ts';
import type { BoundTopology } from '../topology/bound.ts';
import { parseEdgeToken, type TopologyNames } from '../topology/names.ts';
import type { CheckpointStore } from './checkpoint.ts';
import { deadLetterSchema } from './dead-letter.ts';
import { executionErrors } from './errors.ts';
import { changedNodes, deepFingerprintsOf, fingerprintsOf } from './fingerprint.ts';
import { decodeInputFrame } from './log-frame.ts';
import type { LookupAsker } from './lookup-asker.ts';
import { type OutputPublisher, openOutputPublisher } from './output-publisher.ts';
import { deadLetterOutput, StageMachine } from './stage-machine.ts';
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
  readonly stage: string;
  readonly partition: number;
  readonly input: LogStream;
  readonly output: LogStream;
  readonly deadLetters: LogStream;
  readonly checkpoints: CheckpointStore;
  readonly lookups: LookupAsker;
  readonly machineClock: Clock;
  readonly checkpointEveryMs?: number;
  readonly acceptLoss: ReadonlySet<string>;
  readonly logger: Logger;
  readonly crashPoints: CrashPoints;
  onFailure(error: unknown): void;
}

export async function startStageRunner(args: StageArguments): Promise<StageRunner> {
  const { topology, stage, input, crashPoints } = args;
  const publishers = await openPublishers(args);
  const machine = new StageMachine(topology, {
    row: (output, row) => void publishers.get(output)?.add(row),
    question: (question) => args.lookups.ask(question),
  });
  const fingerprints = fingerprintsOf(topology);
  const deepFingerprints = deepFingerprintsOf(topology);
  const restoredAt = await restore(machine, { ...args, publishers, fingerprints });
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
  const schemas = new Map(topology.sources.map((source) => [source.id, source.bound.ports.out as Schema]));
  const waiters = new Set<() => void>();
  let savedAt = restoredAt;
  let saving: Promise<void> | undefined;
  let broken = false;
  let checkpointProblem: string | null = null;

  function handle(message: LogMessage): void {
    const token = message.subject.split('.').at(-2) ?? '';
    const { node } = parseEdgeToken(token);
    const frame = decodeInputFrame(message.payload, schemas.get(node) ?? { fields: {} });
    crashPoints.at('stage.before-handle');
    machine.handle(message.sequence, node, frame);
    crashPoints.at('stage.after-handle');
    counts.messages++;
    counts.bytes += message.payload.length;
    if (frame.kind === 'source') counts.events += frame.events.length;
    for (const wake of [...waiters]) wake();
  }

  async function relieve(): Promise<void> {
    let waiting = 0;
    for (const publisher of publishers.values()) waiting += publisher.waiting;
    if (waiting < limits.outputWaitingRowsMax) return;
    const began = wallTime();
    await flushed();
    counts.backpressuredMs += wallTime() - began;
  }

  async function flushed(): Promise<void> {
    for (const publisher of publishers.values()) await publisher.flushed();
  }

  async function run(): Promise<void> {
    // The only partition reads the whole stream, unfiltered: so a message that is gone from its middle is noticed.
    const messages = input.read({
      fromSequence: machine.sequence + 1,
      signal: stop.signal,
      readAheadMessages: limits.readAheadMessagesMax,
    });
    let sliceBegan = wallTime();
    for await (const message of messages) {
      const began = wallTime();
      handle(message);
      const now = wallTime();
      counts.busyMs += now - began;
      await relieve();
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
      head: {
        topology: topology.name,
        hash: topology.hash,
        fingerprints,
        deepFingerprints,
        sequence,
        node: process.version,
      },
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
    args.onFailure(error);
  });
  scheduleCheckpoints();

  return {
    machine,
    counts,
    publishers,
    restoredAt,
    async reached(sequence, signal) {
      while (machine.sequence < sequence && !signal.aborted) await woken(waiters, signal);
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

async function openPublishers(args: StageArguments): Promise<Map<string, OutputPublisher>> {
  const { topology, names, stage, partition, output, deadLetters, machineClock: clock, crashPoints } = args;
  const onFailure = (error: unknown) => {
    const fenced = error instanceof MachError && error.code === 'MACH3001';
    args.onFailure(
      fenced ? executionErrors.make('MACH3203', { stage, partition, reason: error.message }, error) : error,
    );
  };
  const publishers = new Map<string, OutputPublisher>();
  for (const sink of topology.sinks) {
    const subject = names.outputSubject(stage, sink.id, partition);
    const schema = sink.inputs[0]?.schema ?? { fields: {} };
    publishers.set(
      sink.id,
      await openOutputPublisher({ stream: output, subject, schema, clock, crashPoints, onFailure }),
    );
  }
  const subject = names.deadLetterSubject(`${stage}-${partition}`);
  publishers.set(
    deadLetterOutput,
    await openOutputPublisher({
      stream: deadLetters,
      subject,
      schema: deadLetterSchema,
      clock,
      crashPoints,
      onFailure,
    }),
  );
  return publishers;
}

/** Brings the machine to the newest checkpoint, or refuses what would lose something without a word. */
async function restore(
  machine: StageMachine,
  args: StageArguments & {
    publishers: ReadonlyMap<string, OutputPublisher>;
    fingerprints: Readonly<Record<string, string>>;
  },
): Promise<number> {
  const { topology, stage, acceptLoss, logger, fingerprints, publishers } = args;
  const checkpoint = await args.checkpoints.load();
  const { lastSequence } = await args.input.state();
  const made = Math.max(
    checkpoint?.head.sequence ?? 0,
    ...[...publishers.values()].map((publisher) => publisher.knownSequence),
  );
  const isAnotherLog = made > lastSequence;
  if (isAnotherLog && !acceptLoss.has('log')) {
    throw executionErrors.make('MACH3207', { stage, last: lastSequence, sequence: made });
  }
  if (isAnotherLog) for (const publisher of publishers.values()) publisher.forgetKnown();
  if (!checkpoint) return 0;
  const { head, snapshot } = checkpoint;
  const changed = changedNodes(head.fingerprints, fingerprints);
  const refused = changed.filter((node) => !acceptLoss.has(node));
  if (refused.length > 0) throw executionErrors.make('MACH3205', { nodes: refused.join(', ') });
  const sequence = isAnotherLog ? 0 : head.sequence;
  machine.restore({ ...snapshot, sequence }, new Set(changed));
  if (isAnotherLog) {
    // The old ones must not come up again once the new log is as long as the old one was.
    const encoded = args.checkpoints.encode({
      head: { ...head, hash: topology.hash, fingerprints, deepFingerprints: deepFingerprintsOf(topology), sequence },
      snapshot: machine.snapshot(),
    });
    await args.checkpoints.replaceAll(sequence, encoded);
  }
  logger.info({ stage, sequence, behind: lastSequence - sequence }, 'stage restored');
  return sequence;
}
