/** The row that a message gives, worked out from the log: for rows that are in no log of results, as those of a changed topology. */
import type { OutputRow } from '../log-frame.ts';
import type { Past } from './past.ts';

export interface RowQuery {
  /** Ids of the sinks that it may go to. */
  readonly sinks: readonly string[];
  readonly sequence: number;
  readonly index: number;
}

/** Undefined when the message gives no such row, or is not in the log. */
export async function rowAt(
  past: Past,
  { sinks, sequence, index }: RowQuery,
): Promise<{ readonly sink: string; readonly row: OutputRow } | undefined> {
  if (sequence < past.first || sequence > past.last) return undefined;
  const message = await past.message(sequence);
  if (!message) return undefined;
  const machine = await past.machineBefore(sequence);
  let found: { sink: string; row: OutputRow } | undefined;
  machine.listen({
    row(sink, row) {
      if (row.index === index && sinks.includes(sink)) found = { sink, row };
    },
  });
  machine.handle(message);
  return found;
}
