/**
 * What flows on the edges inside a stage.
 *
 * A stage reads one totally ordered log and handles each message completely, through all its operators, before the next,
 * so it needs no barrier: between two messages its state is consistent, and that is where checkpoints are taken.
 */
import { type EventColumns, type WithColumns, withColumns } from './event-columns.ts';

export interface Batch extends WithColumns {
  readonly kind: 'batch';
  /** Event time of each event, ms since the epoch. */
  readonly times: readonly number[];
  /**
   * For each event, which event of the log message being handled it goes back to (its index there), or -1 when time alone
   * produced it. By it the outcome of every accepted event is settled (see `ledger.ts`).
   */
  readonly causes: readonly number[];
}

/** A batch of events that are columns still. */
export function columnBatch(columns: EventColumns, rest: Pick<Batch, 'times' | 'causes'>): Batch {
  const { times, causes } = rest;
  return withColumns({ kind: 'batch' as const, times, causes }, columns);
}

/** No event earlier than `time` will come on this edge; those that do are late. */
export interface Watermark {
  readonly kind: 'watermark';
  readonly time: number;
  /** All that feeds this edge is silent: others need not wait for it. */
  readonly idle: boolean;
  /** Said once more after a change of the topology: an edge that had come to its end begins anew here. */
  readonly anew?: boolean;
}

/** Nothing more will come on this edge. */
export interface End {
  readonly kind: 'end';
}

export type Frame = Batch | Watermark | End;

export const end: End = Object.freeze({ kind: 'end' });
