/** Notices when the origins of a source fall silent. What it notices is only a proposal: it counts once it is in the log. */
import type { Clock, Timer } from '../clock.ts';
import { limits } from '../limits.ts';
import type { SilenceFrame } from './log-frame.ts';

const looksPerIdle = 4;
const lookEveryMinMs = 50;

export interface SilenceWatch {
  /** The origin has said something. */
  heard(origin: string): void;
  /** The origin says no more: silent from now on, it holds nobody, and its time goes on with the clock. */
  closed(origin: string): void;
  /** Takes what has been noticed, but of the origins in `waiting`, whose events have yet to be appended; undefined when there is nothing. */
  take(waiting: ReadonlySet<string>): Omit<SilenceFrame, 'kind'> | undefined;
  /** What was taken is not in the log: the next look notices it anew. */
  putBack(noticed: Omit<SilenceFrame, 'kind'>): void;
  stop(): void;
}

export function startSilenceWatch(args: {
  clock: Clock;
  idleMs: number;
  /** Origins known from before a restart: they count as heard now, and fall silent from here. */
  origins: readonly string[];
  /** There is something to take. */
  onSilence(): void;
}): SilenceWatch {
  const { clock, idleMs, onSilence } = args;
  const openedAt = clock.now();
  const heardAt = new Map(args.origins.map((origin) => [origin, openedAt]));
  const idleSince = new Map<string, number>();
  let idle: { origin: string; elapsedMs: number }[] = [];
  let closed: string[] = [];
  let quiet = false;
  let saidQuiet = false;
  let unsaid: readonly string[] = [];
  let timer: Timer;

  function look(): void {
    const now = clock.now();
    closed.push(...unsaid);
    unsaid = [];
    for (const [origin, heard] of heardAt) {
      const since = idleSince.get(origin);
      if (now - heard > limits.originForgetMs && heardAt.size > 1) {
        heardAt.delete(origin);
        idleSince.delete(origin);
        closed.push(origin);
        continue;
      }
      // Repeated while the silence lasts, so that time goes on where every origin is silent.
      if (now - heard < idleMs || (since !== undefined && now - since < idleMs)) continue;
      idleSince.set(origin, now);
      idle.push({ origin, elapsedMs: now - heard });
    }
    if (heardAt.size === 0 && !saidQuiet && now - openedAt >= idleMs) {
      saidQuiet = true;
      quiet = true;
    }
    if (idle.length > 0 || closed.length > 0 || quiet) onSilence();
  }

  function schedule(): void {
    timer = clock.after(Math.max(idleMs / looksPerIdle, lookEveryMinMs), () => {
      look();
      schedule();
    });
  }
  schedule();

  return {
    heard(origin) {
      heardAt.set(origin, clock.now());
      idleSince.delete(origin);
      if (idle.length > 0) idle = idle.filter((one) => one.origin !== origin);
    },
    closed(origin) {
      const heard = heardAt.get(origin);
      if (heard === undefined) return;
      idleSince.set(origin, clock.now());
      idle.push({ origin, elapsedMs: clock.now() - heard });
      onSilence();
    },
    take(waiting) {
      const noticed = {
        idle: idle.filter(({ origin }) => !waiting.has(origin)),
        closed,
        // Somebody may have been heard since.
        ...(quiet && heardAt.size === 0 ? { quiet } : {}),
      };
      idle = [];
      closed = [];
      quiet = false;
      return noticed.idle.length > 0 || noticed.closed.length > 0 || noticed.quiet ? noticed : undefined;
    },
    putBack(noticed) {
      // Idle origins are noticed again and again.
      unsaid = [...unsaid, ...noticed.closed.filter((origin) => !heardAt.has(origin))];
      if (noticed.quiet) saidQuiet = false;
    },
    stop() {
      timer.cancel();
    },
  };
}
