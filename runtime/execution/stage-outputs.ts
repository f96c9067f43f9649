/** Where what a stage gives goes. */
import type { ExchangeOutput } from './exchange/pass-exchanges.ts';
import type { LookupQuestion } from './lookup.ts';
import type { OutputRun } from './output-run.ts';

/** Where the dead letters of a stage are gathered, beside its sinks. */
export const deadLetterOutput = '$dead';

export interface StageOutputs {
  /** Rows for a sink, or for `deadLetterOutput`; in order of (sequence, index). */
  rows(output: string, run: OutputRun): void;
  /** A look-up wants an answer, to be appended to the input log. */
  question(question: LookupQuestion): void;
  /** What goes to the partitions of later stages, where the topology is spread. */
  readonly exchange?: ExchangeOutput;
}
