/** Bounds of the boards' server, each with its reason. Units stand last in the names. */
export const boardLimits = {
  /** A query of a panel: a board that is looked at now needs no answer that takes longer. */
  queryTimeSecondsMax: 10,
  /** Rows that one query of a panel may give; what is more is cut, and the panel says so. */
  queryRowsMax: 20_000,
  /** Result of one query. */
  queryBytesMax: 16 * 1024 * 1024,
  /** Text of a query after its macros are expanded. */
  queryTextLengthMax: 100_000,
  /** Queries that run in the store at once, for all who look; others wait, so that sinks and other readers keep their place. */
  queriesAtOnceMax: 3,
  /** Queries that may wait; beyond it the panel is told that the server is busy, and asks again with its next refresh. */
  queriesWaitingMax: 256,
  /** The longest time range of a board. */
  timeRangeMs: 400 * 24 * 3_600_000,
  /** Points of a time series that a panel is given at most: the interval of its buckets follows from it. */
  pointsMax: 1_000,
  /** Options of a variable. */
  optionsMax: 2_000,
  /** Options are asked of the store again after this. */
  optionsKeptMs: 30_000,
  /** Values of one variable that may be chosen at once, and the length of one. */
  valuesMax: 500,
  valueLengthMax: 200,
  /** A file of a board, and files. */
  boardBytesMax: 2 * 1024 * 1024,
  boardsMax: 200,
  /** Body of one request. */
  requestBytesMax: 64 * 1024,
  requestTimeoutMs: 15_000,
  connectionsMax: 256,
  /** The running engine answers within this; the time of a board is not waited for as long. */
  engineAnswerMs: 20_000,
  engineClockMs: 5_000,
  /** The way back from a result to its messages, by a process of its own: one at once, and few wait. */
  explainMs: 60_000,
  explainBytesMax: 16 * 1024 * 1024,
  explainsAtOnceMax: 1,
  explainsWaitingMax: 8,
  /** Name of a result. */
  resultLengthMax: 500,
  /** An action whose outcome is not known is sent again, with the same key. */
  actionAttemptsMax: 3,
  /** What the engine says of itself is asked again after this. */
  engineLookEveryMs: 1_000,
} as const;
