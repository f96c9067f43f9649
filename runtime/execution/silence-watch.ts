/** Notices when the origins of a source fall silent. What it notices is only a proposal: it counts once it is in the log. */
import type { Clock, Timer } from '../clock.ts';
import { limits } from '../limits.ts';
import type { SilenceFrame } from './log-frame.ts';

const looksPerIdle = 4;
const lookEveryMinMs = 50;

/** How often it is looked who has fallen silent: a silence counts so much later at the most. */
export function silenceLookMs(idleMs: number): number {
  return Math.max(idleMs / looksPerIdle, lookEveryMinMs);
}

export interface SilenceWatch {
  /** The origin has said something. */
  heard(origin: string): void;
  /** The origin says no more: silent from now on, it holds nobody, and its time goes on with the clock. */
  closed(origin: string): void;
  /**
   * Takes what has been noticed, as much as has room in a message, but of the origins that `waiting` says, whose events have yet to be appended: asked
   * only where some are silent, there may be very many. Undefined when there is nothing more.
   */
  take(waiting: () => ReadonlySet<string>): Omit<SilenceFrame, 'kind'> | undefined;
  /** What was taken is not in the log: the next look notices it anew, and all that had not been taken. */
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
  /** Noticed, and not taken: for how long each has been silent, ms. */
  const idle = new Map<string, number>();
  const closed = new Set<string>();
  let quiet = false;
  let saidQuiet = false;
  let unsaid: readonly string[] = [];
  let timer: Timer;

  function look(): void {
    const now = clock.now();
    for (const origin of unsaid) if (!heardAt.has(origin)) closed.add(origin);
    unsaid = [];
    for (const [origin, heard] of heardAt) {
      const since = idleSince.get(origin);
      if (now - heard > limits.originForgetMs && heardAt.size > 1) {
        heardAt.delete(origin);
        idleSince.delete(origin);
        idle.delete(origin);
        closed.add(origin);
        continue;
      }
      // Repeated while the silence lasts, so that time goes on where every origin is silent.
      if (now - heard < idleMs || (since !== undefined && now - since < idleMs)) continue;
      idleSince.set(origin, now);
      idle.set(origin, now - heard);
    }
    if (heardAt.size === 0 && !saidQuiet && now - openedAt >= idleMs) {
      saidQuiet = true;
      quiet = true;
    }
    if (idle.size > 0 || closed.size > 0 || quiet) onSilence();
  }

  function takeIdle(waitingNow: () => ReadonlySet<string>): { origin: string; elapsedMs: number }[] {
    if (idle.size === 0) return [];
    const waiting = waitingNow();
    const taken: { origin: string; elapsedMs: number }[] = [];
    for (const [origin, elapsedMs] of idle) {
      if (taken.length === limits.silenceOriginsMax) break;
      idle.delete(origin);
      if (!waiting.has(origin)) taken.push({ origin, elapsedMs });
    }
    return taken;
  }

  function takeClosed(): string[] {
    const taken = [...closed].slice(0, limits.silenceOriginsMax);
    for (const origin of taken) closed.delete(origin);
    return taken;
  }

  function schedule(): void {
    timer = clock.after(silenceLookMs(idleMs), () => {
      look();
      schedule();
    });
  }
  schedule();

  return {
    heard(origin) {
      heardAt.set(origin, clock.now());
      idleSince.delete(origin);
      idle.delete(origin);
      closed.delete(origin);
    },
    closed(origin) {
      const heard = heardAt.get(origin);
      if (heard === undefined) return;
      idleSince.set(origin, clock.now());
      idle.set(origin, clock.now() - heard);
      onSilence();
    },
    take(waiting) {
      const noticed = {
        idle: takeIdle(waiting),
        closed: takeClosed(),
        // Somebody may have been heard since.
        ...(quiet && heardAt.size === 0 ? { quiet } : {}),
      };
      quiet = false;
      return noticed.idle.length > 0 || noticed.closed.length > 0 || noticed.quiet ? noticed : undefined;
    },
    putBack(noticed) {
      // Idle origins are noticed again and again.
      idle.clear();
      unsaid = [...unsaid, ...noticed.closed, ...closed];
      closed.clear();
      if (noticed.quiet) saidQuiet = false;
    },
    stop() {
      timer.cancel();
    },
  };
}
