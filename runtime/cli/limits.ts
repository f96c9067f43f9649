/** Bounds of the command line. */
export const cliLimits = {
  /** `mach decode` reads a file as a whole. */
  decodeFileBytesMax: 256 * 1024 * 1024,
  /** `mach check --connect`: how long one connection may take to answer. */
  probeTimeoutMs: 10_000,
  /** The log of a data folder that is being taken or given up by an engine is tried again. */
  folderAttemptsMax: 20,
  folderRetryMs: 250,
  /** Dead letters that `mach dead-letter list` shows, and that one redrive takes, unless it is said otherwise. */
  deadLettersShown: 50,
  deadLettersRedriven: 10_000,
  /** How often `mach dead-letter redrive --wait` looks. */
  redriveWaitEveryMs: 250,
  /** What `mach run` sends to the engine that runs the topology already: a path and values of variables. */
  upgradeRequestBytesMax: 1024 * 1024,
  /** An engine that runs the topology by its file, and does not say which version it has, is asked again until then. */
  manifestWaitMs: 3_000,
  manifestAskEveryMs: 200,
} as const;
