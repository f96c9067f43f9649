/** Bounds of the store client and of the embedded store, each with its reason. Units stand last in the names. */
export const storeLimits = {
  /** One insert as sent: four times `limits.sinkBatchBytesMax`. The rows of a larger one are refused, so that halves are tried. */
  insertBytesMax: 64 * 1024 * 1024,
  /** A request to the store ends by then; an insert that takes longer is tried again with its token. */
  requestTimeoutMs: 60_000,
  /** Sockets of one client. More would only queue inside the store. */
  openConnectionsMax: 8,
  /** Idle sockets are dropped after this long: below any usual keep-alive of a server (3 s and up), so that none is used half closed. */
  idleSocketMs: 2_000,
  /** Rows at fault that one refusal lists; the rest is found by the next try. */
  refusedRowsMax: 1_000,
  /** Characters of a store's error text that are kept. */
  reasonLengthMax: 600,
} as const;

export const embeddedLimits = {
  /** Sessions (one query at a time each): inserts never wait behind queries, queries never behind DDL. */
  insertSessions: 2,
  readSessions: 3,
  commandSessions: 1,
  /** Requests that may wait for a session of one kind before the store answers "too busy" (503). */
  waitingRequestsMax: 64,
  /** Body of one insert after decompression: what `storeLimits.insertBytesMax` sends. */
  insertBytesMax: 64 * 1024 * 1024,
  /** Text of one query. */
  queryBytesMax: 4 * 1024 * 1024,
  /** URL and headers of one request (query parameters travel in the URL). */
  headerBytesMax: 1024 * 1024,
  /** Result of one query in the engine's own form; it is held in memory until sent. */
  resultBytesMax: 512 * 1024 * 1024,
  /** A query ends by then unless it asks for another `max_execution_time`. */
  queryTimeSecondsMax: 300,
  /** Memory of the engine. */
  memoryBytesMax: 3 * 1024 * 1024 * 1024,
  /** New parts are looked at this often, beside the look after each insert. */
  partCheckEveryMs: 250,
  /**
   * Parts that a merge has replaced stay this long, so that they can take its place should its files not be whole. Much longer than
   * `partCheckEveryMs`; each second costs as many folders as there were inserts in it.
   */
  replacedPartsKeptSeconds: 20,
  /** The engine writes the token of an insert first, then its rows; when they are not there after this long it starts anew, and forgets the token. */
  orphanWaitMs: 5_000,
  orphanLookMs: 10,
  /** Broken parts at a start beyond which the engine alone would not open a table; all are reported instead. */
  brokenPartsMax: 100_000,
  /** Names of parts that are known to be whole, of one table; beyond it those that are gone are forgotten. */
  knownPartsMax: 20_000,
  /** A graceful stop waits this long for running queries, then ends without them (the engine survives a kill). */
  drainMs: 10_000,
  /** A start that takes longer has failed. */
  startTimeoutMs: 60_000,
  /** One /ping. */
  pingTimeoutMs: 2_000,
  /** How often a joined store, which another process started, is looked at. */
  watchEveryMs: 1_000,
  /** Pings of a joined store that may fail in a row before it is taken over. */
  watchFailuresMax: 3,
  /** Restart after a crash: first delay, factor 2, this longest delay. */
  restartDelayMs: 100,
  restartDelayMaxMs: 10_000,
  /** Bytes of the child's stderr that are kept for error texts. */
  stderrBytesMax: 64 * 1024,
  keepAliveMs: 10_000,
} as const;
