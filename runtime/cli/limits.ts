/** Bounds of the command line. */
export const cliLimits = {
  /** `mach decode` reads a file as a whole. */
  decodeFileBytesMax: 256 * 1024 * 1024,
  /** `mach check --connect`: how long one connection may take to answer. */
  probeTimeoutMs: 10_000,
} as const;
