/**
 * Named crash points: places where a process may die, named where they stand in the code, so that a test can make it die
 * exactly there. `crashPoints.at('checkpoint.before-manifest')` does nothing in production.
 */

export interface CrashPoints {
  /** Throws `SimulatedCrash` when armed for this name and this visit. */
  at(name: string): void;
}

export const noCrashPoints: CrashPoints = Object.freeze({ at() {} });

/** Where a module that a bench preloads into the process leaves crash points of its own. */
const preloaded = Symbol.for('mach.crash-points');

/** Crash points of this process: none, unless a bench has preloaded some to make a real engine die at a named place. */
export function processCrashPoints(): CrashPoints {
  return (globalThis as { [preloaded]?: CrashPoints })[preloaded] ?? noCrashPoints;
}

/**
 * Stands for the death of the process. Code must let it through untouched: after it, nothing of the process may act, so
 * whoever catches it (a test) also drops the process' clients of the log (`memoryLog(...).crash()`).
 */
export class SimulatedCrash extends Error {
  readonly point: string;
  readonly visit: number;

  constructor(point: string, visit: number) {
    super(`simulated crash at ${point}, visit ${visit}`);
    this.name = 'SimulatedCrash';
    this.point = point;
    this.visit = visit;
  }
}

export interface ArmedCrashPoints extends CrashPoints {
  /** Crash at the n-th visit of this name from now on (1: the next). */
  arm(name: string, visit?: number): void;
  disarm(): void;
  /** Visits so far by name, armed or not: proves that a test went through the points that it means. */
  readonly visits: ReadonlyMap<string, number>;
  /** The crash that has happened, if one has. From then on every point throws it again: the process is dead. */
  readonly crashed: SimulatedCrash | undefined;
}

/** Crash points of one simulated process. `onCrash` runs before the throw, to cut the process off from the log. */
export function armedCrashPoints(onCrash?: (crash: SimulatedCrash) => void): ArmedCrashPoints {
  const armed = new Map<string, number>();
  const visits = new Map<string, number>();
  let crashed: SimulatedCrash | undefined;
  return {
    visits,
    get crashed() {
      return crashed;
    },
    arm(name, visit = 1) {
      armed.set(name, (visits.get(name) ?? 0) + visit);
    },
    disarm() {
      armed.clear();
    },
    at(name) {
      if (crashed) throw crashed;
      const visit = (visits.get(name) ?? 0) + 1;
      visits.set(name, visit);
      if (armed.get(name) !== visit) return;
      crashed = new SimulatedCrash(name, visit);
      onCrash?.(crashed);
      throw crashed;
    },
  };
}
