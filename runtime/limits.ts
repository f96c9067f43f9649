/**
 * Every bound of the engine, in one place, with its reason. A bound that is met is named in the error that says so.
 * Units stand last in the names.
 */
export const limits = {
  /** One log message. NATS' own default for `max_payload` is 1 MiB; the server that we start allows this much. */
  frameBytesMax: 4 * 1024 * 1024,
  /** One row of a stage (`stream/row-bytes.ts`): what is left of a message for its head. A larger one is a dead letter. */
  rowBytesMax: 4 * 1024 * 1024 - 64 * 1024,
  /** What is encoded at once, about (`stream/rough-bytes.ts`). What is more is cut before: a text of all of it may be longer than V8 can make one. */
  encodedBytesMax: 16 * 1024 * 1024,
  /** What an event counts as, where the log hands it on and it never has a length: about what it takes as an object, with what is made of it. */
  handedOnEventBytes: 1024,
  /** Events in one frame: large enough to amortise a hop, small enough that a checkpoint never waits long. */
  frameEventsMax: 4096,
  /** What all senders of a source delivered within this time becomes one log message. */
  groupCommitWindowMs: 2,
  /** Watermarks of an origin move in steps of this much event time, so that they move rarely. */
  watermarkStepMs: 1_000,
  /** An origin silent for this long is forgotten, unless it is the last of its source. */
  originForgetMs: 24 * 3_600_000,
  /** Origins that one message says are silent, or forgotten; the next message names the others. */
  silenceOriginsMax: 1_000,
  /** An event this far ahead of engine time does not take the watermark with it: one clock that is wrong must not make all else late. */
  futureTimeMs: 3_600_000,
  /** Append identities remembered of a source, so that a resend counts once. */
  appendIdentitiesMax: 100_000,
  /** Positions of origins remembered of a source, the newest: where an origin is a file, there is a new one every day. */
  originMarksMax: 100_000,
  /** Questions of a look-up that wait for an answer; beyond it they fail at once, as overloaded. */
  lookupPendingMax: 10_000,
  /**
   * Events of a look-up that wait in an order that is kept: for their answer, or, as overloaded or answered already, for those before them.
   * Beyond it they are dead letters: nothing overtakes.
   */
  lookupWaitingMax: 20_000,
  /** Events that may wait for a group commit before senders are held back, and their bytes, whichever is met first. */
  groupCommitPendingEventsMax: 20_000,
  groupCommitPendingBytesMax: 64 * 1024 * 1024,
  /** What is held back then, of one source, while its senders go on asking: beyond it they are told that nothing is taken. One request more may come. */
  heldBackEventsMax: 250_000,
  heldBackBytesMax: 256 * 1024 * 1024,
  /** Unacknowledged appends of one publisher: messages and bytes, whichever is met first. */
  publishWindowMessagesMax: 1_000,
  publishWindowBytesMax: 32 * 1024 * 1024,
  /** An append whose outcome is unknown is retried with the same identity for this long before the owner gives up. */
  appendDeadlineMs: 30_000,
  appendRetryDelayMs: 250,
  /** Lines of one kind that a worker writes to its own log in a period, and kinds that are told apart; see `observe/bounded-lines.ts`. */
  logLinesOfKindMax: 1_000,
  logLineKindsMax: 100,
  logLinesPeriodMs: 60_000,
  /** The id of an alert that people act on, characters. It holds the key of the alert. */
  alertIdLengthMax: 8_192,
  /** Who looks on waits this long for the log to say where it ends; then what was known last is told. */
  logAnswerPatienceMs: 500,
  /** An append that is not acknowledged by then is sent again; the wait doubles with each attempt. */
  appendAttemptMs: 5_000,
  /** Appends of one publisher that may wait for a place in its window. */
  publishWaitingMax: 100_000,
  /** Where the log is in the memory of one process and hands messages on: so much waits for its readers, and no more is taken in. */
  unreadBytesMax: 8 * 1024 * 1024,
  /** Log messages read ahead of the stage. */
  readAheadMessagesMax: 256,
  /** Bytes of one read request, two of which may be under way for a reader; never less than the largest message. */
  readRequestBytesMax: 8 * 1024 * 1024,
  /** An object (checkpoint) is stored in pieces of this size, which every server takes. */
  objectChunkBytesMax: 512 * 1024,
  /** Messages of a plain subscription that wait for a slow reader; beyond it the oldest are dropped. */
  subscriptionMessagesMax: 1_000,
  /** Rows in one message of a stage's outputs. */
  outputFlushEventsMax: 4096,
  /** Messages of one output begin at least this far apart, unless someone waits: a sink writes much less often than this. */
  outputFlushEveryMs: 10,
  /** Closing a partition so that another worker may take it: at most this long for its senders, and as long for a checkpoint. */
  unitDrainDeadlineMs: 3_000,
  /** Progress of a lane between stages, where there is nothing else to pass: at most this often. */
  exchangeProgressEveryMs: 20,
  /**
   * Between stages: rows and watermarks (or bytes of the messages that brought them) that are held of one lane while a slower one is waited
   * for. Then the lane is not read on: what it brings waits in the log. One message more may come, and all of one source message.
   */
  laneRowsMax: 20_000,
  laneBytesMax: 16 * 1024 * 1024,
  /** Messages read ahead of each lane. */
  laneReadAheadMessagesMax: 32,
  /** What became of events is told to the accounts this often: people read them. */
  accountsEveryMs: 250,
  /** Rows that may wait to be published before the stage stops reading. */
  outputWaitingRowsMax: 50_000,
  /** It goes on with so many: were all of them out before, stage and sink would work in turns, and each wait for the other. */
  outputGoesOnRowsMax: 37_500,
  /** A stage with a backlog lets the event loop breathe this often. */
  stageSliceMs: 10,
  /** Writes of a sink begin at least this far apart, unless someone waits: a small insert costs the store as much as one of a thousand rows. */
  sinkWriteEveryMs: 100,
  /** One write of a sink, in bytes of log messages. */
  sinkBatchBytesMax: 16 * 1024 * 1024,
  /** Messages read ahead of a sink. */
  sinkReadAheadMessagesMax: 512,
  /** Bytes of them, one message aside. */
  sinkReadAheadBytesMax: 16 * 1024 * 1024,
  /** Schemas of log messages that a process knows, those of earlier versions of its topologies included. */
  schemasKnownMax: 10_000,
  /** Earlier versions of a topology that are kept beside its checkpoints. */
  topologiesKept: 50,
  /** Times from acceptance to row that are remembered of a sink, the newest. */
  sinkLatenciesKept: 100_000,
  /** Retry of a sink: first delay, factor 2, jitter, this longest delay. */
  sinkRetryDelayMs: 100,
  sinkRetryDelayMaxMs: 5_000,
  /** The same while the disk of the store is full: asking costs nothing then, and rows come soon after there is room. */
  sinkFullRetryDelayMaxMs: 2_000,
  /** Sinks that are not open by then are opened beside the running engine: a start does not wait longer for a store that is away. */
  sinkOpenWaitMs: 10_000,
  /** Longest delay between two tries to open a sink; the first is `sinkRetryDelayMs`. */
  sinkOpenRetryDelayMaxMs: 5_000,
  /** Time between checkpoints of a stage. */
  checkpointEveryMs: 5_000,
  /** Checkpoints kept of a stage. */
  checkpointsKept: 3,
  /** Beside them one of every so often is kept for replays and questions about the past: all of the last while, then one of each while. */
  checkpointHistoryEveryMs: 5 * 60_000,
  checkpointHistoryThinMs: 3_600_000,
  checkpointHistoryMs: 24 * 3_600_000,
  /** History of one stage and partition; a larger state has fewer. */
  checkpointHistoryBytesMax: 1024 * 1024 * 1024,
  /**
   * Leases of the log. A holder asks this often for a tick, and regards the lease as lost when the newest request that was
   * answered is `leaseMs` old; the broker gives it to another when it has heard no request for `leasePinMs`. Longer times bear longer
   * breaks, shorter ones make a takeover quicker.
   */
  leaseRenewEveryMs: 400,
  leaseMs: 4_000,
  leasePinMs: 4_500,
  /** A timer that comes later than this was held up: the process was blocked. It then has so long to find out whose the lease is. */
  leaseLateTimerMs: 250,
  leaseDoubtMs: 1_000,
  /** Whether a worker is there at all is known from the broker within this time. */
  subscriberAskMs: 250,
  /** Somebody who wants a lease that is held waits so long with one request. */
  leaseAskMs: 1_000,
  leaseTickAgeMs: 10_000,
  /** What the broker keeps for a lease goes when nobody has wanted it for so long. */
  leaseConsumerInactiveMs: 3_600_000,
  /** A worker says this often that it lives; who has not been heard for `workerSilentMs` is taken for dead. */
  workerTickEveryMs: 400,
  workerSilentMs: 3_500,
  /** One that is silent for this long is looked for, and taken for dead when the broker says twice that nobody is there. */
  workerDoubtMs: 700,
  /** A partition too many is handed over when others have wanted it for so long, so that a worker that comes and goes moves nothing. */
  workerSettleMs: 1_000,
  /** At the start workers that are started together wait this long for each other before they share. */
  workerStartWaitMs: 5_000,
  /** A partition that was lost for an error is tried again: first delay, factor 2, this longest delay. */
  ownershipRetryDelayMs: 1_000,
  ownershipRetryDelayMaxMs: 10_000,
  /** The same of a source whose port another worker still has (it stands still, or is slow to end). */
  sourceRetryDelayMs: 250,
  sourceRetryDelayMaxMs: 2_000,
  /** Workers look so often whether their topology is to be changed, and while it is being changed, how far the others are. */
  upgradeLookEveryMs: 400,
  upgradePollEveryMs: 50,
  /** Each step of a change (trial, closing sources, standing at the mark) is done everywhere by then, or the change is taken back. */
  upgradeStepMs: 45_000,
  /** A worker that waits longer than this for the next step takes the change back: whoever had begun it is gone. */
  upgradeWaitMs: 60_000,
  /** A worker process that dies is started again, at most so often within the window, each time after twice as long. */
  workerRestartsMax: 5,
  workerRestartWindowMs: 60_000,
  workerRestartDelayMs: 250,
  workerRestartDelayMaxMs: 10_000,
  /** What a worker has not answered by then is left out of what is shown. */
  workerAnswerMs: 2_000,
  /** Keys are in so many groups, for ever; a partition has every group whose number it is the rest of. State is cut by whole groups. */
  keyGroups: 128,
  /** Partitions of one topology, and workers that share them. */
  partitionsMax: 64,
  workersMax: 64,
  /** Copies of a stream: what JetStream can do. */
  replicasMax: 5,
  /**
   * What the engine writes of itself for boards, in engine time; never more often than `historyRestMs` of real time, which counts where a demo runs
   * fast. Kept for days.
   */
  historyNodesEveryMs: 30_000,
  historyFeedsEveryMs: 60_000,
  historyRestMs: 1_000,
  historyNodesKeepMs: 7 * 24 * 3_600_000,
  historyFeedsKeepMs: 2 * 24 * 3_600_000,
  /** Origins of one source in one look, those heard last. */
  historyOriginsMax: 2_000,
  /** A graceful drain ends by then, finished or not (Kubernetes gives 30 s). */
  drainDeadlineMs: 25_000,
  /** What is closed after a drain that did not succeed: the engine and, after it, the servers have this long each. */
  closeDeadlineMs: 2_000,
  /**
   * Of what V8 allows for old objects, what lives and the copy for a checkpoint together: from the first on somebody is told, from the second on a
   * stage handles no more and takes no checkpoint, below the third it goes on.
   */
  heapScarcePercent: 75,
  heapFullPercent: 90,
  heapGoesOnPercent: 85,
  /** A start whose heap is full for so long before it has handled what is in the log ends: nobody else could give it more. */
  heapFullAtStartMs: 30_000,
  /** What a checkpoint makes in the heap for a key, until one has been taken and it is known. */
  checkpointKeyBytes: 400,
  /** One of fewer keys says little of that. */
  checkpointKeysKnown: 10_000,
  /** Keys in one keyed state of one node, unless the node says otherwise. */
  stateKeysMax: 2_000_000,
  /** Bytes of raw input kept in a dead letter. */
  deadLetterBytesMax: 256 * 1024,
  /** Characters of the reason of a dead letter. */
  deadLetterReasonLengthMax: 4_096,
  /** Dead letters that one look at them holds, the newest; what they hold is read one by one. */
  deadLettersReadMax: 200_000,
  /** Dead letters that go in again: a second, unless it is said otherwise, and at once. */
  redrivesPerSecond: 500,
  redriveBatchLetters: 50,
  /** Dead letters are kept for this long. */
  deadLetterAgeMs: 7 * 24 * 3_600_000,
  /**
   * The log of a topology's inputs is kept for this long. It has no bound in bytes: one that dropped the oldest would lose what was
   * accepted. A disk that is full makes the log refuse appends, and senders are told so.
   */
  logAgeMs: 7 * 24 * 3_600_000,
  /** Room on the disk that is left free: below the smaller of this and a `diskReserveShare`th of the disk nothing new is taken in. */
  diskReserveBytes: 512 * 1024 * 1024,
  diskReserveShare: 20,
  /** How often the room on the disk is looked at. */
  diskLookEveryMs: 250,
  /** Same identity appended twice within this time is stored once. */
  duplicateWindowMs: 5 * 60_000,
  /** Inserts that a table remembers by token. */
  insertDeduplicationWindow: 10_000,
  /** The engine's own HTTP: probes, metrics, status. */
  observeRequestTimeoutMs: 10_000,
  observeConnectionsMax: 64,
  /** Events a second that one tap shows. */
  tapEventsPerSecondMax: 100,
  /** Keys of one node, and dead letters, that the topology view shows. */
  keysShownMax: 500,
  deadLettersSeenMax: 100,
  /** Errors shown for one topology file. */
  diagnosticsMax: 200,
  /** A topology file. */
  topologyFileBytesMax: 1024 * 1024,
  /** An expression: characters and depth of nesting. */
  expressionLengthMax: 10_000,
  expressionDepthMax: 64,
  /** Items of a list written in an expression, and arguments of a call. */
  expressionListItemsMax: 1_000,
  /** Items that the list macros (`exists`, `map`, ...) of one expression visit for one event; beyond it the macro gives null. */
  expressionStepsMax: 100_000,
  /** Text that an expression makes (concatenation, `replace`); what is longer is cut. */
  expressionTextLengthMax: 1_000_000,
  /** Pattern of `matches`: characters, and states of the automaton that it becomes. */
  expressionPatternLengthMax: 1_000,
  expressionPatternStatesMax: 2_000,
} as const;

export type LimitName = keyof typeof limits;
