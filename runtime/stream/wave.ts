/** The batches that came to the inputs of a node in one wave, as one list of runs. */
import type { Batch } from './frame.ts';

/** How far the batches of an input have been handled. */
export interface Cursor {
  readonly input: string;
  readonly batches: readonly Batch[];
  batch: number;
  index: number;
}

/** The input whose next event goes back to the earliest cause, in the order of the inputs where several do, and the cause before which no other is due. */
export function firstOf(cursors: readonly Cursor[]): { readonly cursor: Cursor; readonly until: number } | undefined {
  let first: Cursor | undefined;
  let firstCause = Number.POSITIVE_INFINITY;
  let until = Number.POSITIVE_INFINITY;
  for (const cursor of cursors) {
    const cause = cursor.batches[cursor.batch]?.causes[cursor.index];
    if (cause === undefined) continue;
    if (cause < firstCause) {
      until = Math.min(until, firstCause);
      first = cursor;
      firstCause = cause;
    } else until = Math.min(until, cause + 1);
  }
  return first && { cursor: first, until };
}
