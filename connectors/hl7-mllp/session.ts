/** One connection: frames in, appends, replies in the order of the messages. */
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { type AppendRequest, type MachError, messageOf, type SourceContext } from '../../runtime/stream/index.ts';
import { type DecodeOptions, deadLetterOf, decodeFrame, type Outcome } from './decode.ts';
import { hl7Errors } from './errors.ts';
import { type FramePiece, frameDecoder } from './framing.ts';
import { hl7Limits } from './limits.ts';
import { type Header, readHeader } from './message.ts';
import { replyQueue } from './replies.ts';

export interface SessionOptions {
  readonly decode: Omit<DecodeOptions, 'receivedAt'>;
  readonly messageBytesMax: number;
  readonly idleMs: number;
  /** Minutes east, for the times in replies. */
  readonly offsetMin: number;
  readonly countType: (type: string) => void;
  /** MSH-10 of a reply. */
  readonly nextId: () => string;
}

export interface Session {
  /** Reads no more, sends what is owed, closes. */
  drain(): Promise<void>;
  readonly closed: Promise<void>;
}

export function startSession(socket: Socket, context: SourceContext, options: SessionOptions): Session {
  const connection = socket.remoteAddress ?? 'unknown';
  const frames = frameDecoder({ messageBytesMax: options.messageBytesMax });
  const backlog: FramePiece[] = [];
  const replies = replyQueue({
    context,
    connection,
    offsetMin: options.offsetMin,
    nextId: options.nextId,
    send(bytes) {
      if (bytes.length > 0 && socket.writable) socket.write(bytes);
      advance();
    },
  });
  let reading = true;
  let ended = false;
  let closing = false;
  let messageTimer: NodeJS.Timeout | undefined;
  let lingerTimer: NodeJS.Timeout | undefined;

  socket.setNoDelay(true);
  socket.setKeepAlive(true, 60_000);
  socket.setTimeout(options.idleMs);

  function acceptOutcome(outcome: Outcome): void {
    const { bytes, header } = outcome;
    // The whole message is part of the identity: some senders use a control id more than once.
    const id = `${header?.fields[10] ?? ''}:${createHash('sha1').update(bytes).digest('base64url')}`;
    if (outcome.events) {
      const first = outcome.events[0]?.event;
      const origin = String(first?.hospital ?? connection);
      options.countType(`${first?.message_type}_${first?.trigger}`);
      replies.append({ origin, events: outcome.events, id }, header, bytes.length, { verdict: 'accepted' }, (failure) =>
        deadRequest(bytes, failure, { header, id }),
      );
      return;
    }
    keepDead(bytes, outcome.failure, { header, id, answer: true });
  }

  function deadRequest(
    bytes: Buffer,
    failure: MachError,
    { header, id }: { header: Header | undefined; id?: string },
  ): AppendRequest {
    const place = { connection, hospital: header?.fields[4] ?? null, message_id: header?.fields[10] ?? null };
    return {
      origin: originOf(header) ?? connection,
      events: [],
      deadLetters: [deadLetterOf(bytes, failure, place)],
      ...(id === undefined ? {} : { id }),
    };
  }

  function keepDead(
    bytes: Buffer,
    failure: MachError,
    { header, id, answer }: { header: Header | undefined; id?: string; answer: boolean },
  ): void {
    context.count('dead_letters_total', 1, { code: failure.code });
    const request = deadRequest(bytes, failure, { header, ...(id === undefined ? {} : { id }) });
    replies.append(request, header, bytes.length, answer ? { verdict: 'rejected', failure } : null);
  }

  function acceptPiece(piece: FramePiece): void {
    if (piece.kind === 'noise') {
      const failure = hl7Errors.make('MACH2002', { bytes: piece.bytes.length, connection });
      keepDead(piece.bytes, failure, { header: undefined, answer: false });
      if (piece.overflow) abandon();
      return;
    }
    if (piece.kind === 'oversized') {
      const failure = hl7Errors.make('MACH2003', { bytesMax: options.messageBytesMax });
      keepDead(piece.bytes, failure, { header: headerOf(piece.bytes), answer: true });
      return;
    }
    const last = piece.bytes.at(-1);
    const isWhole = piece.end === 'terminator' || (piece.end === 'start' && (last === 0x0d || last === 0x0a));
    if (!isWhole) {
      const reason = piece.end === 'start' ? 'the next frame began' : 'the connection was closed';
      const failure = hl7Errors.make('MACH2005', { reason, bytes: piece.bytes.length });
      // Nobody can answer on a connection that is closed.
      keepDead(piece.bytes, failure, { header: headerOf(piece.bytes), answer: piece.end === 'start' });
      return;
    }
    const outcomes = decodeFrame(piece.bytes, { ...options.decode, receivedAt: context.clock.now() });
    if (outcomes.length === 0) context.count('empty_frames_total', 1);
    for (const outcome of outcomes) acceptOutcome(outcome);
  }

  function isFull(): boolean {
    return (
      replies.owed >= hl7Limits.inFlightMessagesMax ||
      replies.owedBytes >= hl7Limits.inFlightBytesMax ||
      socket.writableLength >= hl7Limits.unsentReplyBytesMax
    );
  }

  /** Handles what has come as far as there is room, and lets the socket go on or holds it. */
  function advance(): void {
    while (!closing && backlog.length > 0 && !isFull()) {
      const piece = backlog.shift();
      if (piece) acceptPiece(piece);
    }
    const wantsToRead = !closing && backlog.length === 0 && !isFull();
    if (wantsToRead !== reading) {
      reading = wantsToRead;
      if (reading) socket.resume();
      else socket.pause();
    }
    watchMessage();
    if ((ended || closing) && replies.owed === 0 && (closing || backlog.length === 0)) finish();
  }

  /**
   * Ends our side. What the peer still sends is read and thrown away for a while: closing with unread bytes would reset the
   * connection, and the peer would lose the replies that it has not read yet.
   */
  function finish(): void {
    if (lingerTimer) return;
    socket.end();
    socket.resume();
    lingerTimer = setTimeout(() => socket.destroy(), hl7Limits.lingerMs);
  }

  /** A message must be complete in time; time in which we hold the sender back does not count. */
  function watchMessage(): void {
    const isWaiting = reading && !ended && frames.midMessage;
    if (isWaiting === (messageTimer !== undefined)) return;
    clearTimeout(messageTimer);
    messageTimer = isWaiting ? setTimeout(cutOff, hl7Limits.messageTimeoutMs) : undefined;
  }

  function cutOff(): void {
    messageTimer = undefined;
    const bytes = Buffer.concat(frames.end().map((piece) => piece.bytes));
    const failure = hl7Errors.make('MACH2004', { timeoutMs: hl7Limits.messageTimeoutMs, bytes: bytes.length });
    keepDead(bytes, failure, { header: headerOf(bytes), answer: false });
    abandon();
  }

  /** Takes in nothing more; what is owed is still sent. */
  function abandon(): void {
    closing = true;
    advance();
  }

  socket.on('data', (chunk: Buffer) => {
    if (closing) return;
    // Progress of whole messages begins the time anew.
    const pieces = frames.push(chunk);
    if (pieces.length > 0) {
      clearTimeout(messageTimer);
      messageTimer = undefined;
    }
    backlog.push(...pieces);
    advance();
  });
  socket.on('drain', advance);
  socket.on('end', () => {
    ended = true;
    backlog.push(...frames.end());
    advance();
  });
  socket.on('timeout', () => {
    // Waiting for our own answer is not idleness; sending it begins the time anew.
    if (replies.owed > 0) return;
    context.logger.info({ connection, idleMs: options.idleMs }, 'connection idle (option idle_connection), closed');
    abandon();
  });
  socket.on('error', (error) => context.logger.info({ connection }, messageOf(error)));
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      clearTimeout(messageTimer);
      clearTimeout(lingerTimer);
      if (!ended && !closing) for (const piece of frames.end()) acceptPiece(piece);
      ended = true;
      closing = true;
      resolve();
    });
  });

  return {
    closed,
    async drain() {
      abandon();
      const timer = setTimeout(() => socket.destroy(), hl7Limits.drainTimeoutMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

function headerOf(bytes: Buffer): Header | undefined {
  try {
    return readHeader(bytes);
  } catch {
    return undefined;
  }
}

/** As in the events: MSH-4, else MSH-3. */
function originOf(header: Header | undefined): string | undefined {
  if (!header) return undefined;
  const name = (index: number) => header.fields[index]?.split(header.context.componentSeparator)[0]?.trim();
  const text = name(4) || name(3);
  return text && Buffer.from(text, 'latin1').toString('utf8').slice(0, hl7Limits.hospitalLengthMax);
}
