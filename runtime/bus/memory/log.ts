/**
 * The log in memory: the same promises as over JetStream, in virtual time and with faults from a seed. Appends go through
 * the same window, so that what retries and settles them is the code that runs in production.
 */
import type { Clock } from '../../clock.ts';
import { limits } from '../../limits.ts';
import { type AppendRequest, identityHeader, openAppendWindow } from '../append-window.ts';
import { chunkedObjects, type ObjectBackend, objectStreamSpec } from '../chunked-objects.ts';
import { logErrors } from '../errors.ts';
import { bytesOf, type Log, type LogMessage, type LogStream, type Payload, type StreamSpec } from '../log.ts';
import { isPlainSubject, subjectMatches } from '../subjects.ts';
import { type FaultPlan, noFaults } from './faults.ts';
import { memoryLease } from './leases.ts';
import { readMemory } from './reader.ts';
import {
  expire,
  hasRoom,
  lastMessage,
  type MemoryStorage,
  makeStream,
  memoryStorage,
  overlapping,
  purge,
  type StoredStream,
  stateOf,
  store,
} from './storage.ts';

export interface MemoryLogOptions {
  readonly clock: Clock;
  /**
   * For one engine that never looks back: messages are handed on as they are, never encoded, and forgotten when every reader of their stream
   * has passed them, unless the stream is to be kept. Nothing is forgotten before as many readers have begun as there will be (Infinity: of
   * this stream nothing ever is). Who starts to read what is forgotten gets MACH3005.
   */
  readonly passing?: { keeps(stream: string): boolean; readers(stream: string): number };
  /** Shared by the clients of one log; its own when absent. */
  readonly storage?: MemoryStorage;
  readonly faults?: FaultPlan;
  readonly appendAttemptMs?: number;
  readonly appendDeadlineMs?: number;
}

export interface MemoryLog extends Log {
  readonly storage: MemoryStorage;
  /**
   * The process that used this client is dead: nothing that it waits for ever completes, nothing more reaches the
   * storage. What was stored stays.
   */
  crash(): void;
  /** The process is stopped (SIGSTOP, a blocked event loop): it does not hear of its leases until it goes on. */
  pause(): void;
  /** It goes on, and hears now of all that it missed. */
  resume(): void;
}

export function memoryLog(options: MemoryLogOptions): MemoryLog {
  const { clock, storage = memoryStorage(), faults = noFaults, passing } = options;
  const client = ++storage.clients;
  const readers = new Set<AbortController>();
  let dead = false;
  let closed = false;
  let missed: (() => void)[] | undefined;

  /** Nothing that a dead process waits for comes. */
  const alive = <T>(value: T): Promise<T> => (dead ? new Promise(() => undefined) : Promise.resolve(value));

  function attempt(token: number, request: AppendRequest): void {
    const fault = faults.forAppend(request.subject);
    if (fault.kind === 'append-lost') return;
    // As over a network: never in the turn of the call.
    if (fault.kind === 'no-responders') {
      queueMicrotask(() => window.settle(token, { kind: 'unknown', reason: 'nobody answers for the subject' }));
      return;
    }
    if (fault.kind === 'full') {
      queueMicrotask(() => window.settle(token, { kind: 'full', reason: 'maximum bytes exceeded (simulated)' }));
      return;
    }
    const stream = storage.streams.get(request.stream);
    if (!stream) {
      queueMicrotask(() => window.settle(token, { kind: 'unknown', reason: 'no such stream' }));
      return;
    }
    if (!isPlainSubject(request.subject) || !stream.spec.subjects.some((one) => subjectMatches(one, request.subject))) {
      queueMicrotask(() => window.settle(token, { kind: 'unknown', reason: 'nobody answers for the subject' }));
      return;
    }
    const { subject, headers, id, expectedLastSubjectSequence } = request;
    const message = {
      subject,
      payload: passing ? request.payload : copyOf(request.payload),
      headers: { ...headers, [identityHeader]: id },
      storedAt: clock.now(),
    };
    const outcome = store(stream, message, expectedLastSubjectSequence);
    const acknowledge = () => window.settle(token, outcome);
    if (fault.kind === 'acknowledgement-lost') return;
    if (fault.kind === 'acknowledgement-late') clock.after(fault.delayMs, acknowledge);
    else queueMicrotask(acknowledge);
    if (fault.kind === 'acknowledgement-twice') clock.after(fault.delayMs, acknowledge);
  }

  const window = openAppendWindow({
    transport: {
      send: attempt,
      async last(name, subject) {
        const stream = storage.streams.get(name);
        return alive(stream && lastMessage(stream, subject));
      },
    },
    clock,
    identityPrefix: `memory-${client}`,
    ...(options.appendAttemptMs === undefined ? {} : { attemptMs: options.appendAttemptMs }),
    ...(options.appendDeadlineMs === undefined ? {} : { deadlineMs: options.appendDeadlineMs }),
  });

  function ensure(spec: StreamSpec): StoredStream {
    if (closed) throw logErrors.make('MACH3015');
    if (!/^[A-Za-z0-9_-]+$/.test(spec.name)) throw new Error(`not a stream name: ${spec.name}`);
    const existing = storage.streams.get(spec.name);
    if (!existing) {
      const other = overlapping(storage, spec);
      if (other === undefined) return makeStream(storage, spec);
      throw logErrors.make('MACH3016', {
        what: `stream ${spec.name}`,
        reason: `subjects overlap with stream ${other}`,
      });
    }
    const differ = (what: string, actual: unknown, wanted: unknown) =>
      logErrors.make('MACH3008', { stream: spec.name, what, actual: String(actual), wanted: String(wanted) });
    const actual = [...existing.spec.subjects].sort().join(' ');
    const wanted = [...spec.subjects].sort().join(' ');
    if (actual !== wanted) throw differ('subjects', actual, wanted);
    if (existing.spec.durability !== spec.durability) {
      throw differ('durability', existing.spec.durability, spec.durability);
    }
    const latestOnly = existing.spec.latestOnly ?? false;
    if (latestOnly !== (spec.latestOnly ?? false)) throw differ('latestOnly', latestOnly, spec.latestOnly ?? false);
    existing.spec = spec;
    return existing;
  }

  function open(spec: StreamSpec): LogStream {
    const { incarnation } = ensure(spec);
    const current = (): StoredStream => {
      if (closed) throw logErrors.make('MACH3015');
      const stream = storage.streams.get(spec.name);
      if (!stream) throw logErrors.make('MACH3006', { stream: spec.name, reason: 'it does not exist any more' });
      expire(stream, clock.now());
      return stream;
    };
    const readersMin = passing && !passing.keeps(spec.name) ? passing.readers(spec.name) : Number.POSITIVE_INFINITY;
    const forgets = Number.isFinite(readersMin);
    return {
      spec,
      messageBytesMax: limits.frameBytesMax,
      handsOn: passing !== undefined,
      append(subject, payload, { id, expectedLastSubjectSequence, headers } = {}) {
        if (payload.length > limits.frameBytesMax) {
          const data = { stream: spec.name, subject, bytes: payload.length, limitBytes: limits.frameBytesMax };
          return Promise.reject(logErrors.make('MACH3003', { ...data, limit: 'limits.frameBytesMax' }));
        }
        const append = () =>
          window.append({ stream: spec.name, subject, payload, id, expectedLastSubjectSequence, headers });
        const stored = storage.streams.get(spec.name);
        if (!forgets || !stored || (stored.held.length === 0 && hasRoom(stored))) return append();
        return new Promise((resolve) => stored.held.push(() => resolve(append())));
      },
      read: (reading) =>
        readMemory(
          { storage, name: spec.name, incarnation, clock, faults, readers, readersMin, isDead: () => dead },
          reading,
        ),
      last: async (subject) => alive(lastMessage(current(), subject)),
      get: async (sequence) => alive(current().messages.get(sequence)),
      state: async () => alive(stateOf(current())),
    };
  }

  return {
    storage,
    stream: async (spec) => alive(open(spec)),
    async lease(leasing) {
      if (closed) throw logErrors.make('MACH3015');
      const client = {
        isDead: () => dead || closed,
        whenAwake: (run: () => void) => (missed ? void missed.push(run) : run()),
      };
      return alive(memoryLease({ storage, options: leasing, clock, faults, client }));
    },
    find: async (name) => {
      const stored = storage.streams.get(name);
      return alive(stored && open(stored.spec));
    },
    async objects(bucket) {
      const stream = open(objectStreamSpec(bucket));
      const stored = () => storage.streams.get(stream.spec.name);
      const backend: ObjectBackend = {
        append: (subject, payload) => stream.append(subject, payload),
        last: (subject): Promise<LogMessage | undefined> => stream.last(subject),
        piece: (subject) => stream.last(subject),
        subjects: async (filter) =>
          alive([...(stored()?.lastBySubject.keys() ?? [])].filter((subject) => subjectMatches(filter, subject))),
        async purge(filter) {
          const found = stored();
          if (found && !dead) purge(found, filter);
          await alive(undefined);
        },
      };
      return alive(chunkedObjects(bucket, backend));
    },
    publish(subject, payload) {
      if (dead || closed) return;
      for (const deliver of [...storage.subscribers]) deliver(subject, payload);
    },
    async *subscribe(subject, signal) {
      const interest = { pattern: subject, isDead: () => dead };
      storage.interests.add(interest);
      try {
        yield* subscribeMemory(storage, subject, signal, readers);
      } finally {
        storage.interests.delete(interest);
      }
    },
    hasSubscriber: async (subject) =>
      alive([...storage.interests].some(({ pattern, isDead }) => !isDead() && subjectMatches(pattern, subject))),
    check: async () => alive({ server: 'memory', version: '1', syncAlways: undefined }),
    async close() {
      if (dead) return alive(undefined);
      closed = true;
      window.close('the log was closed');
      for (const reader of [...readers]) reader.abort(logErrors.make('MACH3015'));
      for (const stream of storage.streams.values()) for (const goOn of stream.held.splice(0)) goOn();
    },
    pause() {
      missed ??= [];
    },
    resume() {
      const runs = missed ?? [];
      missed = undefined;
      for (const run of runs) run();
    },
    crash() {
      dead = true;
      window.abandon();
    },
  };
}

/** A caller may use its buffer again once the append has resolved. */
function copyOf(payload: Payload): Uint8Array {
  return payload instanceof Uint8Array ? payload.slice() : bytesOf(payload);
}

async function* subscribeMemory(
  storage: MemoryStorage,
  pattern: string,
  signal: AbortSignal,
  readers: Set<AbortController>,
): AsyncGenerator<{ subject: string; payload: Uint8Array }, void, void> {
  const waiting: { subject: string; payload: Uint8Array }[] = [];
  const closing = new AbortController();
  const ends = AbortSignal.any([signal, closing.signal]);
  let wake: (() => void) | undefined;
  const deliver = (subject: string, payload: Uint8Array) => {
    if (!subjectMatches(pattern, subject)) return;
    if (waiting.length >= limits.subscriptionMessagesMax) waiting.shift();
    waiting.push({ subject, payload });
    wake?.();
  };
  storage.subscribers.add(deliver);
  readers.add(closing);
  ends.addEventListener('abort', () => wake?.(), { once: true });
  try {
    while (!ends.aborted) {
      const message = waiting.shift();
      if (message) yield message;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    storage.subscribers.delete(deliver);
    readers.delete(closing);
  }
}
