/** What a source is, what it hands to the engine, and what the engine gives it. */
import type { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { ErrorData } from '../errors.ts';
import type { Checker } from './checker.ts';
import type { Logger, Status } from './definition.ts';
import type { EventColumns } from './event-columns.ts';
import type { Event, Schema } from './schema.ts';

export interface SourceEvent {
  readonly event: Event;
  /** Event time, ms since the epoch. */
  readonly time: number;
  /** The text that the sender sent, kept in the log beside the event: what was said, whatever we made of it. Stages do not read it. */
  readonly raw?: string;
  /** Where it stands in what `place` of its request names, from 1. */
  readonly line?: number;
}

/** Events with their times, ms since the epoch. Nobody changes them once they are appended. */
export interface TimedColumns {
  readonly events: EventColumns;
  readonly times: readonly number[];
}

export interface DeadLetter {
  readonly code: string;
  readonly reason: string;
  /** What came, cut at `limits.deadLetterBytesMax`. */
  readonly raw: Uint8Array;
  /** Who sent it and where in it: `{ connection: '10.1.4.7', line: 12 }`. */
  readonly place: ErrorData;
}

export interface AppendRequest {
  /** Who sent it: a hospital, a centre, a file. Watermarks are kept for each origin. */
  readonly origin: string;
  readonly events: readonly SourceEvent[];
  /** Behind those: events without texts, for sources that give very many. */
  readonly columns?: TimedColumns;
  readonly deadLetters?: readonly DeadLetter[];
  /** Where `events` stood at their sender, as dead letters of them would say, but for the line: `{ file: 'beds.csv' }`. Kept in the log for `mach why`. */
  readonly place?: ErrorData;
  /** The sender's own position after these events; comes back as `mark(origin)` after a restart. Written atomically with the events. */
  readonly mark?: string;
  /** Resend identity: of two appends of one origin with one identity the first counts, among the newest `limits.appendIdentitiesMax` of the source. */
  readonly id?: string;
}

export interface SourceContext {
  readonly node: string;
  /** Engine time: what is now, and whether an event lies in the future. May run faster than the machine's. */
  readonly clock: Clock;
  /** The machine's own time, for files that settle, networks that time out. */
  readonly machineClock: Clock;
  readonly logger: Logger;
  /** Aborted when the engine drains: stop taking in, answer what is owed. */
  readonly signal: AbortSignal;
  /**
   * Resolves once everything in the request is in the log, with the source's durability; only then may the sender be told.
   * Waits (holding the sender back) when `limits.groupCommitPendingEventsMax` events, or `limits.groupCommitPendingBytesMax`, are waiting, and while
   * nobody knows whether the log has it; once the source is told to stop it may reject without knowing. Rejects at once (MACH3256), with nothing stored,
   * when `limits.heldBackEventsMax` events or `limits.heldBackBytesMax` wait for that. Requests of one origin keep their order. One that is sent again
   * with its identity while the first still waits is stored once, and has the same outcome.
   */
  append(request: AppendRequest): Promise<void>;
  /** The last mark of an origin that is in the log. */
  mark(origin: string): string | undefined;
  /** The origin has closed; its watermark no longer holds anyone. */
  originClosed(origin: string): void;
  /**
   * Nothing more will ever come of this source: all that waits for it is due. Resolves once that is in the log. After a restart it is
   * to be said again.
   */
  ended(): Promise<void>;
  /** A counter of the connector's own: `count('messages_total', 1, { type: 'ADT_A01' })`. */
  count(metric: string, by: number, labels?: Readonly<Record<string, string>>): void;
  gauge(metric: string, value: number, labels?: Readonly<Record<string, string>>): void;
  /** Newest results by subject, for connectors that answer their senders (hospital load back to dispatchers). */
  subscribe(subject: string, signal: AbortSignal): AsyncIterable<Event>;
}

export interface RunningSource {
  /** Address that it listens on, or what it reads: for `mach top`, tests and logs. */
  readonly address: string;
  /** Stops taking in, waits for what is owed, frees everything. Called once. */
  close(): Promise<void>;
  /** Why it is not ready, or null. For `/readyz`. */
  problem?(): string | null;
}

export interface DecodeResult {
  readonly events: readonly SourceEvent[];
  readonly deadLetters: readonly DeadLetter[];
}

export interface RefusedValue {
  readonly field: string;
  /** Said of the value: `is less than 0`. */
  readonly problem: string;
}

/** A dead letter of a source, as it was kept. */
export interface KeptLetter extends Pick<DeadLetter, 'raw' | 'place'> {
  /** When it came, ms since the epoch. */
  readonly acceptedAt: number;
  /** From when on a time lies in the future, ms since the epoch: now, or of a replay when it came. */
  readonly now: number;
}

export type Ports = Readonly<Record<string, Schema>>;

export interface BoundSource<P extends Ports = Ports> {
  /** Port to schema; `out` is the main one. */
  readonly ports: P;
  /** For `mach decode`: the events, or the dead letters, that the content of a file would become. */
  decode?(content: Uint8Array, name: string): Promise<DecodeResult>;
  /**
   * The values of an event that this source would never give, although they have the types of its schema: numbers out of their bounds. Tests of
   * topologies ask, since the events that they write out do not come through the decoder. Absent: it gives whatever its schema says.
   */
  refused?(event: Event): readonly RefusedValue[];
  /**
   * What a dead letter of this source becomes now, for `mach dead-letter redrive`. Absent where `decode` takes what a letter holds as it
   * would take a file.
   */
  redecode?(letter: KeptLetter): Promise<DecodeResult>;
  /** For `mach check --connect`. Rejects with a coded error. */
  probe?(): Promise<void>;
  /** The same source with these fields alone: nothing in the topology reads the others. Absent: it always gives all. */
  narrow?(fields: ReadonlySet<string>): BoundSource;
  open(context: SourceContext): Promise<RunningSource>;
}

export interface SourceDefinition<O extends z.ZodType = z.ZodType, P extends Ports = Ports> {
  readonly kind: 'source';
  readonly name: string;
  readonly status: Status;
  readonly summary: string;
  readonly options: O;
  readonly durability: 'disk' | 'broker';
  /** Options for `mach decode` when no topology is given. */
  readonly examples: readonly { readonly title: string; readonly options: Readonly<Record<string, unknown>> }[];
  bind(args: { options: z.output<O>; check: Checker }): BoundSource<P>;
}

export function defineSource<O extends z.ZodType, P extends Ports = Ports>(
  definition: Omit<SourceDefinition<O, P>, 'kind'>,
): SourceDefinition<O, P> {
  return Object.freeze({ kind: 'source' as const, ...definition });
}
