/** A place in the topology file. Line and column count from 1; the column counts UTF-16 units, as editors do. */
export interface Span {
  readonly line: number;
  readonly column: number;
  /** Characters from the column on, at least 1, never past the end of the line. */
  readonly length: number;
}
