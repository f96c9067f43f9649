/**
 * The past of a topology, read from its log: a stage machine as it stood before any message, and the messages from there. A replay and
 * an answer to "why" both stand on it. Nothing here writes: not to the log, not to a store.
 *
 * It always runs as one partition over the input stream, however many the topology itself runs with.
 */
import type { LogMessage, LogStream, ObjectStore } from '../../bus/log.ts';
import { isUnanswered } from '../../bus/unanswered.ts';
import { wallTime } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { Logger } from '../../stream/definition.ts';
import type { Schema } from '../../stream/schema.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { parseEdgeToken, stageName, type TopologyNames } from '../../topology/names.ts';
import { type Checkpoint, decodeCheckpoint, listCheckpoints } from '../checkpoint.ts';
import type { OutputRow } from '../log-frame.ts';
import { decodeInputFrame, type InputFrame, timeOfInput } from '../log-frame.ts';
import type { LookupQuestion } from '../lookup.ts';
import { rowByRow } from '../output-run.ts';
import { readSchemaBook } from '../schema-book.ts';
import { StageMachine } from '../stage-machine.ts';
import { adoptSnapshot } from '../upgrade/adopt.ts';
import { replayErrors } from './errors.ts';
import { fitsTopology } from './fit.ts';

/** A message of the input stream, decoded with the schema of the source that it came from. */
export interface PastMessage {
  readonly sequence: number;
  /** The source; of answers, the look-up node that had asked. */
  readonly node: string;
  readonly frame: InputFrame;
  readonly message: LogMessage;
}

/** What the machine gives while someone listens. */
export interface PastListener {
  row?(output: string, row: OutputRow): void;
  question?(question: LookupQuestion): void;
}

export interface PastMachine {
  readonly machine: StageMachine;
  /** Input sequence that it has handled last; `handle` wants later ones, in order. */
  readonly sequence: number;
  /** The checkpoint that it was restored from; undefined where the log was read from its beginning. */
  readonly restored: { readonly name: string; readonly sequence: number } | undefined;
  /** Messages at the beginning that the log no longer has, and no checkpoint stood for: its state does not know of them. */
  readonly missing: number;
  /** Rows and questions go to this listener from now on; before the first call nobody hears them. */
  listen(listener: PastListener): void;
  handle(message: PastMessage): void;
}

export interface MachineOptions {
  readonly signal?: AbortSignal;
  /** False: from the beginning of the log, whatever checkpoints there are. */
  readonly useCheckpoints?: boolean;
  /** Called after each message on the way there, and before the first of them without one. */
  readonly onMessage?: (message: PastMessage | undefined, machine: StageMachine) => void | Promise<void>;
  /** Another frame in place of one on the way there, or undefined to pass it over. */
  readonly adapt?: (message: PastMessage) => InputFrame | undefined | Promise<InputFrame | undefined>;
  /** Hears rows and questions on the way there too. */
  readonly listener?: PastListener;
}

export interface Past {
  /** Oldest sequence that the log has. */
  readonly first: number;
  /** Newest one, when this was opened. */
  readonly last: number;
  /** A machine in the state just before an input sequence. */
  machineBefore(sequence: number, options?: MachineOptions): Promise<PastMachine>;
  /** Decoded messages from one sequence through another (default: the newest when this was opened), in order. */
  messages(from: number, options?: { until?: number; signal?: AbortSignal }): AsyncIterable<PastMessage>;
  message(sequence: number): Promise<PastMessage | undefined>;
  /** The first message that was accepted at this time (engine time, ms since the epoch) or later; `last + 1` when there is none. */
  sequenceAt(time: number): Promise<number>;
}

export interface PastOptions {
  readonly log: { find(name: string): Promise<LogStream | undefined> };
  /** What the machines run. */
  readonly topology: BoundTopology;
  /** The topology that wrote the log, by whose schemas it is decoded, where that is another one. */
  readonly writtenBy?: BoundTopology;
  readonly names: TopologyNames;
  /** The bucket of checkpoints. */
  readonly objects: ObjectStore;
  readonly logger?: Logger;
}

const stage = stageName(1);

/** Rejects with MACH3230 when the topology has no log here. */
export async function openPast(options: PastOptions): Promise<Past> {
  const { log, topology, writtenBy = topology, names } = options;
  const name = names.inputStream(stage);
  const input = await log.find(name);
  if (!input) {
    const reason = `no stream ${name}; has the topology ever run here?`;
    throw replayErrors.make('MACH3230', { topology: writtenBy.name, reason });
  }
  await readSchemaBook(options.objects);
  const { firstSequence: first, lastSequence: last } = await input.state();
  const schemas = new Map(writtenBy.sources.map((source) => [source.id, source.bound.ports.out as Schema]));

  function decode(message: LogMessage): PastMessage {
    const { node } = parseEdgeToken(message.subject.split('.').at(-2) ?? '');
    const frame = decodeInputFrame(message.payload, schemas.get(node) ?? { fields: {} });
    return { sequence: message.sequence, node, frame, message };
  }

  async function* messages(
    from: number,
    { until = last, signal }: { until?: number; signal?: AbortSignal } = {},
  ): AsyncGenerator<PastMessage, void, void> {
    if (from > until) return;
    if (from < first || until > last) {
      const has = last === 0 ? 'nothing' : `${first} to ${last}`;
      throw replayErrors.make('MACH3231', { topology: writtenBy.name, wanted: from < first ? from : until, has });
    }
    const reading = new AbortController();
    const either = signal ? AbortSignal.any([signal, reading.signal]) : reading.signal;
    let sliceBegan = wallTime();
    try {
      const options = { fromSequence: from, signal: either, readAheadMessages: limits.readAheadMessagesMax };
      for await (const message of (input as LogStream).read(options)) {
        if (message.sequence > until) return;
        yield decode(message);
        if (message.sequence === until) return;
        // The engine that runs beside this, in this process or on this machine, comes first.
        if (wallTime() - sliceBegan < limits.stageSliceMs) continue;
        await new Promise<void>((resolve) => setImmediate(resolve));
        sliceBegan = wallTime();
      }
      signal?.throwIfAborted();
    } finally {
      reading.abort();
    }
  }

  async function message(sequence: number): Promise<PastMessage | undefined> {
    const found = await (input as LogStream).get(sequence);
    return found && decode(found);
  }

  /** When it was accepted; answers and silences have no time of their own, so the next that has one counts. */
  async function timeFrom(sequence: number): Promise<{ time: number; sequence: number } | undefined> {
    for (let at = sequence; at <= last; at++) {
      const found = await (input as LogStream).get(at);
      const time = found && timeOfInput(found.payload);
      if (time !== undefined) return { time, sequence: at };
    }
    return undefined;
  }

  async function sequenceAt(time: number): Promise<number> {
    let low = first;
    let high = last + 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const found = await timeFrom(middle);
      if (found === undefined || found.sequence >= high || found.time >= time) high = middle;
      else low = found.sequence + 1;
    }
    return low;
  }

  async function machineBefore(sequence: number, options: MachineOptions = {}): Promise<PastMachine> {
    const { signal, useCheckpoints = true, onMessage, adapt } = options;
    let listener: PastListener = options.listener ?? {};
    const machine = new StageMachine(topology, {
      rows: rowByRow((output, row) => listener.row?.(output, row)),
      question: (question) => listener.question?.(question),
    });
    const checkpoint = useCheckpoints ? await newestBefore(sequence) : undefined;
    // Nodes without state that are new stand where time is on the edges that feed them.
    if (checkpoint) machine.restore(adoptSnapshot(checkpoint.snapshot, checkpoint.head, topology));
    let handled = checkpoint?.head.sequence ?? first - 1;
    await onMessage?.(undefined, machine);
    for await (const message of messages(handled + 1, {
      until: Math.min(sequence - 1, last),
      ...(signal && { signal }),
    })) {
      const adapted = adapt ? adapt(message) : message.frame;
      // Most need no promise, and a promise for each of a million messages costs as much as handling them.
      const frame = adapted instanceof Promise ? await adapted : adapted;
      if (frame) machine.handle(message.sequence, message.node, frame);
      handled = message.sequence;
      const done = onMessage?.(message, machine);
      if (done) await done;
    }
    return {
      machine,
      get sequence() {
        return handled;
      },
      restored: checkpoint && { name: checkpoint.name, sequence: checkpoint.head.sequence },
      missing: checkpoint ? 0 : first - 1,
      listen(next) {
        listener = next;
      },
      handle({ sequence: at, node, frame }) {
        machine.handle(at, node, frame);
        handled = at;
      },
    };
  }

  /** The newest checkpoint, kept, historic or named, that this topology can take and that the log goes on from. */
  async function newestBefore(sequence: number): Promise<(Checkpoint & { name: string }) | undefined> {
    const places = (await listCheckpoints(options.objects))
      .filter((place) => place.stage === stage && place.partition === 0)
      .filter((place) => place.sequence < sequence && place.sequence >= first - 1 && place.sequence <= last)
      .sort((a, b) => b.sequence - a.sequence);
    for (const { name } of places) {
      try {
        const data = await options.objects.get(name);
        const checkpoint = data && decodeCheckpoint(name, data);
        if (checkpoint && fitsTopology(checkpoint.head, { topology, writtenBy })) return { ...checkpoint, name };
      } catch (error) {
        if (isUnanswered(error)) throw error;
        options.logger?.warn({ checkpoint: name, error: messageOf(error) }, 'checkpoint passed over');
      }
    }
    return undefined;
  }

  return { first, last, machineBefore, messages, message, sequenceAt };
}
