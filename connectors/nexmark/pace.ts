/** When the events of the stream are given to the log: as fast as it takes them, or each at its moment of the clock. */
import { z } from 'zod';
import type { Clock } from '../../runtime/stream/index.ts';

/** Of one append; always cut at the same places, so that what comes again after a failure is known by its identity. */
const batchEventsMax = 4_096;
/** By the clock an event waits at most this long for those that go into the log with it, unless it is alone. */
const batchMs = 1;

export const paceOption = z
  .union([z.enum(['log', 'clock']), z.iso.datetime({ offset: true })])
  .default('log')
  .describe(
    'log: as fast as the log takes them; clock: `rate` events a second of the clock, from the opening on; a moment such as 2026-03-02T07:00:00Z: the same from then on, and what should be out by now at once',
  );

export interface Pace {
  readonly batchEvents: number;
  /** Resolves when the event at this position is due, or the signal aborts. */
  due(position: number, signal: AbortSignal): Promise<void>;
}

/** `from`: position of the next event. */
export function openPace(
  given: { readonly pace: z.output<typeof paceOption>; readonly rate: number },
  { clock, from }: { clock: Clock; from: number },
): Pace {
  const { pace, rate } = given;
  if (pace === 'log') return { batchEvents: batchEventsMax, due: async () => undefined };
  const momentOf = (position: number) => (position * 1_000) / rate;
  const beginMs = pace === 'clock' ? clock.now() - momentOf(from) : Date.parse(pace);
  return {
    batchEvents: Math.max(1, Math.min(batchEventsMax, Math.floor((rate * batchMs) / 1_000))),
    async due(position, signal) {
      const earlyMs = beginMs + momentOf(position) - clock.now();
      if (earlyMs > 0) await clock.sleep(Math.ceil(earlyMs), signal).catch(() => undefined);
    },
  };
}
