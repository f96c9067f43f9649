/** Bounds of `nats`. */
export const natsLimits = {
  /** Messages of one append. */
  messagesPerAppendMax: 1_000,
  /** Events in the list of one message. */
  eventsPerMessageMax: 4_096,
  /** Bytes of messages that wait to be stored, or are being stored: a message may have a megabyte, and `pending` counts messages. */
  pendingBytesMax: 64 * 1024 * 1024,
  /** Time until the first connection stands, and for the server to confirm a batch. */
  connectTimeoutMs: 5_000,
  confirmTimeoutMs: 5_000,
  reconnectDelayMs: 250,
  /** Wait before messages that could not be stored are tried again. */
  retryDelayMs: 1_000,
  fieldsMax: 1_000,
} as const;
