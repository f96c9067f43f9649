/** Bounds of `webhook`. */
export const webhookLimits = {
  /** Bytes read of an answer, and characters of it in a reason. */
  answerBytesMax: 64 * 1024,
  answerShownMax: 300,
  redirectsMax: 3,
  /** A receiver that asks for a longer wait is tried again after this. */
  retryAfterMaxMs: 10 * 60_000,
  retryDelayMs: 200,
  retryDelayMaxMs: 30_000,
  /** Bytes of one request; a batch that is larger is cut. */
  requestBytesMax: 4 * 1024 * 1024,
} as const;
