/** At most so many at once; others wait in the order in which they came, and only so many. */
import { boardErrors } from './errors.ts';

export interface Turns {
  take<T>(work: () => Promise<T>): Promise<T>;
}

export function makeTurns({ atOnceMax, waitingMax }: { atOnceMax: number; waitingMax: number }): Turns {
  let running = 0;
  const waiting: (() => void)[] = [];
  const free = async () => {
    if (running < atOnceMax) {
      running++;
      return;
    }
    if (waiting.length >= waitingMax) throw boardErrors.make('MACH3305', { max: waitingMax });
    // Who hands on a turn does not give it back.
    await new Promise<void>((resolve) => waiting.push(resolve));
  };
  return {
    async take(work) {
      await free();
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next) next();
        else running--;
      }
    },
  };
}
