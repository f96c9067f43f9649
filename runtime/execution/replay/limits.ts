/** Bounds of replays and of comparing them. */
export const replayLimits = {
  /** Rows of one write to a shadow table. Counted, not timed: a replay that is started again cuts its writes at the same places. */
  batchRowsMax: 20_000,
  /** Writes that may wait for the store before the replay waits. */
  batchesWaitingMax: 2,
  /** Tries of one write before the replay gives up; it can be started again. First pause, then twice as long each time, up to the longest. */
  writeAttemptsMax: 10,
  writeRetryDelayMs: 200,
  writeRetryDelayMaxMs: 10_000,
  /** Between two lines of progress. */
  progressEveryMs: 1_000,
  /** Priority of the process (`nice`): the engine that runs beside it comes first. */
  niceness: 10,
  /** Rows of both sides that one step of a comparison holds in the store's memory. */
  diffRowsPerStepMax: 1_000_000,
  /** Differing rows that are listed, unless told otherwise. */
  diffRowsShown: 100,
  /** Named checkpoints of a topology. */
  namedCheckpointsMax: 100,
} as const;
