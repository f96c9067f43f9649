/** Bounds of the topology loader that no other area shares; the rest are in `runtime/limits.ts`. */
export const topologyLimits = {
  /** Levels of mappings and lists in a file; a real topology has about eight. */
  nestingDepthMax: 32,
  /** Values in a file after its aliases (`*name`) are filled in: an alias of aliases grows without bound. */
  valuesMax: 100_000,
  /** Sources, operators and sinks of one topology. */
  nodesMax: 1_000,
  /** A file that `${file:PATH}` names: secrets are short. */
  referencedFileBytesMax: 64 * 1024,
  /** Text of an option shown in a message; the rest is cut. */
  shownTextMax: 60,
} as const;
