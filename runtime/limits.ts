/**
 * Every bound of the engine, in one place, with its reason. A bound that is met is named in the error that says so.
 * Units stand last in the names.
 */
export const limits = {
  /** One log message. NATS' own default for `max_payload` is 1 MiB; the server that we start allows this much. */
  frameBytesMax: 4 * 1024 * 1024,
  /** Events in one frame: large enough to amortise a hop, small enough that a checkpoint never waits long. */
  frameEventsMax: 4096,
  /** What all senders of a source delivered within this time becomes one log message. */
  groupCommitWindowMs: 2,
  /** Events that may wait for a group commit before senders are held back. */
  groupCommitPendingEventsMax: 20_000,
  /** Unacknowledged appends of one publisher: messages and bytes, whichever is met first. */
  publishWindowMessagesMax: 1_000,
  publishWindowBytesMax: 32 * 1024 * 1024,
  /** An append whose outcome is unknown is retried with the same identity for this long before the owner gives up. */
  appendDeadlineMs: 30_000,
  appendRetryDelayMs: 250,
  /** Log messages read ahead of the stage. */
  readAheadMessagesMax: 256,
  /** The stage publishes its outputs at the latest this long after the input that caused them. */
  outputFlushMs: 20,
  outputFlushEventsMax: 4096,
  /** One insert of a sink. */
  sinkBatchRowsMax: 20_000,
  sinkBatchBytesMax: 16 * 1024 * 1024,
  /** Retry of a sink: first delay, factor 2, jitter, this longest delay. */
  sinkRetryDelayMs: 100,
  sinkRetryDelayMaxMs: 30_000,
  /** Time between checkpoints of a stage. */
  checkpointEveryMs: 5_000,
  /** Checkpoints kept of a stage. */
  checkpointsKept: 3,
  /** A graceful drain ends by then, finished or not (Kubernetes gives 30 s). */
  drainDeadlineMs: 25_000,
  /** Keys in one keyed state of one node, unless the node says otherwise. */
  stateKeysMax: 2_000_000,
  /** Bytes of raw input kept in a dead letter. */
  deadLetterBytesMax: 256 * 1024,
  /** Dead letters are kept for this long. */
  deadLetterAgeMs: 7 * 24 * 3_600_000,
  /** The log of a topology's inputs is kept for this long, or until it is this large. */
  logAgeMs: 7 * 24 * 3_600_000,
  logBytesMax: 20 * 1024 * 1024 * 1024,
  /** Same identity appended twice within this time is stored once. */
  duplicateWindowMs: 5 * 60_000,
  /** Inserts that a table remembers by token. */
  insertDeduplicationWindow: 10_000,
  /** Errors shown for one topology file. */
  diagnosticsMax: 200,
  /** A topology file. */
  topologyFileBytesMax: 1024 * 1024,
  /** An expression: characters and depth of nesting. */
  expressionLengthMax: 10_000,
  expressionDepthMax: 64,
} as const;

export type LimitName = keyof typeof limits;
