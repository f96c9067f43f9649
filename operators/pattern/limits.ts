export const patternLimits = {
  /** Events of one key that are held since the beginning of a match that is not decided. */
  rowsPerMatchMax: 10_000,
  /** Events of one key that wait for the watermark; what comes beyond it is a dead letter. */
  eventsPerKeyMax: 50_000,
  /** Ways in which the events of one match may fit the steps at a time. */
  waysPerMatchMax: 1_000,
  stepsMax: 32,
} as const;
