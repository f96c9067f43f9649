/** What a source is given to work with in its own tests: a log in memory that outlives the source, as the real one does. */
import type {
  AppendRequest,
  Clock,
  DeadLetter,
  Event,
  Logger,
  SourceContext,
  SourceEvent,
} from '../../runtime/stream/index.ts';

export interface RecordedLog {
  readonly requests: AppendRequest[];
  readonly events: SourceEvent[];
  readonly deadLetters: DeadLetter[];
  readonly marks: Map<string, string>;
  readonly closedOrigins: string[];
  /** The source has said that nothing more will come. */
  ended: boolean;
  readonly counts: Map<string, number>;
  /** Called before a request is stored; may wait, and may throw: the request is then not stored. */
  before: (request: AppendRequest) => Promise<void> | void;
  /** Called after a request is stored and before its sender hears of it; may throw, as a crash would. */
  after: (request: AppendRequest) => Promise<void> | void;
  /** Gives an event to those who subscribe. */
  publish(subject: string, event: Event): void;
}

export interface TestContext extends SourceContext {
  readonly stop: AbortController;
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

interface Subscription {
  readonly subject: string;
  take(event: Event): void;
}

const subscriptions = new WeakMap<RecordedLog, Set<Subscription>>();

export function recordedLog(): RecordedLog {
  const listeners = new Set<Subscription>();
  const log: RecordedLog = {
    requests: [],
    events: [],
    deadLetters: [],
    marks: new Map(),
    closedOrigins: [],
    ended: false,
    counts: new Map(),
    before() {},
    after() {},
    publish(subject, event) {
      for (const listener of listeners) if (listener.subject === subject) listener.take(event);
    },
  };
  subscriptions.set(log, listeners);
  return log;
}

async function* subscribe(log: RecordedLog, subject: string, signal: AbortSignal): AsyncGenerator<Event> {
  const waiting: Event[] = [];
  let wake = () => {};
  const listener: Subscription = {
    subject,
    take(event) {
      waiting.push(event);
      wake();
    },
  };
  subscriptions.get(log)?.add(listener);
  signal.addEventListener('abort', () => wake(), { once: true });
  try {
    while (!signal.aborted) {
      const event = waiting.shift();
      if (event) yield event;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    subscriptions.get(log)?.delete(listener);
  }
}

/** A context over a log. Several contexts over one log, one after the other, are restarts of the engine. */
export function testContext(log: RecordedLog, { clock, node = 'test' }: { clock: Clock; node?: string }): TestContext {
  const stop = new AbortController();
  let tail: Promise<void> = Promise.resolve();
  let failures = 0;
  const store = async (request: AppendRequest) => {
    await log.before(request);
    log.requests.push(request);
    log.events.push(...request.events);
    const { events: many, times = [] } = request.columns ?? {};
    for (const [at, event] of (many?.events ?? []).entries()) log.events.push({ event, time: times[at] as number });
    log.deadLetters.push(...(request.deadLetters ?? []));
    if (request.mark !== undefined) log.marks.set(request.origin, request.mark);
    await log.after(request);
  };
  return {
    node,
    clock,
    machineClock: clock,
    logger: silent,
    signal: stop.signal,
    stop,
    append(request) {
      // In order; a request that fails takes those that wait behind it along. Later ones are tried anew.
      const failuresBefore = failures;
      const done = tail.then(async () => {
        if (failures > failuresBefore) throw new Error('a request before this one failed');
        try {
          await store(request);
        } catch (error) {
          failures++;
          throw error;
        }
      });
      tail = done.catch(() => undefined);
      return done;
    },
    mark: (origin) => log.marks.get(origin),
    originClosed: (origin) => void log.closedOrigins.push(origin),
    async ended() {
      await tail;
      log.ended = true;
    },
    count: (metric, by) => void log.counts.set(metric, (log.counts.get(metric) ?? 0) + by),
    gauge() {},
    subscribe: (subject, signal) => subscribe(log, subject, signal),
  };
}

/** Resolves once a condition holds; the test's own time-out is the bound. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
