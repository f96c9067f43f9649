/** Bounds of the answers to "why". */
export const whyLimits = {
  /** Messages of the log before a result that are looked at with notes on; wider only where what raised it lies further back. */
  walkMessages: [400, 2_000, 10_000, 50_000],
  /** On the walk the state is kept this often, so that it need not be made again from the beginning. */
  walkStateEveryMessages: 200,
  walkStatesKept: 10,
  /** Source messages named for one result, unless told otherwise; how many more there were is said. */
  messagesNamed: 20,
  /** Timers of one key that are listed of a running engine. */
  timersListed: 50,
  /** Newest changes of the state of one key that are listed. */
  changesListed: 5,
  /** Messages of the log that are searched for the last word of an origin. */
  originSearchMessages: 20_000,
  originSearchStep: 64,
  /** Messages of the results' log that are decoded in search of a row, from the newest. */
  resultSearchMessages: 1_000_000,
  /** A text in a state, or of a sender, is shown up to this length. */
  textCharacters: 4_000,
} as const;
