/** Bounds of `feed-115`, each named in the error that says that it was met. */
export const feedLimits = {
  /** Items of one request: one log message holds as many. */
  itemsPerRequestMax: 4_096,
  /** Length of identities, names and codes; of an address or a reason. */
  nameLengthMax: 128,
  textLengthMax: 1_024,
  /** No time lies before this: a count of seconds taken for milliseconds would. 2000-01-01. */
  timeMin: 946_684_800_000,
  /** A planned end lies before this. 2100-01-01. */
  untilMax: 4_102_444_800_000,
  /** Refusals told in one acknowledgement; the count is always complete. */
  refusalsToldMax: 16,
  /** Centres that stream at once, and whose positions are remembered until their marks in the log say them. */
  centresMax: 1_000,
  /** Hospitals whose load is held for the dispatchers, and names in one request for them. */
  hospitalsMax: 10_000,
  hospitalsPerWatchMax: 1_000,
  /** Streams of watchers at once. */
  watchersMax: 1_000,
  /** A stream that has said nothing, not even its centre, is ended after this. */
  openTimeoutMs: 30_000,
  /** Wait before the results are subscribed to again after a failure. */
  resubscribeDelayMs: 1_000,
  /** After the drain has answered what is owed, open connections get this long to say goodbye. */
  shutdownTimeoutMs: 2_000,
} as const;
