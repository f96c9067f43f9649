/**
 * The window of appends that are under way: bounded, retried with the same identity while their outcome is unknown, and
 * completed in the order of the calls on each subject. Both implementations of the log send through it, so that the
 * faults of the one in memory exercise the code that runs against a broker.
 *
 * Order of storage: calls on one subject are stored in their order as long as none is lost on the way alone. A broken
 * connection loses only the last ones sent, and all are sent again in order. Who must not depend on that awaits one
 * append before the next, or fences.
 */
import type { Clock, Timer } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { limits } from '../limits.ts';
import { logErrors } from './errors.ts';
import type { Appended, LogMessage, Payload } from './log.ts';

/** Header that carries the identity of a message. */
export const identityHeader = 'Nats-Msg-Id';

export interface AppendRequest {
  readonly stream: string;
  readonly subject: string;
  readonly payload: Payload;
  readonly id: string;
  readonly expectedLastSubjectSequence: number | undefined;
  readonly whenHeld?: 'wait' | 'refuse' | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;
}

/** What the log said to one attempt. */
export type AppendOutcome =
  | { readonly kind: 'stored'; readonly sequence: number; readonly duplicate: boolean }
  | { readonly kind: 'fenced' }
  | { readonly kind: 'full'; readonly reason: string }
  | { readonly kind: 'too-large'; readonly reason: string; readonly limitBytes: number }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string };

export interface AppendTransport {
  /** Sends one attempt; what comes back is given to `settle` with the same token. May throw: outcome unknown. */
  send(token: number, request: AppendRequest): void;
  /** The newest message of a subject, read from where writes go. */
  last(stream: string, subject: string): Promise<LogMessage | undefined>;
}

export interface AppendWindowOptions {
  readonly transport: AppendTransport;
  readonly clock: Clock;
  /** Makes identities for appends that bring none; must be unique to this window. */
  readonly identityPrefix: string;
  readonly messagesMax?: number;
  readonly bytesMax?: number;
  readonly waitingMax?: number;
  readonly attemptMs?: number;
  readonly retryDelayMs?: number;
  readonly deadlineMs?: number;
}

export interface AppendWindow {
  append(request: Omit<AppendRequest, 'id'> & { readonly id: string | undefined }): Promise<Appended>;
  settle(token: number, outcome: AppendOutcome): void;
  /** The connection is down: keep what comes, send nothing. */
  pause(): void;
  /**
   * The log has no room: nothing is sent, and what is not to be refused waits without a deadline. Null: it has room again, what was
   * under way is sent again.
   */
  hold(reason: string | null): void;
  /** The connection is back: everything unacknowledged again, in order, then the rest. */
  resume(): void;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
  /** Rejects what is under way (MACH3002) and whatever comes later (MACH3015). */
  close(reason: string): void;
  /** Never completes anything again: the process that used it is dead (simulated crashes). */
  abandon(): void;
  readonly inFlight: number;
  readonly inFlightBytes: number;
  readonly waiting: number;
}

/** The appends of one subject in the order of their calls, those before `head` completed. */
interface Lane {
  readonly key: string;
  entries: Entry[];
  head: number;
}

interface Entry {
  readonly token: number;
  readonly request: AppendRequest;
  readonly lane: Lane;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: unknown) => void;
  startedAt: number;
  dueAt: number;
  attempts: number;
  resolving: boolean;
  reason: string;
  complete: (() => void) | undefined;
}

export function openAppendWindow(options: AppendWindowOptions): AppendWindow {
  const { transport, clock, identityPrefix } = options;
  const messagesMax = options.messagesMax ?? limits.publishWindowMessagesMax;
  const bytesMax = options.bytesMax ?? limits.publishWindowBytesMax;
  const waitingMax = options.waitingMax ?? limits.publishWaitingMax;
  const attemptMs = options.attemptMs ?? limits.appendAttemptMs;
  const retryDelayMs = options.retryDelayMs ?? limits.appendRetryDelayMs;
  const deadlineMs = options.deadlineMs ?? limits.appendDeadlineMs;

  // In order of the calls: a map keeps the order of insertion, and a retry does not insert again.
  const inFlight = new Map<number, Entry>();
  const lanes = new Map<string, Lane>();
  let waiting: Entry[] = [];
  let waitingHead = 0;
  let inFlightBytes = 0;
  let tokens = 0;
  let paused = false;
  let held: { readonly reason: string; readonly since: number } | undefined;
  let closed: string | undefined;
  let abandoned = false;
  let timer: Timer | undefined;
  let timerAt = Number.POSITIVE_INFINITY;
  let idleWaiters: (() => void)[] = [];

  const waitingCount = () => waiting.length - waitingHead;

  function arm(at: number): void {
    if (timerAt <= at) return;
    timer?.cancel();
    timerAt = at;
    timer = clock.after(Math.max(0, at - clock.now()), onTimer);
  }

  function onTimer(): void {
    timer = undefined;
    timerAt = Number.POSITIVE_INFINITY;
    const now = clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const entry of [...inFlight.values()]) {
      const deadline = held && !isRefused(entry) ? Number.POSITIVE_INFINITY : entry.startedAt + deadlineMs;
      if (now >= deadline) {
        giveUp(entry, held?.reason ?? (entry.reason || 'no acknowledgement'));
        continue;
      }
      const isStill = entry.resolving || paused || held !== undefined;
      if (now >= entry.dueAt && !isStill) transmit(entry);
      const due = isStill ? deadline : Math.min(entry.dueAt, deadline);
      next = Math.min(next, due);
    }
    if (next < Number.POSITIVE_INFINITY) arm(next);
  }

  function giveUp(entry: Entry, reason: string): void {
    const { subject, stream } = entry.request;
    const elapsedMs = Math.round(clock.now() - entry.startedAt);
    finish(entry, () =>
      entry.reject(logErrors.make('MACH3002', { subject, stream, attempts: entry.attempts, elapsedMs, reason })),
    );
  }

  function transmit(entry: Entry): void {
    const now = clock.now();
    entry.attempts++;
    entry.dueAt = now + attemptMs * 2 ** (entry.attempts - 1);
    try {
      transport.send(entry.token, entry.request);
    } catch (error) {
      unknown(entry, messageOf(error));
      return;
    }
    arm(Math.min(entry.dueAt, entry.startedAt + deadlineMs));
  }

  function unknown(entry: Entry, reason: string): void {
    entry.reason = reason;
    entry.dueAt = clock.now() + retryDelayMs;
    arm(Math.min(entry.dueAt, entry.startedAt + deadlineMs));
  }

  function start(entry: Entry): void {
    inFlight.set(entry.token, entry);
    inFlightBytes += entry.request.payload.length;
    entry.startedAt = clock.now();
    if (paused || held) {
      entry.reason = held?.reason ?? 'not connected';
      arm(entry.startedAt + deadlineMs);
      return;
    }
    transmit(entry);
  }

  const isRefused = (entry: Entry) => entry.request.whenHeld === 'refuse';

  function sendAgain(): void {
    if (paused || held) return;
    for (const entry of [...inFlight.values()]) if (!entry.resolving) transmit(entry);
    startWaiting();
  }

  function release(heldMs: number): void {
    for (const entry of [...inFlight.values()]) {
      if (!isRefused(entry)) entry.startedAt += heldMs;
      // The log may have forgotten the identity of what it stored without a word: its newest message tells.
      if (heldMs >= limits.duplicateWindowMs / 2 && entry.attempts > 0 && !entry.resolving) resolveHeld(entry);
    }
    sendAgain();
  }

  const hasRoom = (bytes: number) =>
    inFlight.size === 0 || (inFlight.size < messagesMax && inFlightBytes + bytes <= bytesMax);

  function startWaiting(): void {
    while (waitingHead < waiting.length) {
      const entry = waiting[waitingHead] as Entry;
      if (!hasRoom(entry.request.payload.length)) break;
      waitingHead++;
      start(entry);
    }
    if (waitingHead > 1024 && waitingHead * 2 > waiting.length) {
      waiting = waiting.slice(waitingHead);
      waitingHead = 0;
    }
  }

  function completeInOrder(lane: Lane): void {
    for (let entry = lane.entries[lane.head]; entry?.complete; entry = lane.entries[lane.head]) {
      lane.head++;
      entry.complete();
    }
    if (lane.head === lane.entries.length) lanes.delete(lane.key);
    else if (lane.head > 256 && lane.head * 2 > lane.entries.length) {
      lane.entries = lane.entries.slice(lane.head);
      lane.head = 0;
    }
  }

  function finish(entry: Entry, complete: () => void): void {
    if (!inFlight.delete(entry.token)) return;
    inFlightBytes -= entry.request.payload.length;
    entry.complete = complete;
    completeInOrder(entry.lane);
    startWaiting();
    if (inFlight.size > 0) return;
    timer?.cancel();
    timer = undefined;
    timerAt = Number.POSITIVE_INFINITY;
    for (const wake of idleWaiters.splice(0)) wake();
  }

  /**
   * The fence held. Either somebody else has written, or an earlier attempt of this append was stored and its
   * acknowledgement lost: the newest message of the subject tells which.
   */
  function resolveFenced(entry: Entry): void {
    const { stream, subject, id, expectedLastSubjectSequence } = entry.request;
    entry.resolving = true;
    transport.last(stream, subject).then(
      (last) => {
        if (abandoned || !inFlight.has(entry.token)) return;
        if (last?.headers[identityHeader] === id) {
          finish(entry, () => entry.resolve({ sequence: last.sequence, duplicate: true }));
          return;
        }
        const data = { stream, subject, expected: expectedLastSubjectSequence ?? 'none', actual: last?.sequence ?? 0 };
        finish(entry, () => entry.reject(logErrors.make('MACH3001', data)));
      },
      (error: unknown) => {
        if (abandoned || !inFlight.has(entry.token)) return;
        entry.resolving = false;
        unknown(entry, messageOf(error));
      },
    );
  }

  /** Was an attempt from before the hold stored? Only asked where no fence tells. */
  function resolveHeld(entry: Entry): void {
    const { stream, subject, id, expectedLastSubjectSequence } = entry.request;
    if (expectedLastSubjectSequence !== undefined) return;
    entry.resolving = true;
    const isOver = () => abandoned || !inFlight.has(entry.token);
    transport.last(stream, subject).then(
      (last) => {
        if (isOver()) return;
        entry.resolving = false;
        if (last?.headers[identityHeader] !== id) unknown(entry, 'held back');
        else finish(entry, () => entry.resolve({ sequence: last.sequence, duplicate: true }));
      },
      (error: unknown) => {
        if (isOver()) return;
        entry.resolving = false;
        unknown(entry, messageOf(error));
      },
    );
  }

  function settle(token: number, outcome: AppendOutcome): void {
    const entry = inFlight.get(token);
    // Late or doubled acknowledgements of what is settled already.
    if (!entry || abandoned) return;
    const { stream, subject, payload } = entry.request;
    switch (outcome.kind) {
      case 'stored':
        finish(entry, () => entry.resolve({ sequence: outcome.sequence, duplicate: outcome.duplicate }));
        return;
      case 'unknown':
        if (!entry.resolving) unknown(entry, outcome.reason);
        return;
      case 'fenced':
        if (!entry.resolving) resolveFenced(entry);
        return;
      case 'full':
        finish(entry, () => entry.reject(logErrors.make('MACH3004', { stream, subject, reason: outcome.reason })));
        return;
      case 'too-large': {
        const { limitBytes, reason: limit } = outcome;
        const data = { stream, subject, bytes: payload.length, limitBytes, limit };
        finish(entry, () => entry.reject(logErrors.make('MACH3003', data)));
        return;
      }
      case 'refused': {
        const data = { what: `append to ${subject} of stream ${stream}`, reason: outcome.reason };
        finish(entry, () => entry.reject(logErrors.make('MACH3016', data)));
        return;
      }
    }
  }

  function append(request: Parameters<AppendWindow['append']>[0]): Promise<Appended> {
    if (abandoned) return new Promise(() => undefined);
    if (closed !== undefined) return Promise.reject(logErrors.make('MACH3015'));
    if (held && request.whenHeld === 'refuse') {
      const { stream, subject } = request;
      return Promise.reject(logErrors.make('MACH3004', { stream, subject, reason: held.reason }));
    }
    if (waitingCount() >= waitingMax) {
      return Promise.reject(logErrors.make('MACH3010', { waiting: waitingCount(), limit: waitingMax }));
    }
    return new Promise((resolve, reject) => {
      const token = ++tokens;
      const key = `${request.stream} ${request.subject}`;
      let lane = lanes.get(key);
      if (!lane) {
        lane = { key, entries: [], head: 0 };
        lanes.set(key, lane);
      }
      const entry: Entry = {
        token,
        request: { ...request, id: request.id ?? `${identityPrefix}.${token.toString(36)}` },
        lane,
        resolve,
        reject,
        startedAt: 0,
        dueAt: 0,
        attempts: 0,
        resolving: false,
        reason: '',
        complete: undefined,
      };
      lane.entries.push(entry);
      if (waitingCount() === 0 && hasRoom(request.payload.length)) start(entry);
      else waiting.push(entry);
    });
  }

  return {
    append,
    settle,
    pause() {
      paused = true;
    },
    resume() {
      if (!paused) return;
      paused = false;
      sendAgain();
    },
    hold(reason) {
      const before = held;
      held = reason === null ? undefined : { reason, since: before?.since ?? clock.now() };
      if (before && !held) release(clock.now() - before.since);
    },
    idle() {
      if (inFlight.size === 0) return Promise.resolve();
      return new Promise((resolve) => idleWaiters.push(resolve));
    },
    close(reason) {
      closed = reason;
      // What waits is not sent any more either.
      paused = true;
      while (inFlight.size > 0) for (const entry of [...inFlight.values()]) giveUp(entry, reason);
    },
    abandon() {
      abandoned = true;
      timer?.cancel();
      idleWaiters = [];
    },
    get inFlight() {
      return inFlight.size;
    },
    get inFlightBytes() {
      return inFlightBytes;
    },
    get waiting() {
      return waitingCount();
    },
  };
}
