/** Pictures of something at whole steps of event time, corrected when what is known of the past changes. */

import type { StateMigration } from '../../runtime/stream/index.ts';
import { agree } from './state-basis.ts';

export interface PictureProgress {
  /** Newest instant of which a picture has been given; -Infinity before anything was heard. */
  lastInstant: number;
  /** Earliest time at which what is known has changed since the last pictures. */
  changedFrom: number;
  /** Nothing before this time is corrected: what would be needed for it was forgotten under an earlier setting. */
  correctsFrom?: number;
}

export function newProgress(): PictureProgress {
  return { lastInstant: Number.NEGATIVE_INFINITY, changedFrom: Number.POSITIVE_INFINITY };
}

/** Takes note that the picture has changed from a time on. `heardAt`: the time of the event that says so. */
export function noteChange(progress: PictureProgress, changedFrom: number, heardAt: number, everyMs: number): void {
  progress.changedFrom = Math.min(progress.changedFrom, changedFrom);
  if (progress.lastInstant !== Number.NEGATIVE_INFINITY) return;
  // The first picture is of the first whole step after the first thing heard.
  const begin = Math.min(heardAt, changedFrom);
  progress.lastInstant = Math.ceil(begin / everyMs) * everyMs - everyMs;
}

/**
 * The instants of which pictures are now due: those to correct, then those that have come since; none older than `reviseMs`.
 * Marks them as given.
 */
export function takeDueInstants(
  progress: PictureProgress,
  watermark: number,
  { everyMs, reviseMs }: { everyMs: number; reviseMs: number },
): { at: number; revised: boolean }[] {
  // At the end of the input no more time has passed.
  if (!Number.isFinite(watermark)) return [];
  const until = Math.floor(watermark / everyMs) * everyMs;
  if (until <= progress.lastInstant || progress.lastInstant === Number.NEGATIVE_INFINITY) return [];
  const oldest = Math.max(until - reviseMs, progress.correctsFrom ?? Number.NEGATIVE_INFINITY);
  const earliest = Math.ceil(oldest / everyMs) * everyMs;
  const changed = Math.ceil(progress.changedFrom / everyMs) * everyMs;
  const first = Math.max(Math.min(changed, progress.lastInstant + everyMs), earliest);
  const instants: { at: number; revised: boolean }[] = [];
  for (let at = first; at <= until; at += everyMs) instants.push({ at, revised: at <= progress.lastInstant });
  progress.lastInstant = until;
  progress.changedFrom = Number.POSITIVE_INFINITY;
  return instants;
}

/** State of an operator that gives pictures, kept through another step or another time of correction. `stateName`: where the progress is. */
export function picturesMigration(stateName: string): StateMigration {
  return {
    summary: 'pictures go on at the new steps; what was too old to be corrected stays as it was given',
    from: 1,
    to: 1,
    basis: (before, after) => (agree(before, after, { except: ['everyMs', 'reviseMs'] }) ? after : null),
    migrate(state, { before, after }) {
      const everyMs = Number(after.everyMs);
      const reviseMs = Number(before.reviseMs);
      const reachesFurther = Number(after.reviseMs) > reviseMs;
      const entries = [...(state.states.get(stateName) ?? [])].map(([key, { value, time }]) => {
        const { progress } = value as { readonly progress: PictureProgress };
        const { lastInstant } = progress;
        const forgotten = reachesFurther ? lastInstant - reviseMs : Number.NEGATIVE_INFINITY;
        const correctsFrom = Math.max(progress.correctsFrom ?? Number.NEGATIVE_INFINITY, forgotten);
        const moved = { ...progress, lastInstant: Math.floor(lastInstant / everyMs) * everyMs, correctsFrom };
        return [key, { value: { ...(value as object), progress: moved }, time }] as const;
      });
      return { ...state, states: new Map([...state.states, [stateName, new Map(entries)]]) };
    },
  };
}
