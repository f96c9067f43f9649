/** The clock of a simulated process: it may be set wrong, stands still for a paused process, and is silent for a dead one. */
import type { Clock } from '../../../runtime/clock.ts';
import type { Gate } from './gate.ts';

export interface ProcessClock {
  /** The time of day: jumps when somebody sets it. */
  readonly wall: Clock;
  /** Counts on whatever the time of day is set to. */
  readonly monotonic: Clock;
  jump(byMs: number): void;
}

export function processClock(base: Clock, gate: Gate): ProcessClock {
  let offsetMs = 0;

  function after(delayMs: number, run: () => void) {
    let cancelled = false;
    const timer = base.after(delayMs, () => {
      if (gate.dead) return;
      if (!gate.paused) return run();
      void gate.pass().then(() => {
        if (!cancelled && !gate.dead) run();
      });
    });
    return {
      cancel() {
        cancelled = true;
        timer.cancel();
      },
    };
  }

  function clockOf(now: () => number): Clock {
    return {
      now,
      after,
      sleep(delayMs, signal) {
        return new Promise((resolve, reject) => {
          if (signal?.aborted) return reject(signal.reason);
          const onAbort = () => {
            timer.cancel();
            reject(signal?.reason);
          };
          const timer = after(delayMs, () => {
            signal?.removeEventListener('abort', onAbort);
            resolve();
          });
          signal?.addEventListener('abort', onAbort, { once: true });
        });
      },
    };
  }

  return {
    wall: clockOf(() => base.now() + offsetMs),
    monotonic: clockOf(() => base.now()),
    jump(byMs) {
      offsetMs += byMs;
    },
  };
}
