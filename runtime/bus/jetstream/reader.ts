/**
 * Reads a stream from a position, for ever: over breaks of the connection, restarts of the broker, lost consumers. It
 * decides by stream sequences alone where it stands, and checks on every new beginning that the stream is still the one
 * that it was reading.
 */
import { JetStreamApiError, type StreamInfo } from '@nats-io/jetstream';
import { messageOf } from '../../errors.ts';
import { limits } from '../../limits.ts';
import { logErrors } from '../errors.ts';
import type { LogMessage, ReadOptions, StreamSpec } from '../log.ts';
import { type Connection, isTransient } from './connection.ts';
import type { DeliveredMessage } from './message.ts';
import { openPullSession, type PullSession } from './pull-session.ts';
import { findStream, streamNotFound } from './stream-config.ts';

export interface ReaderContext {
  readonly connection: Connection;
  readonly spec: StreamSpec;
  /** When the stream was made; another one under its name was made at another time. */
  readonly created: string;
}

interface Position {
  /** Sequence of the next message wanted. */
  next: number;
  /** The last one handed on, to know the stream again. */
  last: { readonly sequence: number; readonly storedAt: number } | undefined;
}

const isStreamNotFound = (error: unknown) => error instanceof JetStreamApiError && error.code === streamNotFound;

/** Rejects with MACH3005 or MACH3006 when the stream cannot be read on from here. */
async function verifyStream(context: ReaderContext, position: Position, signal: AbortSignal): Promise<void> {
  const { connection, spec, created } = context;
  const stream = spec.name;
  const info = await connection.persist(() => findStream(connection, stream), {
    signal,
    deadlineMs: Number.POSITIVE_INFINITY,
  });
  const notTheSame = (reason: string) => logErrors.make('MACH3006', { stream, reason });
  if (!info) throw notTheSame('it does not exist any more');
  if (info.created !== created) throw notTheSame(`it was made again at ${info.created}`);
  const { last_seq: lastSequence } = info.state;
  if (position.next > lastSequence + 1) {
    throw notTheSame(`its last message is ${lastSequence}, the position to read from is ${position.next}`);
  }
  verifyKept(context, info, position.next);
  const { last } = position;
  if (!last) return;
  const stored = await connection.persist(() => connection.manager.streams.getMessage(stream, { seq: last.sequence }), {
    signal,
    deadlineMs: Number.POSITIVE_INFINITY,
  });
  if (stored && Math.abs(stored.time.getTime() - last.storedAt) > 1) {
    throw notTheSame(`its message ${last.sequence} is not the one that was read`);
  }
}

function verifyKept({ spec }: ReaderContext, info: StreamInfo, next: number): void {
  const { first_seq: firstSequence } = info.state;
  // Where only the newest of a subject is kept, missing sequences are how it should be.
  if (spec.latestOnly || firstSequence <= next) return;
  throw logErrors.make('MACH3005', { stream: spec.name, from: next, to: firstSequence - 1, firstSequence });
}

async function openSession(
  context: ReaderContext,
  options: ReadOptions,
  position: Position,
  signal: AbortSignal,
): Promise<PullSession> {
  const { connection, spec } = context;
  for (;;) {
    await verifyStream(context, position, signal);
    try {
      return await openPullSession({
        connection,
        stream: spec.name,
        fromSequence: position.next,
        subjects: options.subjects,
        readAheadMessages: options.readAheadMessages ?? limits.readAheadMessagesMax,
      });
    } catch (error) {
      if (connection.nats.isClosed()) throw logErrors.make('MACH3015', {}, error);
      if (!isTransient(error) && !isStreamNotFound(error)) {
        throw logErrors.make('MACH3016', { what: `reading of stream ${spec.name}`, reason: messageOf(error) }, error);
      }
      await connection.clock.sleep(limits.appendRetryDelayMs, signal);
    }
  }
}

/**
 * A message came that is not the next sequence. Without a filter something is missing. With one, other subjects lie in
 * between, unless the stream has dropped what was not read yet: the look at its oldest message holds for all that had
 * arrived before it.
 */
async function verifyJump(
  context: ReaderContext,
  message: LogMessage,
  next: number,
  { filtered, signal }: { filtered: boolean; signal: AbortSignal },
): Promise<void> {
  const { connection, spec } = context;
  const info = await connection.persist(() => findStream(connection, spec.name), {
    signal,
    deadlineMs: Number.POSITIVE_INFINITY,
  });
  if (!info) throw logErrors.make('MACH3006', { stream: spec.name, reason: 'it does not exist any more' });
  verifyKept(context, info, next);
  if (filtered) return;
  const { first_seq: firstSequence } = info.state;
  throw logErrors.make('MACH3005', { stream: spec.name, from: next, to: message.sequence - 1, firstSequence });
}

export async function* readStream(
  context: ReaderContext,
  options: ReadOptions,
): AsyncGenerator<LogMessage, void, void> {
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const position: Position = { next: Math.max(1, options.fromSequence), last: undefined };
  try {
    while (!signal.aborted) yield* readSession(context, options, position, signal);
  } catch (error) {
    if (options.signal?.aborted) return;
    throw error;
  } finally {
    stop.abort();
  }
}

async function* readSession(
  context: ReaderContext,
  options: ReadOptions,
  position: Position,
  signal: AbortSignal,
): AsyncGenerator<LogMessage, void, void> {
  const session = await openSession(context, options, position, signal);
  const onAbort = () => session.end('aborted');
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  const filtered = options.subjects !== undefined;
  let handedOn = 0;
  let verifiedArrivals = 0;
  try {
    for (let message = await session.next(); message && !signal.aborted; message = await session.next()) {
      handedOn++;
      const isVerified = handedOn <= verifiedArrivals || context.spec.latestOnly;
      if (message.sequence !== position.next && !isVerified && !followsLast(message, options, position)) {
        const { arrived } = session;
        await verifyJump(context, message, position.next, { filtered, signal });
        verifiedArrivals = arrived;
      }
      advance(position, message);
      yield message;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    session.end('the reader has stopped');
  }
  if (context.connection.nats.isClosed() && !signal.aborted) throw logErrors.make('MACH3015');
}

/** The fence of an append says which message of its subject came before: with one subject that is proof enough. */
function followsLast(message: DeliveredMessage, { subjects }: ReadOptions, { last }: Position): boolean {
  const [only, ...others] = subjects ?? [];
  if (only !== message.subject || others.length > 0) return false;
  return last !== undefined && message.previousOfSubject === last.sequence;
}

function advance(position: Position, { sequence, storedAt }: DeliveredMessage): void {
  position.next = sequence + 1;
  position.last = { sequence, storedAt };
}
