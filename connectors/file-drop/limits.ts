/** Bounds of `file-drop`, each named in the error that says that it was met. */
export const fileDropLimits = {
  /** Rows of one append. Fixed for ever: a file that was begun before a restart is cut in the same places after it. */
  rowsPerChunk: 500,
  /** Origins of a file of which all are heard before its rows; in a file of more they are heard as their rows come. Fixed for ever, as well. */
  originsHeardFirstMax: 5_000,
  /** One row of text. */
  rowBytesMax: 1024 * 1024,
  /** Header that is kept with a row that is refused. */
  headerKeptMax: 16_384,
  /** Columns of a row. */
  columnsMax: 4_096,
  /** A workbook unpacked, and the number of its parts. */
  workbookBytesMax: 256 * 1024 * 1024,
  workbookPartsMax: 1_000,
  /** Contents that the ledger remembers; the oldest are forgotten beyond it. */
  ledgerEntriesMax: 100_000,
  /** Files of an origin whose progress its mark remembers. */
  filesPerMark: 4,
  /** Origins whose progress is remembered until their marks in the log say it. */
  progressKeptMax: 10_000,
  /** Files looked at in one look at the folder; the rest waits for the next. */
  filesPerScanMax: 10_000,
  /** Wait before a file is tried again whose rows could not be stored or that could not be moved. */
  retryDelayMs: 1_000,
  retryDelayMaxMs: 60_000,
  /** Names tried for a file whose name is taken in the processed folder. */
  namesTriedMax: 10_000,
  /** Of a file's name: what Linux takes. */
  nameBytesMax: 255,
  /** Text of a reason file. */
  reasonLengthMax: 10_000,
} as const;
