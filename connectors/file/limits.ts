/** Bounds of `file`. */
export const fileLimits = {
  /** Characters of what the fields of a row make of `path`. */
  pathLengthMax: 200,
  /** Bytes of one part of a path, as file systems have it. */
  nameBytesMax: 255,
  /** Names of folders that are remembered. */
  namesKnownMax: 1_000,
  /** Files of one batch that are written at a time. */
  filesAtOnce: 16,
  /** A larger buffer for the lines of a file is not kept for the next. */
  bufferKeptBytesMax: 4 * 1024 * 1024,
} as const;
