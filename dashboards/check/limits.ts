/** What the boards are held to. */
export const checkLimits = {
  /** Of a whole city. */
  days: 30,
  /** One answer of a panel over the days, on an idle machine of two cores; of several runs the quickest counts. */
  panelMsMax: 200,
  runsMax: 8,
  /** Rows that one answer may have to read, by the estimate of the store. */
  rowsReadMax: 1_500_000,
} as const;
