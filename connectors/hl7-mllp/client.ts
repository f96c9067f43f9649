/**
 * A sender of HL7 v2 over MLLP, as a hospital's interface engine is one: pipelined, reconnecting, sending again what had no
 * answer. For the simulator, the bench and tests. Each message is delivered at least once; with `inFlight: 1` in order too.
 */
import { connect as connectPlain, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { messageOf } from '../../runtime/stream/index.ts';
import { hl7Errors } from './errors.ts';
import { encodeFrame, frameDecoder } from './framing.ts';
import { readHeader } from './message.ts';

export interface Hl7ClientOptions {
  readonly host?: string;
  readonly port: number;
  /** TLS with these options; plain TCP without. */
  readonly tls?: ConnectionOptions;
  /** Messages sent and not yet answered (default 64). */
  readonly inFlight?: number;
  /** No answer for this long: the connection is given up and the message sent again (default 10 s). */
  readonly answerTimeoutMs?: number;
  /** Times that one message is sent before `send` rejects (default 20). */
  readonly attempts?: number;
  /** Before connecting again, and before sending again what was answered AE (default 200 ms). */
  readonly retryDelayMs?: number;
}

export interface Acknowledgement {
  /** AA, AR, CA, CR; AE and CE only when all attempts were answered so. */
  readonly code: string;
  /** MSA-2: the control id of the message. */
  readonly id: string;
  /** MSA-3: the reason. */
  readonly text: string;
  /** Times that the message was sent. */
  readonly attempts: number;
  readonly raw: string;
}

export interface Hl7Client {
  /** Resolves with the answer. Rejects with MACH2030, MACH2031 or MACH2032. The message must ask for an answer. */
  send(message: string | Uint8Array): Promise<Acknowledgement>;
  /** Messages not yet answered. */
  readonly pending: number;
  /** Waits for all answers, then closes. */
  finish(): Promise<void>;
  /** Closes at once; what is not answered rejects. */
  close(): void;
}

interface Item {
  readonly frame: Buffer;
  readonly id: string;
  attempts: number;
  resolve(answer: Acknowledgement): void;
  reject(error: Error): void;
}

export function hl7Client(options: Hl7ClientOptions): Hl7Client {
  const {
    host = '127.0.0.1',
    port,
    inFlight = 64,
    answerTimeoutMs = 10_000,
    attempts = 20,
    retryDelayMs = 200,
  } = options;
  const address = `${host}:${port}`;
  let waiting: Item[] = [];
  let sent: Item[] = [];
  /** Answered AE, to be sent again after a while. */
  const delayed = new Set<Item>();
  let socket: Socket | undefined;
  let isConnected = false;
  let isClosed = false;
  let answerTimer: NodeJS.Timeout | undefined;
  const timers = new Set<NodeJS.Timeout>();
  let onIdle: (() => void)[] = [];

  function later(run: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      run();
    }, retryDelayMs);
    timers.add(timer);
  }

  function connect(): void {
    if (isClosed || socket) return;
    const frames = frameDecoder({ messageBytesMax: 1024 * 1024 });
    const current = options.tls ? connectTls({ host, port, ...options.tls }) : connectPlain({ host, port });
    socket = current;
    current.setNoDelay(true);
    let reason = 'closed by the receiver';
    current.once(options.tls ? 'secureConnect' : 'connect', () => {
      isConnected = true;
      pump();
    });
    current.on('data', (chunk: Buffer) => {
      for (const piece of frames.push(chunk)) if (piece.kind === 'message') takeAnswer(piece.bytes);
    });
    current.on('error', (error) => {
      reason = messageOf(error);
    });
    current.once('close', () => {
      if (socket !== current) return;
      socket = undefined;
      isConnected = false;
      clearTimeout(answerTimer);
      answerTimer = undefined;
      retryAll(reason);
    });
  }

  function retryAll(reason: string): void {
    // Those that were not sent count too, so that a receiver that is never there ends in an error.
    if (sent.length === 0) for (const item of waiting) item.attempts += 1;
    const again = [...sent, ...waiting];
    sent = [];
    waiting = again.filter((item) => item.attempts < attempts);
    for (const item of again)
      if (item.attempts >= attempts) item.reject(hl7Errors.make('MACH2031', { address, reason }));
    if (!isClosed && waiting.length > 0) later(connect);
    settle();
  }

  function pump(): void {
    if (!socket) {
      if (waiting.length > 0 && timers.size === 0) connect();
      return;
    }
    if (!isConnected) return;
    const frames: Buffer[] = [];
    while (waiting.length > 0 && sent.length < inFlight) {
      const item = waiting.shift();
      if (!item) break;
      item.attempts += 1;
      sent.push(item);
      frames.push(item.frame);
    }
    if (frames.length > 0) socket.write(frames.length === 1 ? (frames[0] as Buffer) : Buffer.concat(frames));
    if (sent.length > 0) answerTimer ??= setTimeout(giveUp, answerTimeoutMs);
  }

  function giveUp(): void {
    const first = sent[0];
    if (first && first.attempts >= attempts) {
      sent.shift();
      first.reject(hl7Errors.make('MACH2030', { id: first.id, timeoutMs: answerTimeoutMs }));
    }
    socket?.destroy();
  }

  function takeAnswer(bytes: Buffer): void {
    const answer = readAnswer(bytes);
    if (!answer) return;
    // A receiver that could not read the header answers without an id: it is about the oldest.
    const index = answer.id === '' ? 0 : sent.findIndex((item) => item.id === answer.id);
    if (index < 0) return;
    const [item] = sent.splice(index, 1);
    clearTimeout(answerTimer);
    answerTimer = undefined;
    if (!item) return;
    if (answer.code.endsWith('E') && item.attempts < attempts) {
      delayed.add(item);
      later(() => {
        delayed.delete(item);
        waiting.unshift(item);
        pump();
      });
    } else item.resolve({ ...answer, attempts: item.attempts });
    pump();
    settle();
  }

  function settle(): void {
    if (waiting.length + sent.length + delayed.size > 0) return;
    for (const resolve of onIdle) resolve();
    onIdle = [];
  }

  function close(): void {
    isClosed = true;
    clearTimeout(answerTimer);
    for (const timer of timers) clearTimeout(timer);
    timers.clear();
    for (const item of [...sent, ...waiting, ...delayed]) item.reject(hl7Errors.make('MACH2032', { address }));
    sent = [];
    waiting = [];
    delayed.clear();
    socket?.destroy();
    settle();
  }

  return {
    get pending() {
      return waiting.length + sent.length + delayed.size;
    },
    send(message) {
      if (isClosed) return Promise.reject(hl7Errors.make('MACH2032', { address }));
      return new Promise((resolve, reject) => {
        const frame = encodeFrame(message);
        waiting.push({ frame, id: controlIdOf(frame.subarray(1, -2)), attempts: 0, resolve, reject });
        pump();
      });
    },
    async finish() {
      if (waiting.length + sent.length + delayed.size > 0) await new Promise<void>((resolve) => onIdle.push(resolve));
      isClosed = true;
      for (const timer of timers) clearTimeout(timer);
      await new Promise<void>((resolve) => {
        if (!socket) return resolve();
        socket.once('close', () => resolve());
        socket.end();
      });
    },
    close,
  };
}

function controlIdOf(bytes: Buffer): string {
  try {
    return readHeader(bytes).fields[10] ?? '';
  } catch {
    return '';
  }
}

function readAnswer(bytes: Buffer): Omit<Acknowledgement, 'attempts'> | undefined {
  try {
    const header = readHeader(bytes);
    const raw = bytes.toString('latin1');
    const fields = raw
      .split(/[\r\n]+/)
      .find((line) => line.startsWith('MSA'))
      ?.split(header.context.fieldSeparator);
    if (!fields) return undefined;
    return { code: fields[1] ?? '', id: fields[2] ?? '', text: fields[3] ?? '', raw };
  } catch {
    return undefined;
  }
}
