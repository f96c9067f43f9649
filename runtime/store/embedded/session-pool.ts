/** Sessions of one kind with a bounded queue before them, first come, first served. */
import { EngineError, type EngineSession } from './engine-session.ts';

export interface SessionPool {
  /**
   * Waits for a free session. Rejects with code 202 when `waitingMax` are waiting already, with 394 when the signal is aborted
   * before a session is free.
   */
  use<T>(run: (session: EngineSession) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Resolves when nothing runs or waits. */
  idle(): Promise<void>;
  close(): void;
  readonly waiting: number;
}

export interface SessionPoolOptions {
  readonly name: string;
  readonly size: number;
  readonly waitingMax: number;
  open(): EngineSession;
}

export function createSessionPool({ name, size, waitingMax, open }: SessionPoolOptions): SessionPool {
  const sessions = Array.from({ length: size }, open);
  const free = [...sessions];
  const queue: ((session: EngineSession) => void)[] = [];
  const idleWaiters: (() => void)[] = [];

  const release = (session: EngineSession) => {
    const next = queue.shift();
    if (next) {
      next(session);
      return;
    }
    free.push(session);
    if (free.length === size) for (const resolve of idleWaiters.splice(0)) resolve();
  };
  const acquire = (signal?: AbortSignal): Promise<EngineSession> => {
    const cancelled = () => EngineError.make(394, 'QUERY_WAS_CANCELLED', 'Query was cancelled before it began');
    if (signal?.aborted) return Promise.reject(cancelled());
    const session = free.pop();
    if (session) return Promise.resolve(session);
    if (queue.length >= waitingMax) {
      const text = `Too many simultaneous queries: ${waitingMax} wait for one of ${size} ${name} sessions (waitingRequestsMax)`;
      return Promise.reject(EngineError.make(202, 'TOO_MANY_SIMULTANEOUS_QUERIES', text));
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        queue.splice(queue.indexOf(take), 1);
        reject(cancelled());
      };
      const take = (free: EngineSession) => {
        signal?.removeEventListener('abort', onAbort);
        resolve(free);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      queue.push(take);
    });
  };

  return {
    async use(run, signal) {
      const session = await acquire(signal);
      try {
        return await run(session);
      } finally {
        release(session);
      }
    },
    idle: () => (free.length === size ? Promise.resolve() : new Promise((resolve) => idleWaiters.push(resolve))),
    close() {
      for (const session of sessions) session.close();
    },
    get waiting() {
      return queue.length;
    },
  };
}
