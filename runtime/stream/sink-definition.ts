/** What a sink is, and the batches that it writes. */
import type { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { Store, TableSpec } from '../store/store.ts';
import type { Checker } from './checker.ts';
import type { BoundInput, Logger, Status } from './definition.ts';
import type { EventRows } from './row-loops.ts';
import type { Event } from './schema.ts';

export interface SinkRow {
  readonly event: Event;
  readonly time: number;
  readonly stage: string;
  readonly partition: number;
  readonly sequence: number;
  readonly index: number;
}

/** Rows of a batch, in order. Each is made when it comes up, so that none waits for the others. */
export interface SinkRows extends Iterable<SinkRow> {
  readonly length: number;
  /** The same as the stage gave them, for sinks that write very many. Absent: each is a run of its own. */
  readonly runs?: Iterable<SinkRun>;
}

/** Rows that follow one another. */
export interface SinkRun {
  readonly events: EventRows;
  /** One of them. */
  rowAt(place: number): SinkRow;
}

export interface SinkContext {
  readonly node: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly store: Store;
  publish(subject: string, payload: Uint8Array): void;
  /** Bytes that `publish` takes at once. */
  readonly publishBytesMax: number;
  count(metric: string, by: number, labels?: Readonly<Record<string, string>>): void;
}

export interface RunningSink {
  /** Writes begin at least this far apart; `limits.sinkWriteEveryMs` when absent. 0 where a small write costs no more for each row than a large one. */
  readonly writeEveryMs?: number;
  /**
   * Writes a batch. The same token always comes with the same rows; after a failure or a restart the same batch comes again.
   * Resolves with the rows that can never be written (dead letters); rejects when it should be tried again later.
   */
  write(rows: SinkRows, token: string): Promise<readonly { row: SinkRow; code: string; reason: string }[]>;
  close(): Promise<void>;
}

export interface BoundSink {
  /** Tables that it writes, for `explain` and the store. */
  readonly tables?: readonly TableSpec[];
  probe?(): Promise<void>;
  /**
   * Rejects with an error of a description with `isAway` when the other end is not there: the engine runs, and opens it again later.
   * Any other error at a start is a refusal, and ends it.
   */
  open(context: SinkContext): Promise<RunningSink>;
}

export interface SinkDefinition<O extends z.ZodType = z.ZodType> {
  readonly kind: 'sink';
  readonly name: string;
  readonly status: Status;
  readonly summary: string;
  readonly options: O;
  readonly examples: readonly { readonly title: string; readonly options: Readonly<Record<string, unknown>> }[];
  bind(args: { options: z.output<O>; inputs: Readonly<Record<string, BoundInput>>; check: Checker }): BoundSink;
}

export function defineSink<O extends z.ZodType>(definition: Omit<SinkDefinition<O>, 'kind'>): SinkDefinition<O> {
  return Object.freeze({ kind: 'sink' as const, ...definition });
}
