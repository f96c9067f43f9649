/** Watermarks: how far event time has come on an edge, and how several edges are combined. */

import { OriginTimes } from './origin-times.ts';
import { type OriginView, type SourceView, slowestOf } from './state-view.ts';

export interface Progress {
  readonly time: number;
  readonly idle: boolean;
  readonly ended: boolean;
}

export const unstarted: Progress = Object.freeze({ time: Number.NEGATIVE_INFINITY, idle: false, ended: false });
export const atEnd: Progress = Object.freeze({ time: Number.POSITIVE_INFINITY, idle: false, ended: true });

/**
 * Flink's rule (FLINK-38477): any input active: the minimum over the active; else any idle: the maximum over the idle;
 * else all have ended: +Infinity.
 */
export function combineProgress(inputs: Iterable<Progress>): { time: number; idle: boolean } {
  let activeMin = Number.POSITIVE_INFINITY;
  let idleMax = Number.NEGATIVE_INFINITY;
  let active = 0;
  let idle = 0;
  for (const input of inputs) {
    if (input.ended) continue;
    if (input.idle) {
      idle++;
      idleMax = Math.max(idleMax, input.time);
      continue;
    }
    active++;
    activeMin = Math.min(activeMin, input.time);
  }
  if (active > 0) return { time: activeMin, idle: false };
  if (idle > 0) return { time: idleMax, idle: true };
  return { time: Number.POSITIVE_INFINITY, idle: false };
}

/**
 * Of the edges that enter a node: as above, but where all are idle the minimum. Idle edges go on with the clock here, each by its
 * own steps; the maximum would run ahead of what a slower edge still brings, and make that late.
 */
export function combineEdges(edges: readonly Progress[]): { time: number; idle: boolean } {
  const combined = combineProgress(edges);
  if (!combined.idle) return combined;
  let time = Number.POSITIVE_INFINITY;
  // An edge that never brought anything has no time to wait for.
  for (const edge of edges) if (!edge.ended && edge.time !== unstarted.time) time = Math.min(time, edge.time);
  return { time: time === Number.POSITIVE_INFINITY ? unstarted.time : time, idle: true };
}

interface OriginState {
  /** Newest event time seen. */
  newest: number;
  /** The watermark that follows from it, or from the clock while the origin is idle. */
  watermark: number;
  idle: boolean;
  /** Engine time at which it was last heard, as the log says. */
  heardAt?: number;
}

interface KnownOrigin extends OriginState {
  /** In `OriginTimes`. */
  readonly number: number;
}

export interface OriginHeard {
  readonly origin: string;
  /** Newest event time seen. */
  readonly newest: number;
  /** Engine time at which it was last heard; undefined where the log did not say. */
  readonly heardAt: number | undefined;
}

/** When silence was noticed, in engine time, and after how long an origin counts as silent. */
export interface Noticed {
  readonly at: number;
  readonly idleMs: number;
}

/** Heard within this part of the time of silence: whoever noticed the silence did not listen where it was heard. */
const heardSinceShare = 0.75;

export interface OriginsSnapshot {
  readonly origins: readonly (readonly [string, OriginState])[];
  readonly combined: number;
  readonly idle: boolean;
}

/**
 * The watermark of a source edge, from the origins that feed it (hospitals, centres, files). An origin's watermark is its
 * newest event time less the allowed disorder, rounded down to steps: so it moves at the same events however the input
 * was cut into log messages, and rarely.
 */
export class OriginWatermarks {
  private readonly origins = new Map<string, KnownOrigin>();
  private readonly times = new OriginTimes();
  private combined = Number.NEGATIVE_INFINITY;
  private idle = false;
  private readonly disorderMs: number;
  private readonly stepMs: number;

  constructor(disorderMs: number, stepMs: number) {
    this.disorderMs = disorderMs;
    this.stepMs = stepMs;
  }

  get time(): number {
    return this.combined;
  }

  get allIdle(): boolean {
    return this.idle;
  }

  /**
   * Takes note of events of one origin, `times[from]` to `times[to - 1]`, until one moves the combined watermark. The index behind that one, or
   * -1 when none has. `heardAt`: engine time of their acceptance; a sender whose clock is ahead of it does not take everybody's time with it.
   */
  observeRun(origin: string, times: ArrayLike<number>, run: { from: number; to: number; heardAt?: number }): number {
    const { from, to, heardAt } = run;
    const bound = heardAt ?? Number.POSITIVE_INFINITY;
    let newest = Number.NEGATIVE_INFINITY;
    // The first event ends a silence; of the others only those count that come so far.
    let movesAt = newest;
    for (let at = from; at < to; at++) {
      const time = Math.min(times[at] as number, bound);
      if (time > newest) newest = time;
      if (time < movesAt) continue;
      if (this.observe(origin, newest, heardAt)) return at + 1;
      movesAt = this.movesAt(origin);
    }
    const state = this.origins.get(origin);
    if (state && newest > state.newest) state.newest = newest;
    return -1;
  }

  /** Takes note of an event; true when the combined watermark has moved. `heardAt`: engine time of its acceptance. */
  observe(origin: string, time: number, heardAt?: number): boolean {
    let state = this.origins.get(origin);
    if (state && heardAt !== undefined) state.heardAt = heardAt;
    if (!state) {
      state = {
        number: this.times.enter(),
        newest: time,
        watermark: Number.NEGATIVE_INFINITY,
        idle: false,
        ...(heardAt !== undefined && { heardAt }),
      };
      this.origins.set(origin, state);
    } else if (time <= state.newest && !state.idle) {
      return false;
    }
    const wasIdle = state.idle;
    state.idle = false;
    // While it was silent its time went on with the clock; a late event does not set it back.
    if (wasIdle) state.newest = Math.max(state.newest, state.watermark + this.disorderMs);
    if (time > state.newest) state.newest = time;
    const watermark = this.watermarkAt(state.newest);
    if (watermark <= state.watermark && !wasIdle) return false;
    this.reach(state, watermark);
    return this.recombine();
  }

  /** By the time of arrival, time goes on for every origin that is heard, whoever says it; true when the combined watermark has moved. */
  observeArrival(time: number): boolean {
    for (const state of this.origins.values()) {
      if (state.idle || time <= state.newest) continue;
      state.newest = time;
      this.reach(state, this.watermarkAt(time));
    }
    return this.origins.size > 0 && this.recombine();
  }

  /**
   * The origin is silent; its time goes on at the pace of the clock, `elapsedMs` beyond its newest event. No further than since the log has
   * heard it: a process that was stopped for an hour has heard nobody for an hour, and would take everybody's time with it.
   */
  markIdle(origin: string, elapsedMs: number, noticed?: Noticed): boolean {
    const state = this.origins.get(origin);
    if (!state) return false;
    const sinceMs = noticed && state.heardAt !== undefined ? Math.max(0, noticed.at - state.heardAt) : elapsedMs;
    // One that closes is told before its time; only silence can be mistaken.
    const isSilence = noticed !== undefined && elapsedMs >= noticed.idleMs;
    if (isSilence && sinceMs < noticed.idleMs * heardSinceShare) return false;
    state.idle = true;
    const passedMs = Math.min(elapsedMs, sinceMs);
    // Nor past the time at which it was noticed: what a process that had stood still appends may come long after it was accepted.
    const latest = Math.max(state.newest, noticed?.at ?? Number.POSITIVE_INFINITY);
    const reached = Math.min(state.newest + passedMs, latest);
    this.reach(state, this.watermarkAt(reached));
    return this.recombine();
  }

  /** Nobody has ever been heard: nobody waits for this source. */
  markQuiet(): boolean {
    if (this.origins.size > 0 || this.idle) return false;
    this.idle = true;
    return true;
  }

  close(origin: string): boolean {
    const state = this.origins.get(origin);
    if (!state) return false;
    this.origins.delete(origin);
    this.times.leave(state.number);
    // The last origin's time is kept: a source without origins is idle where it was, not at the end of time.
    if (this.origins.size === 0) {
      const wasIdle = this.idle;
      this.idle = true;
      return !wasIdle;
    }
    return this.recombine();
  }

  /** The origin that holds the others back. */
  holding(): { origin: string; watermark: number } | undefined {
    let held: { origin: string; watermark: number } | undefined;
    for (const [origin, state] of this.origins) {
      if (!state.idle && (!held || state.watermark < held.watermark)) held = { origin, watermark: state.watermark };
    }
    return held;
  }

  heard(): OriginHeard[] {
    return [...this.origins].map(([origin, { newest, heardAt }]) => ({ origin, newest, heardAt }));
  }

  view(): SourceView {
    const { origins, idle } = this;
    function* all(): IterableIterator<OriginView> {
      for (const [origin, { watermark, idle: isIdle }] of origins) yield { origin, watermark, idle: isIdle };
    }
    return { idle, slowest: () => slowestOf(all()) };
  }

  snapshot(): OriginsSnapshot {
    return {
      origins: [...this.origins].map(([origin, { number: _number, ...state }]) => [origin, state] as const),
      combined: this.combined,
      idle: this.idle,
    };
  }

  restore(snapshot: OriginsSnapshot): void {
    this.origins.clear();
    this.times.clear();
    for (const [origin, state] of snapshot.origins) {
      const known = { ...state, number: this.times.enter() };
      this.origins.set(origin, known);
      this.times.set(known.number, known);
    }
    this.combined = snapshot.combined;
    this.idle = snapshot.idle;
  }

  private watermarkAt(newest: number): number {
    return Math.floor((newest - this.disorderMs) / this.stepMs) * this.stepMs;
  }

  /** The first time that moves the watermark of an origin which is not silent. */
  private movesAt(origin: string): number {
    const { watermark } = this.origins.get(origin) as OriginState;
    return (Math.floor(watermark / this.stepMs) + 1) * this.stepMs + this.disorderMs;
  }

  private reach(state: KnownOrigin, watermark: number): void {
    state.watermark = Math.max(state.watermark, watermark);
    this.times.set(state.number, state);
  }

  private recombine(): boolean {
    const { time, idle } = this.times.combined();
    const moved = time > this.combined || idle !== this.idle;
    this.combined = Math.max(this.combined, time);
    this.idle = idle;
    return moved;
  }
}
