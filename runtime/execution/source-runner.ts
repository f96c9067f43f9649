/**
 * Runs a source: gathers what all its senders deliver within a moment into one log message (group commit), and tells each
 * sender only when that message is in the log. One message is under way at a time, so that order is kept; while the disk
 * works on it the next one fills.
 */
import { randomUUID } from 'node:crypto';
import type { LogStream, Payload } from '../bus/log.ts';
import { isUnanswered } from '../bus/unanswered.ts';
import { type Clock, wallTime } from '../clock.ts';
import type { CrashPoints } from '../faults.ts';
import { limits } from '../limits.ts';
import type { Schema } from '../stream/schema.ts';
import type { AppendRequest } from '../stream/source-definition.ts';
import { executionErrors } from './errors.ts';
import { isFenced } from './fenced.ts';
import { HeldBack } from './held-back.ts';
import { encodeSilenceFrame, type SilenceFrame } from './log-frame.ts';
import { eventCountOf } from './request-bytes.ts';
import { requestMessages } from './request-messages.ts';
import { ResentRequests } from './resent-requests.ts';
import { startSilenceWatch } from './silence-watch.ts';
import { openSourceAppends } from './source-appends.ts';

interface Waiting {
  readonly request: AppendRequest;
  readonly bytes: number;
  resolve(): void;
  reject(error: unknown): void;
}

export interface SourceCounts {
  accepted: number;
  deadLetters: number;
  frames: number;
  failures: number;
  /** Requests whose sender was told that they are not stored. */
  refused: number;
  frameBytes: number;
  /** Events whose time was too far ahead (`limits.futureTimeMs`). */
  futureTimes: number;
  /** Time that senders were held back for, ms, each counted for itself. */
  backpressuredMs: number;
}

export interface SourceRunner {
  append(request: AppendRequest): Promise<void>;
  originClosed(origin: string): void;
  /** Nothing more will ever come; resolves when that is in the log. */
  ended(): Promise<void>;
  /** Takes nothing more; resolves when all that was taken has its answer. */
  close(): Promise<void>;
  readonly counts: SourceCounts;
  readonly waitingEvents: number;
  readonly waitingBytes: number;
}

export function startSourceRunner(args: {
  node: string;
  schema: Schema;
  idleMs: number;
  stream: LogStream;
  subject: string;
  clock: Clock;
  crashPoints: CrashPoints;
  /** Origins known from before a restart: they count as heard now, and fall silent from here. */
  origins: readonly string[];
  /** The time that a group waits to fill, ms; 0 in virtual time. */
  windowMs?: number;
  /** Aborted when the source is told to stop: what the log does not answer for is given up then. */
  signal?: AbortSignal;
}): SourceRunner {
  const { node, schema, stream, subject, clock, crashPoints } = args;
  const messages = requestMessages({
    node,
    schema,
    stream,
    clock,
    onAhead(events) {
      counts.futureTimes += events;
    },
  });
  const { bytesMax, bytesOf } = messages;
  const windowMs = args.windowMs ?? limits.groupCommitWindowMs;
  const boot = randomUUID();
  const counts: SourceCounts = {
    accepted: 0,
    deadLetters: 0,
    frames: 0,
    failures: 0,
    refused: 0,
    frameBytes: 0,
    futureTimes: 0,
    backpressuredMs: 0,
  };
  /** Held back until there is room, in order. */
  const heldBack = new HeldBack<Waiting & { readonly since: number }>();
  const resent = new ResentRequests();
  let queue: Waiting[] = [];
  let waitingEvents = 0;
  let waitingBytes = 0;
  let frames = 0;
  let running: Promise<void> | undefined;
  let hurry: (() => void) | undefined;
  let closing = false;

  const isClosing = () => closing || args.signal?.aborted === true;
  const appends = openSourceAppends({ stream, subject, clock, isClosing });

  const appendFrame = async (payload: Payload) => {
    crashPoints.at('source.before-append');
    await appends.append(payload, `${node}/${boot}/${frames++}`);
    crashPoints.at('source.after-append');
    counts.frames++;
    counts.frameBytes += payload.length;
  };

  async function commitAll(): Promise<void> {
    await gather();
    for (;;) {
      // What an origin sent stands in the log before the word that it has fallen silent.
      if (queue.length > 0) await commit(takeGroup());
      const noticed = silence.take(originsWaiting);
      if (noticed) await commitSilence(noticed);
      else if (queue.length === 0) break;
    }
    // In the same turn as the last look at the queue: a request that comes later starts anew.
    running = undefined;
  }

  /** Lets a message fill for a moment; a full one waits for nobody. */
  function gather(): Promise<void> {
    if (windowMs === 0 || isMessageFull()) return Promise.resolve();
    return new Promise((resolve) => {
      const goOn = () => {
        clearTimeout(timer);
        hurry = undefined;
        resolve();
      };
      const timer = setTimeout(goOn, windowMs);
      hurry = goOn;
    });
  }

  function start(): void {
    running ??= commitAll();
  }

  function originsWaiting(): ReadonlySet<string> {
    return new Set([...queue, ...heldBack].map(({ request }) => request.origin));
  }

  async function commitSilence(noticed: Omit<SilenceFrame, 'kind'>): Promise<void> {
    // Not tried again at once: the next look at the origins says it anew.
    await appendFrame(encodeSilenceFrame({ ...noticed, at: clock.now() })).catch(() => {
      counts.failures++;
      silence.putBack(noticed);
    });
  }

  function isMessageFull(): boolean {
    return waitingEvents >= limits.frameEventsMax || waitingBytes >= bytesMax;
  }

  function takeGroup(): Waiting[] {
    let [events, bytes, length] = [0, 0, 0];
    while (length < queue.length) {
      const next = queue[length] as Waiting;
      events += eventCountOf(next.request);
      bytes += next.bytes;
      if (length > 0 && (events > limits.frameEventsMax || bytes > limits.encodedBytesMax)) break;
      length++;
    }
    const group = queue.slice(0, length);
    queue = queue.slice(length);
    return group;
  }

  async function commit(group: readonly Waiting[]): Promise<void> {
    const [first] = group as readonly [Waiting];
    if (group.length === 1) return void (await commitPayloads(group, () => messages.alone(first.request, first.bytes)));
    const whole = encodeGroup(group);
    if (whole) return void (await commitPayloads(group, () => [whole]));
    const lost = new Set<string>();
    for (const waiting of group) {
      if (lost.has(waiting.request.origin)) refuse([waiting], new Error('an earlier append of this origin failed'));
      else if (!(await commitPayloads([waiting], () => messages.alone(waiting.request, waiting.bytes))))
        lost.add(waiting.request.origin);
    }
  }

  /** Undefined where each request has to go by itself: they are too large together, or one of them cannot be encoded at all. */
  function encodeGroup(group: readonly Waiting[]): Payload | undefined {
    try {
      const payload = messages.together(group.map(({ request }) => request));
      return payload.length <= bytesMax ? payload : undefined;
    } catch {
      return undefined;
    }
  }

  async function commitPayloads(group: readonly Waiting[], payloadsOf: () => Payload[]): Promise<boolean> {
    try {
      for (const payload of payloadsOf()) await appendFrame(payload);
    } catch (error) {
      counts.failures++;
      // A later append of the same origin would carry its mark past what was not stored.
      const origins = new Set(group.map(({ request }) => request.origin));
      // The source closes, and the log does not answer: it would be asked for each group that waits, one after the other. Or another owner has
      // appended, and its senders have begun anew there.
      const isGivenUp = isFenced(error) || (isClosing() && isUnanswered(error));
      const isAfter = ({ request }: Waiting) => isGivenUp || origins.has(request.origin);
      const after = queue.filter(isAfter);
      queue = queue.filter((waiting) => !isAfter(waiting));
      tellRefused(heldBack.remove(isAfter), error);
      refuse([...group, ...after], error);
      return false;
    }
    for (const { request, resolve } of group) {
      counts.accepted += eventCountOf(request);
      counts.deadLetters += request.deadLetters?.length ?? 0;
      resolve();
    }
    makeRoom(group);
    return true;
  }

  function refuse(group: readonly Waiting[], error: unknown): void {
    tellRefused(group, error);
    makeRoom(group);
  }

  function tellRefused(group: readonly Waiting[], error: unknown): void {
    counts.refused += group.length;
    for (const { reject } of group) reject(error);
  }

  function makeRoom(group: readonly Waiting[]): void {
    for (const { request, bytes } of group) {
      waitingEvents -= eventCountOf(request);
      waitingBytes -= bytes;
    }
    while (hasRoom()) {
      const next = heldBack.shift();
      if (!next) break;
      counts.backpressuredMs += wallTime() - next.since;
      admit(next);
    }
  }

  function tooMuchWaits(): Error {
    counts.refused++;
    const { heldBackEventsMax: eventsMax, heldBackBytesMax: bytesMax } = limits;
    const { events, bytes } = heldBack;
    return executionErrors.make('MACH3256', { node, events, bytes, eventsMax, bytesMax });
  }

  function hasRoom(): boolean {
    return waitingEvents < limits.groupCommitPendingEventsMax && waitingBytes < limits.groupCommitPendingBytesMax;
  }

  function admit(waiting: Waiting): void {
    waitingEvents += eventCountOf(waiting.request);
    waitingBytes += waiting.bytes;
    queue.push(waiting);
    start();
    if (isMessageFull()) hurry?.();
  }

  const silence = startSilenceWatch({ clock, idleMs: args.idleMs, origins: args.origins, onSilence: start });

  return {
    async append(request) {
      if (closing) throw new Error(`source ${node} is closing`);
      silence.heard(request.origin);
      const known = resent.outcomeOf(request);
      if (known) return known;
      if (heldBack.isFull) throw tooMuchWaits();
      const outcome = new Promise<void>((resolve, reject) => {
        const waiting = { request, bytes: bytesOf(request), resolve, reject };
        // Never past one that is held back already: requests of an origin keep their order.
        if (hasRoom() && !heldBack.first) admit(waiting);
        else heldBack.push({ ...waiting, since: wallTime() });
      });
      resent.add(request, outcome);
      return outcome;
    },
    originClosed: (origin) => silence.closed(origin),
    async ended() {
      closing = true;
      silence.stop();
      while (running) await running;
      await appendFrame(encodeSilenceFrame({ idle: [], closed: [], at: clock.now(), ended: true }));
    },
    async close() {
      closing = true;
      silence.stop();
      while (running) await running;
    },
    counts,
    get waitingEvents() {
      return waitingEvents;
    },
    get waitingBytes() {
      return waitingBytes;
    },
  };
}
