/**
 * What flows on the edges inside a stage.
 *
 * A stage reads one totally ordered log and handles each message completely, through all its operators, before the next,
 * so it needs no barrier: between two messages its state is consistent, and that is where checkpoints are taken.
 */
import type { Event } from './schema.ts';

export interface Batch {
  readonly kind: 'batch';
  readonly events: readonly Event[];
  /** Event time of each event, ms since the epoch. */
  readonly times: readonly number[];
  /**
   * For each event, which event of the log message being handled it goes back to (its index there), or -1 when time alone
   * produced it. By it the outcome of every accepted event is settled (see `ledger.ts`).
   */
  readonly causes: readonly number[];
}

/** No event earlier than `time` will come on this edge; those that do are late. */
export interface Watermark {
  readonly kind: 'watermark';
  readonly time: number;
  /** All that feeds this edge is silent: others need not wait for it. */
  readonly idle: boolean;
}

/** Nothing more will come on this edge. */
export interface End {
  readonly kind: 'end';
}

export type Frame = Batch | Watermark | End;

export const end: End = Object.freeze({ kind: 'end' });
