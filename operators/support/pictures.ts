/** Pictures of something at whole steps of event time, corrected when what is known of the past changes. */

export interface PictureProgress {
  /** Newest instant of which a picture has been given; -Infinity before anything was heard. */
  lastInstant: number;
  /** Earliest time at which what is known has changed since the last pictures. */
  changedFrom: number;
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
  const earliest = Math.ceil((until - reviseMs) / everyMs) * everyMs;
  const changed = Math.ceil(progress.changedFrom / everyMs) * everyMs;
  const first = Math.max(Math.min(changed, progress.lastInstant + everyMs), earliest);
  const instants: { at: number; revised: boolean }[] = [];
  for (let at = first; at <= until; at += everyMs) instants.push({ at, revised: at <= progress.lastInstant });
  progress.lastInstant = until;
  progress.changedFrom = Number.POSITIVE_INFINITY;
  return instants;
}
