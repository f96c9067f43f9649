/** The connection to the broker that all streams of a log share: its state, and requests that outlive its breaks. */
import { JetStreamApiError, JetStreamError, type JetStreamManager } from '@nats-io/jetstream';
import { errors, type NatsConnection } from '@nats-io/transport-node';
import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import { limits } from '../../limits.ts';
import { logErrors } from '../errors.ts';

export interface Connection {
  readonly nats: NatsConnection;
  readonly manager: JetStreamManager;
  readonly clock: Clock;
  readonly url: string;
  /** Copies of a stream that does not say it itself. */
  readonly replicas: number | undefined;
  readonly up: boolean;
  /** The server has no room on its disk: requests are given as long as that lasts. */
  held: boolean;
  /** Counts connections made: changes when the connection was broken in between. */
  readonly epoch: number;
  onDown(listener: () => void): () => void;
  onUp(listener: () => void): () => void;
  /**
   * Runs a request that may be repeated until the broker answers. Rejects with what the broker says, or with MACH3009
   * when it has said nothing by the deadline, or when the signal aborts.
   */
  persist<T>(run: () => Promise<T>, options?: { signal?: AbortSignal | undefined; deadlineMs?: number }): Promise<T>;
}

/** Codes of the API that another attempt may get around: no leader yet, server starting, temporarily out of something. */
const transientStatus = 503;

export function isTransient(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return error.status === transientStatus;
  return (
    error instanceof errors.TimeoutError ||
    error instanceof errors.NoRespondersError ||
    error instanceof errors.RequestError ||
    error instanceof JetStreamError ||
    (error instanceof errors.ConnectionError && !(error instanceof errors.ClosedConnectionError))
  );
}

export function trackConnection(args: {
  nats: NatsConnection;
  manager: JetStreamManager;
  clock: Clock;
  url: string;
  replicas: number | undefined;
}): Connection {
  const { nats, manager, clock, url, replicas } = args;
  const downListeners = new Set<() => void>();
  const upListeners = new Set<() => void>();
  let up = true;
  let epoch = 1;

  const goDown = () => {
    if (!up) return;
    up = false;
    for (const listener of [...downListeners]) listener();
  };
  const watch = async (): Promise<void> => {
    for await (const status of nats.status()) {
      if (status.type === 'disconnect' || status.type === 'close') goDown();
      if (status.type !== 'reconnect') continue;
      goDown();
      up = true;
      epoch++;
      for (const listener of [...upListeners]) listener();
    }
  };
  void watch().catch(() => undefined);

  const listen = (listeners: Set<() => void>, listener: () => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };

  const broken = () => new errors.RequestError('the connection broke');

  /** Resolves when the connection is up, or at the deadline (what is asked then fails by itself). */
  async function whenUp(signal: AbortSignal | undefined, until: number): Promise<void> {
    while (!up && !nats.isClosed() && clock.now() < until) {
      const forget = new AbortController();
      const ends = signal ? AbortSignal.any([signal, forget.signal]) : forget.signal;
      const reconnected = new Promise<void>((resolve) => {
        const stopListening = listen(upListeners, resolve);
        ends.addEventListener('abort', stopListening, { once: true });
      });
      const pause = clock.sleep(Math.min(1_000, until - clock.now()), ends);
      try {
        await Promise.race([reconnected, pause]);
      } finally {
        pause.catch(() => undefined);
        forget.abort();
      }
    }
  }

  /** A request whose connection has broken is never answered; no need to wait for its time-out. */
  async function orBroken<T>(run: () => Promise<T>): Promise<T> {
    if (!up) throw broken();
    let stopListening = () => {};
    const breaks = new Promise<never>((_, reject) => {
      stopListening = listen(downListeners, () => reject(broken()));
    });
    try {
      return await Promise.race([run(), breaks]);
    } finally {
      stopListening();
    }
  }

  const connection: Connection = {
    nats,
    manager,
    clock,
    url,
    replicas,
    held: false,
    get up() {
      return up && !nats.isClosed();
    },
    get epoch() {
      return epoch;
    },
    onDown: (listener) => listen(downListeners, listener),
    onUp: (listener) => listen(upListeners, listener),
    async persist(run, { signal, deadlineMs = limits.appendDeadlineMs } = {}) {
      let until = clock.now() + deadlineMs;
      for (;;) {
        signal?.throwIfAborted();
        if (nats.isClosed()) throw logErrors.make('MACH3015');
        try {
          await whenUp(signal, until);
          return await orBroken(run);
        } catch (error) {
          if (nats.isClosed()) throw logErrors.make('MACH3015', {}, error);
          if (!isTransient(error)) throw error;
          if (connection.held) until = clock.now() + deadlineMs;
          if (clock.now() >= until) throw logErrors.make('MACH3009', { url, reason: messageOf(error) }, error);
          await clock.sleep(limits.appendRetryDelayMs, signal);
        }
      }
    },
  };
  return connection;
}
