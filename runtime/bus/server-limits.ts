/** Bounds of the embedded NATS server. */
export const serverLimits = {
  /** From the start of the program until it accepts connections; recovery of a large storage folder takes its time. */
  serverStartDeadlineMs: 60_000,
  /** Between asking the server to stop and killing it. It has nothing unsynced to save when syncing always. */
  serverStopDeadlineMs: 10_000,
  /** The end of the server's output, kept for error messages. */
  serverOutputCharactersKept: 16_000,
  /** A server that dies is started again on its port, at most so often within the window. */
  serverRestartsMax: 5,
  serverRestartWindowMs: 60_000,
  serverRestartDelayMs: 200,
  /** Clients of a server without room are told so this often; after this long without a word they try again by themselves. */
  roomBeatMs: 1_000,
  roomSilenceMs: 10_000,
  /** Room for headers and protocol beside the largest payload. */
  headerBytesMax: 64 * 1024,
  /** What streams may reserve together by their size limits. A full disk is met and reported when it is full. */
  storageReservationBytesMax: 1024 ** 4,
} as const;
