/** Bounds of look-ups at the edge. */
export const enrichLimits = {
  /** The body of one answer. */
  answerBytesMax: 1024 * 1024,
  /** Answers in the cache of one node; beyond it the oldest is forgotten. */
  cacheEntriesMax: 10_000,
  /** Delay before the first repetition; it doubles with each. */
  retryDelayMs: 200,
  retryDelayMaxMs: 5_000,
  /** An address after its fields have been filled in. */
  urlLengthMax: 4_096,
} as const;
