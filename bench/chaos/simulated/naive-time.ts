/** Event time of a source as ARCHITECTURE.md tells it, computed plainly: for the oracle, which must not ask the engine. */

const stepMs = 1_000;

interface Origin {
  newest: number;
  mark: number;
  silent: boolean;
  heardAt: number;
}

/** How far a source has come. */
export interface SourceTime {
  readonly time: number;
  readonly silent: boolean;
}

export class NaiveSourceTime {
  private readonly origins = new Map<string, Origin>();
  private readonly disorderMs: number;
  private readonly idleMs: number;
  private reached = Number.NEGATIVE_INFINITY;
  private quiet = false;

  constructor({ disorderMs, idleMs }: { disorderMs: number; idleMs: number }) {
    this.disorderMs = disorderMs;
    this.idleMs = idleMs;
  }

  private markOf(newest: number): number {
    return Math.floor((newest - this.disorderMs) / stepMs) * stepMs;
  }

  /** `at`: when the engine accepted it. */
  heard(name: string, time: number, at: number): void {
    this.quiet = false;
    const origin = this.origins.get(name) ?? {
      newest: time,
      mark: Number.NEGATIVE_INFINITY,
      silent: false,
      heardAt: at,
    };
    this.origins.set(name, origin);
    if (origin.silent) origin.newest = Math.max(origin.newest, origin.mark + this.disorderMs);
    origin.silent = false;
    origin.heardAt = at;
    origin.newest = Math.max(origin.newest, time);
    origin.mark = Math.max(origin.mark, this.markOf(origin.newest));
  }

  /** `at`: when somebody noticed; who had not listened where the origin spoke since then is not believed. */
  silent(name: string, elapsedMs: number, at: number): void {
    const origin = this.origins.get(name);
    if (!origin) return;
    const sinceMs = Math.max(0, at - origin.heardAt);
    if (elapsedMs >= this.idleMs && sinceMs < this.idleMs * 0.75) return;
    origin.silent = true;
    const reached = Math.min(origin.newest + Math.min(elapsedMs, sinceMs), Math.max(origin.newest, at));
    origin.mark = Math.max(origin.mark, this.markOf(reached));
  }

  neverHeard(): void {
    if (this.origins.size === 0) this.quiet = true;
  }

  /** The slowest of those that speak; while all are silent the fastest. Never goes back. */
  now(): SourceTime {
    const all = [...this.origins.values()];
    const speaking = all.filter(({ silent }) => !silent);
    if (speaking.length > 0) this.reached = Math.max(this.reached, Math.min(...speaking.map(({ mark }) => mark)));
    else if (all.length > 0) this.reached = Math.max(this.reached, ...all.map(({ mark }) => mark));
    return { time: this.reached, silent: this.quiet || (all.length > 0 && speaking.length === 0) };
  }
}

/** Of a node that two sources feed: the slower of those that speak; while both are silent the slower that ever spoke. */
export function slower(one: SourceTime, other: SourceTime): number {
  const speaking = [one, other].filter(({ silent }) => !silent);
  if (speaking.length > 0) return Math.min(...speaking.map(({ time }) => time));
  const spoke = [one.time, other.time].filter((time) => time !== Number.NEGATIVE_INFINITY);
  return spoke.length > 0 ? Math.min(...spoke) : Number.NEGATIVE_INFINITY;
}
