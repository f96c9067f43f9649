/** Bounds of the simulator. */
export const simulatorLimits = {
  hospitalsMax: 500,
  /** Messages that wait in a hospital's interface engine before the whole city is held back. */
  queueMessagesMax: 5_000,
  /** A reply that has not come by then: the connection is given up, and the message sent again on a new one. */
  replyTimeoutMs: 15_000,
  /**
   * A message is sent at most so many times, with this time between, whatever the reason: no connection, no answer, an
   * answer that it could not be stored. About a minute.
   */
  attemptsMax: 300,
  retryDelayMs: 200,
  /** Items of the 115 feed without an acknowledgement. */
  feedItemsMax: 20_000,
  /** Between the halves of a bed file that is written slowly. */
  slowWriteMs: 120,
  /** Simulated time between looks at what is due: 3 ms of real time at sixty times. */
  paceMs: 200,
  /** Real time between reports of progress. */
  progressEveryMs: 1_000,
} as const;
