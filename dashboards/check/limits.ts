/** What the boards are held to. */
export const checkLimits = {
  /** Of a whole city. */
  days: 30,
  /**
   * One answer of a panel over the days. Of several runs the quickest counts; and where other work holds the machine, the time of the processor that the store has used for it,
   * all threads together: nothing else is waited for, so that on an idle machine the answer takes no longer.
   */
  panelMsMax: 200,
  runsMax: 5,
  /** Rows that one answer may have to read, by the estimate of the store. */
  rowsReadMax: 1_500_000,
} as const;
