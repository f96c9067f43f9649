/**
 * Bounds of every query. "Now" is always the end of the range that is looked at (`$__toTime`), never the clock of the store: so a board of last
 * week shows last week, and a fast demo its own time.
 */

/** Rows of one answer at most; more than hospitals, units or open alerts that a city has. */
export const rowsMax = 1_000;
/** Points of one answer of a series at most. */
export const pointsMax = 20_000;
/** Calls of one answer at most, as a step of a query: a month of a city twice over. */
export const callsMax = 100_000;
