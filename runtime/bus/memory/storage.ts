/**
 * What the log in memory keeps. It outlives its clients as a broker outlives its own: a simulated crash drops the client
 * (`memoryLog`) and a new one goes on with the same storage.
 */

import { limits } from '../../limits.ts';
import { identityHeader } from '../append-window.ts';
import {
  type LazyMessage,
  type LogMessage,
  lengthOf,
  type Payload,
  type StreamSpec,
  type StreamState,
} from '../log.ts';
import { patternsOverlap, subjectMatches } from '../subjects.ts';
import type { StoredLease } from './leases.ts';

export interface Cursor {
  next: number;
}

export interface StoredStream {
  spec: StreamSpec;
  /** Differs between two streams of one name, one made after the other was wiped. */
  readonly incarnation: number;
  readonly messages: Map<number, LogMessage>;
  readonly lastBySubject: Map<string, number>;
  readonly identities: Map<string, { readonly sequence: number; readonly at: number }>;
  readonly listeners: Set<() => void>;
  /** Of those who read it now: the first sequence that each has not passed yet. */
  readonly cursors: Set<Cursor>;
  readersBegun: number;
  /** Appends that wait for readers to get on, in order. */
  readonly held: (() => void)[];
  firstSequence: number;
  lastSequence: number;
  bytes: number;
  /** Of those that every reader has passed, and that are kept as the newest of their subjects: nobody will make room by reading them. */
  passedBytes: number;
}

export interface MemoryStorage {
  readonly streams: Map<string, StoredStream>;
  readonly leases: Map<string, StoredLease>;
  /** Subjects that live clients listen to. */
  readonly interests: Set<{ readonly pattern: string; readonly isDead: () => boolean }>;
  readonly subscribers: Set<(subject: string, payload: Uint8Array) => void>;
  /** Number of the next client, for identities. */
  clients: number;
  incarnations: number;
  /** Removes a stream with all that it holds, as a lost disk does. */
  wipe(name: string): void;
}

export function memoryStorage(): MemoryStorage {
  const streams = new Map<string, StoredStream>();
  return {
    streams,
    leases: new Map(),
    interests: new Set(),
    subscribers: new Set(),
    clients: 0,
    incarnations: 0,
    wipe(name) {
      const stream = streams.get(name);
      streams.delete(name);
      for (const wake of [...(stream?.listeners ?? [])]) wake();
    },
  };
}

export function makeStream(storage: MemoryStorage, spec: StreamSpec): StoredStream {
  const stream: StoredStream = {
    spec,
    incarnation: ++storage.incarnations,
    messages: new Map(),
    lastBySubject: new Map(),
    identities: new Map(),
    listeners: new Set(),
    cursors: new Set(),
    readersBegun: 0,
    held: [],
    firstSequence: 1,
    lastSequence: 0,
    bytes: 0,
    passedBytes: 0,
  };
  storage.streams.set(spec.name, stream);
  return stream;
}

/** The name of another stream that stores a subject of these, if there is one. */
export function overlapping(storage: MemoryStorage, spec: StreamSpec): string | undefined {
  for (const other of storage.streams.values()) {
    if (other.spec.name === spec.name) continue;
    const overlap = spec.subjects.some((one) => other.spec.subjects.some((two) => patternsOverlap(one, two)));
    if (overlap) return other.spec.name;
  }
  return undefined;
}

const sizeOf = (message: LogMessage): number => lengthOf(message) + message.subject.length;

function removeMessage(stream: StoredStream, sequence: number): void {
  const message = stream.messages.get(sequence);
  if (!message) return;
  stream.messages.delete(sequence);
  stream.bytes -= sizeOf(message);
  if (stream.lastBySubject.get(message.subject) === sequence) stream.lastBySubject.delete(message.subject);
  while (stream.firstSequence <= stream.lastSequence && !stream.messages.has(stream.firstSequence))
    stream.firstSequence++;
}

/** Removes what is older or more than the specification keeps. */
export function expire(stream: StoredStream, now: number): void {
  const { ageMaxMs, bytesMax } = stream.spec;
  for (const [sequence, { storedAt }] of stream.messages) {
    const old = ageMaxMs !== undefined && now - storedAt > ageMaxMs;
    const much = bytesMax !== undefined && stream.bytes > bytesMax;
    if (!old && !much) break;
    removeMessage(stream, sequence);
  }
  for (const [id, { at }] of stream.identities) {
    if (now - at <= limits.duplicateWindowMs) break;
    stream.identities.delete(id);
  }
}

/** What every reader has passed, the newest message of each subject aside: it is asked for by name. */
export function forgetPassed(stream: StoredStream): void {
  let passed = Number.POSITIVE_INFINITY;
  for (const { next } of stream.cursors) passed = Math.min(passed, next - 1);
  stream.passedBytes = 0;
  for (const [sequence, message] of stream.messages) {
    if (sequence > passed) break;
    if (stream.lastBySubject.get(message.subject) === sequence) stream.passedBytes += sizeOf(message);
    else removeMessage(stream, sequence);
  }
  stream.firstSequence = Math.max(stream.firstSequence, Math.min(passed, stream.lastSequence) + 1);
  letIn(stream);
}

/** Whether an append may be stored now; without a reader nobody would ever make room. */
export function hasRoom({ spec, bytes, passedBytes, cursors }: StoredStream): boolean {
  return spec.unreadBytesMax === undefined || bytes - passedBytes < spec.unreadBytesMax || cursors.size === 0;
}

/** The appends that are held back go on, as long as there is room. */
export function letIn(stream: StoredStream): void {
  while (stream.held.length > 0 && hasRoom(stream)) stream.held.shift()?.();
}

/** Encoded when somebody asks for its bytes. */
class HandedOn implements LogMessage {
  readonly sequence: number;
  readonly subject: string;
  readonly lazy: LazyMessage;
  readonly headers: Readonly<Record<string, string>>;
  readonly storedAt: number;

  constructor(lazy: LazyMessage, { sequence, subject, headers, storedAt }: Omit<LogMessage, 'payload'>) {
    this.sequence = sequence;
    this.subject = subject;
    this.lazy = lazy;
    this.headers = headers;
    this.storedAt = storedAt;
  }

  get payload(): Uint8Array {
    return this.lazy.bytes();
  }
}

export type StoreResult =
  | { readonly kind: 'stored'; readonly sequence: number; readonly duplicate: boolean }
  | { readonly kind: 'fenced' };

/** The duplicate check comes before the fence, as in the server. */
export function store(
  stream: StoredStream,
  message: Omit<LogMessage, 'sequence' | 'payload'> & { readonly payload: Payload },
  expectedLastSubjectSequence: number | undefined,
): StoreResult {
  expire(stream, message.storedAt);
  const id = message.headers[identityHeader];
  const known = id === undefined ? undefined : stream.identities.get(id);
  if (known) return { kind: 'stored', sequence: known.sequence, duplicate: true };
  const last = stream.lastBySubject.get(message.subject) ?? 0;
  if (expectedLastSubjectSequence !== undefined && expectedLastSubjectSequence !== last) return { kind: 'fenced' };
  const sequence = ++stream.lastSequence;
  const { payload } = message;
  const stored: LogMessage =
    payload instanceof Uint8Array ? { ...message, payload, sequence } : new HandedOn(payload, { ...message, sequence });
  stream.messages.set(sequence, stored);
  stream.bytes += sizeOf(stored);
  stream.lastBySubject.set(message.subject, sequence);
  if (id !== undefined) stream.identities.set(id, { sequence, at: message.storedAt });
  if (stream.spec.latestOnly && last > 0) removeMessage(stream, last);
  expire(stream, message.storedAt);
  for (const wake of [...stream.listeners]) wake();
  return { kind: 'stored', sequence, duplicate: false };
}

export function lastMessage(stream: StoredStream, pattern: string): LogMessage | undefined {
  if (!/[*>]/.test(pattern)) return stream.messages.get(stream.lastBySubject.get(pattern) ?? 0);
  let newest = 0;
  for (const [subject, sequence] of stream.lastBySubject) {
    if (sequence > newest && subjectMatches(pattern, subject)) newest = sequence;
  }
  return stream.messages.get(newest);
}

export function purge(stream: StoredStream, pattern: string): void {
  for (const [sequence, { subject }] of stream.messages) {
    if (subjectMatches(pattern, subject)) removeMessage(stream, sequence);
  }
}

export const stateOf = (stream: StoredStream): StreamState => ({
  firstSequence: stream.firstSequence,
  lastSequence: stream.lastSequence,
  messages: stream.messages.size,
  bytes: stream.bytes,
});
