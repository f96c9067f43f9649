/** Bounds of topology tests. */
export const topologyTestLimits = {
  /** Tests in one file, and steps in one test. */
  testsMax: 1_000,
  stepsMax: 10_000,
  /** Events of one `send` after `repeat`. */
  repeatMax: 100_000,
  /** Virtual time that one step may let pass: every source looks at its origins several times within its idle time. */
  advanceMaxMs: 31 * 86_400_000,
  /** A file that a step sends. */
  sentFileBytesMax: 64 * 1024 * 1024,
  /** Machine time that the engine may take to settle after a step, virtual. Beyond it something hangs. */
  settleMaxMs: 3_600_000,
  /** Acknowledgements that one step may lose. */
  dropAcknowledgementsMax: 100,
  /** While a process is to die in a time that passes it is back within this time, and within this part of the time. */
  backWithinMs: 1_000,
  backWithinPart: 1 / 1_000,
  /** Messages of the log after which a step may let the process die. */
  crashAfterMax: 1_000_000,
  /** Answers that are written for one look-up. */
  mocksMax: 1_000,
  /** Partitions at which a test may run once more. */
  partitionsMax: 16,
  /** Rows of one snapshot. */
  snapshotRowsMax: 10_000,
  /** Rows shown of a difference, and characters of one row. */
  shownRowsMax: 20,
  shownRowLengthMax: 480,
  /** Rows of a difference that are aligned; longer lists are compared place by place. */
  alignedRowsMax: 500,
} as const;
