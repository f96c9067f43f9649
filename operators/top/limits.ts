export const topLimits = {
  /** Rows of one ranking. */
  rowsMax: 1_000,
  /** Things of one ranking of which the newest event is held, where `of` is given. */
  thingsMax: 100_000,
  /** Expressions that decide between equals. */
  thenByMax: 8,
} as const;
