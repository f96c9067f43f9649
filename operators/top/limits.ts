export const topLimits = {
  /** Rows of one ranking. */
  rowsMax: 1_000,
  /** Rows of rankings that are kept as numbers side by side, with room for all of them from the start. */
  roomyRowsMax: 16,
  /** Things of one ranking of which the newest event is held, where `of` is given. */
  thingsMax: 100_000,
  /** Expressions that decide between equals. */
  thenByMax: 8,
} as const;
