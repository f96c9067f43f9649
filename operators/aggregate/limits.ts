export const aggregateLimits = {
  /** Panes that one window is put together from: size over step. A day by the second. */
  panesPerWindowMax: 86_400,
  /** Panes (cells of key and time) that one node holds; an event that would need one more is dead. */
  panesMax: 4_000_000,
  /** Values that one `distinct` holds exactly. */
  distinctValuesMax: 1_000_000,
  /** Things of one key of which the newest event counts, where `of` is given. */
  thingsMax: 1_000_000,
  /** Keys that `best` gives of a window, besides those that equal the last. */
  bestRowsMax: 1_000,
} as const;
