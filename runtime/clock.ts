/**
 * Time, injected. Nothing in the engine calls `Date.now()` or `setTimeout` but through a clock, so that tests run in
 * virtual time and a simulated city runs at sixty times real time with the same engine.
 */

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Engine time, ms since the epoch. */
  now(): number;
  /** Calls `run` once after `delayMs` of engine time. Does not keep the process alive by itself. */
  after(delayMs: number, run: () => void): Timer;
  /** Resolves after `delayMs` of engine time; rejects with the signal's reason when aborted. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

function sleepOn(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** The longest wait that `setTimeout` takes; a longer one it would end at once. */
const timeoutMsMax = 2 ** 31 - 1;

/** `setTimeout` for waits of any length, of the machine's time. */
export function machineTimer(delayMs: number, run: () => void): Timer {
  let handle: NodeJS.Timeout;
  const wait = (restMs: number) => {
    const more = restMs > timeoutMsMax;
    handle = more ? setTimeout(() => wait(restMs - timeoutMsMax), timeoutMsMax) : setTimeout(run, restMs);
  };
  wait(delayMs);
  return { cancel: () => clearTimeout(handle) };
}

/** The machine's clock, or one that runs `rate` times as fast from `start`. */
export function systemClock({ rate = 1, start }: { rate?: number; start?: number } = {}): Clock {
  const origin = Date.now();
  const begin = start ?? origin;
  const clock: Clock = {
    now: () => begin + (Date.now() - origin) * rate,
    after(delayMs, run) {
      return machineTimer(delayMs / rate, run);
    },
    sleep: (delayMs, signal) => sleepOn(clock, delayMs, signal),
  };
  return clock;
}

/**
 * The machine's time as it passes, whatever the time of day is set to meanwhile: for waits, retries and deadlines, which a clock that
 * is set back an hour must not stop for an hour. Its `now` is the time of day when it was made, and goes on from there.
 */
export function steadyClock(): Clock {
  const begin = Date.now() - performance.now();
  const clock: Clock = {
    now: () => Math.floor(begin + performance.now()),
    after: machineTimer,
    sleep: (delayMs, signal) => sleepOn(clock, delayMs, signal),
  };
  return clock;
}

export interface VirtualClock extends Clock {
  /** Runs every timer that falls due within `byMs`, in order of time then of creation, letting promises settle between. */
  advance(byMs: number): Promise<void>;
  /** Number of timers not yet due. */
  readonly pending: number;
}

/** A clock that moves only when told to. */
export function virtualClock(start = 0): VirtualClock {
  let now = start;
  let created = 0;
  const timers = new Map<number, { at: number; run: () => void }>();
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  const nextDue = (until: number): number | undefined => {
    let best: number | undefined;
    let bestAt = Number.POSITIVE_INFINITY;
    for (const [id, timer] of timers) {
      if (timer.at <= until && timer.at < bestAt) {
        best = id;
        bestAt = timer.at;
      }
    }
    return best;
  };
  const clock: VirtualClock = {
    now: () => now,
    after(delayMs, run) {
      const id = created++;
      timers.set(id, { at: now + Math.max(0, delayMs), run });
      return { cancel: () => void timers.delete(id) };
    },
    sleep: (delayMs, signal) => sleepOn(clock, delayMs, signal),
    get pending() {
      return timers.size;
    },
    async advance(byMs) {
      const until = now + byMs;
      await settle();
      for (let id = nextDue(until); id !== undefined; id = nextDue(until)) {
        const timer = timers.get(id);
        timers.delete(id);
        if (!timer) continue;
        now = Math.max(now, timer.at);
        timer.run();
        await settle();
      }
      now = until;
      await settle();
    },
  };
  return clock;
}

/** The machine's own time, for measuring how long things take; never for deciding anything. */
export function wallTime(): number {
  return Date.now();
}
