/** The running engine, asked over its HTTP server: engine time, its graph, what it says of itself. */
import { wallTime } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { EngineStatus } from '../observe/status.ts';
import { boardErrors } from './errors.ts';
import { boardLimits } from './limits.ts';

export interface EngineClock {
  /** Engine time, ms: what `now` is on the boards. That of the machine while no engine answers. */
  readonly now: number;
  /** null: none answers. */
  readonly engine: {
    readonly state: string;
    /** How far behind engine time the slowest sink is, ms; null before its first event. */
    readonly lagMs: number | null;
  } | null;
}

export interface EngineLink {
  clock(): Promise<EngineClock>;
  /** What it answers to a path; rejects with MACH3310 when none answers. `signal` ends an answer that goes on, as that of a tap. */
  ask(path: string, signal?: AbortSignal): Promise<Response>;
}

/** `address`: of the HTTP server of the engine that runs now; undefined when none is known. */
export function linkEngine(address: () => Promise<string | undefined>): EngineLink {
  let asked: { at: number; clock: Promise<EngineClock> } | undefined;

  async function ask(path: string, signal?: AbortSignal): Promise<Response> {
    const url = await address();
    if (url === undefined) throw boardErrors.make('MACH3310', { reason: 'none is known to run' });
    try {
      return await fetch(`${url}${path}`, { signal: signal ?? AbortSignal.timeout(boardLimits.engineAnswerMs) });
    } catch (error) {
      throw boardErrors.make('MACH3310', { reason: messageOf(error) }, error);
    }
  }

  async function askClock(): Promise<EngineClock> {
    try {
      const { engineTime, state, nodes } = (await (
        await ask('/status', AbortSignal.timeout(boardLimits.engineClockMs))
      ).json()) as EngineStatus;
      const lags = nodes.flatMap(({ kind, lagMs }) => (kind === 'sink' && lagMs !== null ? [lagMs] : []));
      return { now: engineTime, engine: { state, lagMs: lags.length > 0 ? Math.max(...lags) : null } };
    } catch {
      return { now: wallTime(), engine: null };
    }
  }

  return {
    ask,
    clock() {
      const at = performance.now();
      if (!asked || at - asked.at > boardLimits.engineLookEveryMs) asked = { at, clock: askClock() };
      return asked.clock;
    },
  };
}
