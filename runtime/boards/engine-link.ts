/** The running engine, asked over its HTTP server: engine time, and what it says of itself. */
import { wallTime } from '../clock.ts';
import type { EngineStatus } from '../observe/status.ts';
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
}

/** `address`: of the HTTP server of the engine that runs now; undefined when none is known. */
export function linkEngine(address: () => Promise<string | undefined>): EngineLink {
  let asked: { at: number; clock: Promise<EngineClock> } | undefined;
  return {
    clock() {
      const at = performance.now();
      if (!asked || at - asked.at > boardLimits.engineLookEveryMs) asked = { at, clock: askClock(address) };
      return asked.clock;
    },
  };
}

async function askClock(address: () => Promise<string | undefined>): Promise<EngineClock> {
  try {
    const url = await address();
    if (url === undefined) return { now: wallTime(), engine: null };
    const response = await fetch(`${url}/status`, { signal: AbortSignal.timeout(boardLimits.engineAnswerMs) });
    const { engineTime, state, nodes } = (await response.json()) as EngineStatus;
    const lags = nodes.flatMap(({ kind, lagMs }) => (kind === 'sink' && lagMs !== null ? [lagMs] : []));
    return { now: engineTime, engine: { state, lagMs: lags.length > 0 ? Math.max(...lags) : null } };
  } catch {
    return { now: wallTime(), engine: null };
  }
}
