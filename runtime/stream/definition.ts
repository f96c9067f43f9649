/**
 * What a source, an operator and a sink are. One definition each, of one file: documentation, JSON Schema, defaults, lint,
 * `mach list` and the run of its examples come from it.
 */
import type { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { ErrorData } from '../errors.ts';
import type { CompiledAggregate } from '../expression/aggregate.ts';
import type { TableSpec } from '../store/store.ts';
import type { Write } from './code.ts';
import type { EventColumns } from './event-columns.ts';
import type { HeldKeys } from './held-keys.ts';
import type { EventRows } from './row-loops.ts';
import type { Event, Fields, FieldType, Schema } from './schema.ts';
import type { StateColumns } from './state-columns.ts';
import type { StateContract } from './state-contract.ts';
import type { StateCut } from './state-cut.ts';

export type Status = 'stable' | 'beta' | 'experimental' | 'deprecated';

/** Where in a node's options something is: `when`, `['values', 'patients']`. */
export type OptionPath = string | readonly (string | number)[];

/** A compiled expression. Pure; never throws: what fails (a division by zero, an absent value) gives null, and false for a condition. */
export interface CompiledExpression<T = unknown> {
  readonly type: FieldType;
  readonly nullable: boolean;
  /** Fields of the input that it reads. */
  readonly fields: readonly string[];
  /** `variables`: of an expression that was compiled with some. */
  evaluate(event: Event, variables?: Readonly<Record<string, unknown>>): T;
  /** The same as code, where it hangs on the fields alone. */
  readonly write?: Write;
}

/** Handed to `bind`: type checks that gather all problems instead of stopping at the first. */
export interface Checker {
  /**
   * Compiles the expression at an option. `wanted`: the type that it must have, or 'any'. A problem is recorded with its
   * place in the file, and an expression that gives null stands in, so that the check can go on. `variables`: names beside the fields, whose
   * values come with each evaluation.
   */
  expression(
    path: OptionPath,
    input: Schema,
    wanted: FieldType['kind'] | 'number' | 'any',
    variables?: Fields,
  ): CompiledExpression;
  /** Compiles an aggregate at an option: one call over the events of a window, such as `max(minutes)`. Stands in as `expression` does. */
  aggregate(path: OptionPath, input: Schema): CompiledAggregate;
  /** The field named at an option, of the input's schema; a problem with "did you mean" when there is none. */
  field(path: OptionPath, input: Schema, wanted?: FieldType['kind'] | 'number'): string;
  /** Records a problem at an option. */
  problem(path: OptionPath, message: string, suggestion?: string): void;
  /** Path of a file named in the topology, relative to the topology's own folder. */
  resolveFile(path: string): string;
}

export interface Example {
  readonly title: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Input port to events; an event may carry its time as `$time` (ms or ISO text). One list means the only input. */
  readonly in: readonly Event[] | Readonly<Record<string, readonly Event[]>>;
  /** Schemas of the inputs; found from the events when absent. */
  readonly schema?: Schema | Readonly<Record<string, Schema>>;
  /** For a look-up: what its questions are answered with, in their order; null is no answer. */
  readonly answers?: readonly unknown[];
  /** Output port to events. One list means the port `out`. Compared after the end of the input, so that all windows have closed. */
  readonly out: readonly Event[] | Readonly<Record<string, readonly Event[]>>;
}

// ---------------------------------------------------------------------------------------------------------- operators

/** What a handler may do with an event. All of it is deterministic: the only clock is event time. */
export interface Output {
  /** Sends an event out of a port (default `out`) with the event time given (default: the time of the event being handled). */
  emit(event: Event, time?: number, port?: string): void;
  /** Many events at once that nothing but time has made, by the port `out`. */
  emitColumns(columns: EventColumns, times: readonly number[]): void;
  /** The event being handled goes no further, as intended. */
  filtered(): void;
  /** The event being handled came after its window had closed. It leaves by the port `late`. */
  late(event: Event, time: number): void;
  /** The event being handled goes no further, for a reason that is counted: `duplicate`, `sampled`, ... */
  dropped(reason: string): void;
  /** The event being handled cannot be dealt with. It leaves by the port `dead`. `time`: of an event that had waited in the state. */
  dead(event: Event, code: string, reason: string, time?: number): void;
}

/** State of one node, by key. Iteration is in order of insertion. Saved in checkpoints, restored on start. */
export interface KeyedState<V> {
  get(key: StateKey): V | undefined;
  /** With the newest time at which it was set. */
  entry(key: StateKey): { readonly value: V; readonly time: number } | undefined;
  set(key: StateKey, value: V, time: number): void;
  delete(key: StateKey): boolean;
  has(key: StateKey): boolean;
  entries(): IterableIterator<[StateKey, V]>;
  /** Takes all out. */
  clear(): void;
  readonly size: number;
}

export type StateKey = string | number;

export interface StateOptions<V = unknown> {
  /** A key untouched (`set`) for this long in event time is forgotten. */
  readonly ttlMs?: number;
  /** At most this many keys; beyond it the oldest is forgotten and counted (default `limits.stateKeysMax`). */
  readonly keysMax?: number;
  /** Estimate for `mach explain`. */
  readonly bytesPerKey?: number;
  /** What its keys are where they are not those of `eventKey`. */
  readonly keys?: HeldKeys;
  /** Where values stand otherwise in checkpoints, and for who looks on; `key`: as the state holds it. */
  readonly values?: HeldValues<V>;
}

/** Values as state holds them while it runs, and as they are written. */
export interface HeldValues<V> {
  written(value: V, key: StateKey): unknown;
  held(written: unknown, key: StateKey): V;
}

/** State of one node whose values are rows of numbers; see `NumberRows`. A slot holds good as long as the state. */
export interface RowState {
  readonly size: number;
  /** Of all slots, one after the other; another array once a key was added. */
  readonly rows: Float64Array;
  /** -1: the key is not there. */
  slotOf(key: StateKey): number;
  /** A key that is not there; its row is zeros. The next slot. */
  add(key: StateKey, time: number): number;
  keyAt(slot: number): StateKey;
}

export interface RowStateOptions<V> {
  /** Numbers in a row. */
  readonly width: number;
  readonly keys: HeldKeys;
  readonly keysMax?: number;
  /** Estimate for `mach explain`. */
  readonly bytesPerKey?: number;
  /** What a row is in checkpoints; `key`: as it stands there. */
  written(rows: Float64Array, from: number, key: StateKey): V;
  /** The same back. */
  held(value: V, rows: Float64Array, from: number): void;
}

/** Timers in event time. They fire when the watermark reaches them, by time, then by the order in which they were set. */
export interface Timers {
  /** One timer for each (key, name): setting it again moves it. */
  set(key: StateKey, name: string, time: number): void;
  clear(key: StateKey, name: string): void;
}

/**
 * State of one node that the operator keeps in a form of its own. Checkpoints and those who look on see entries of keys, as of any other state:
 * their values must survive the structured clone algorithm.
 */
export interface OwnState {
  /** Keys that are held. */
  readonly size: number;
  has(key: StateKey): boolean;
  entry(key: StateKey): { readonly value: unknown; readonly time: number } | undefined;
  snapshot(): StateColumns;
  /** Instead of what is there. */
  restore(snapshot: StateColumns): void;
}

export interface OperatorContext {
  /** The operator's own state goes into checkpoints. What comes back is to be told of every key that the handler is about to look at or to change. */
  ownState(name: string, state: OwnState): (key: StateKey) => void;
  /** Values must survive the structured clone algorithm (plain objects, arrays, Map, Set, numbers, strings). */
  keyedState<V>(name: string, options?: StateOptions<V>): KeyedState<V>;
  rowState<V>(name: string, options: RowStateOptions<V>): RowState;
  readonly timers: Timers;
  /** The node's watermark (combined over its inputs), -Infinity before the first. */
  watermark(): number;
  readonly node: string;
}

export interface OperatorHandler {
  /** Handles one event of an input port. Must call one of `out`'s functions, or have taken the event into its state. */
  event(event: Event, time: number, out: Output, input: string): void;
  /**
   * Where `readsColumns`: takes events into the state as `event` would, one after the other, without objects of them. Those that go another way, or
   * make something come out, are left to `event`: `alone` calls it for a row.
   */
  columns?(batch: TimedColumns, alone: (row: number) => void): void;
  timer?(key: StateKey, name: string, time: number, out: Output): void;
  /** The state has been restored from a checkpoint. */
  resume?(): void;
  /** The earliest event time still to come out of this node, whatever its inputs promise: holds its outgoing watermark back. */
  holdsFrom?(): number;
  /** After the timers that are due, before the watermark goes on. */
  watermark?(time: number, out: Output): void;
  /** The input has ended: everything that waits is due. The watermark has gone to +Infinity before. */
  end?(out: Output): void;
}

/**
 * How the work of an operator may be spread over partitions.
 * - `each`: every event for itself; the fields named in `unchanged` come out with the value that they came in with.
 * - `key`: events equal in some fields must meet. `fields`: input to field names, in one order for all inputs; `out`: the field of the
 *   output that holds the value of each, unchanged.
 * - `all`: every event may meet every other.
 */
export type Spread =
  | { readonly kind: 'each'; readonly unchanged: readonly string[] }
  | {
      readonly kind: 'key';
      readonly fields: Readonly<Record<string, readonly string[]>>;
      readonly out: readonly string[];
    }
  | { readonly kind: 'all' };

/** Events equal in these fields must meet; without fields all must. */
export function spreadByKey(fields: Readonly<Record<string, readonly string[]>>, out: readonly string[]): Spread {
  return out.length === 0 ? { kind: 'all' } : { kind: 'key', fields, out };
}

/** A function of one event alone, for operators without state; neighbours are fused into one loop. Null: filtered. */
export type StatelessFunction = (event: Event) => Event | null;

export interface BoundOperator {
  /** Output port to schema. `out` is the main one. Ports `late` and `dead` are added where the handler may use them. */
  readonly ports: Readonly<Record<string, Schema>>;
  /** Fields whose values decide where an event's state lives; for `explain`. */
  readonly key?: readonly string[];
  /** Absent: `each` with nothing unchanged for a function or a look-up, `all` for whatever keeps state. */
  readonly spread?: Spread;
  /**
   * Fields of an input that are needed to give these fields of the outputs, beside those that the options name (`check.field`,
   * `check.expression`, `check.aggregate`). Absent: all of them.
   */
  reads?(wanted: ReadonlySet<string>, input: string): Iterable<string>;
  /** Where `spread` is by key and there is state: without it the number of partitions cannot be changed. */
  readonly cut?: StateCut;
  readonly stateful?: boolean;
  /** State per key for `explain`: name to bytes. */
  readonly stateBytesPerKey?: Readonly<Record<string, number>>;
  /** The handler has `columns`; there is one input. */
  readonly readsColumns?: boolean;
  /** Either a handler, made once for each partition ... */
  create?(context: OperatorContext): OperatorHandler;
  /** ... or a plain function, or a look-up outside. */
  readonly stateless?: StatelessFunction;
  readonly lookup?: LookupSpec;
}

/** An asynchronous look-up: asked at the edge, its answer written to the log before anything depends on it. */
export interface LookupSpec {
  readonly input: string;
  ask(event: Event, signal: AbortSignal): Promise<unknown>;
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly order: 'kept' | 'free';
  /** Joins event and answer; the answer is null after a failure, with the reason. Or the event becomes a dead letter. */
  join(event: Event, answer: unknown, failure: string | null): LookupResult;
}

export type LookupResult =
  | { readonly event: Event }
  | { readonly dead: { readonly code: string; readonly reason: string } };

export interface BoundInput {
  /** Id of the node, and port, that feed it. */
  readonly from: string;
  readonly schema: Schema;
}

/**
 * What an operator does to types, for the builder: a type-level function from `inputs` and `options` to `ports`, written as an
 * interface that extends this one and uses `this['inputs']`.
 */
export interface OperatorTypes {
  readonly inputs: Readonly<Record<string, Schema>>;
  readonly options: unknown;
  readonly ports: Readonly<Record<string, Schema>>;
}

/** What comes out has the schema of what comes in by `from`. */
export interface PassesThrough extends OperatorTypes {
  readonly ports: OutPort<this['inputs'] extends { readonly from: infer S extends Schema } ? S : Schema>;
}

/** A node with the main port alone. */
export type OutPort<S extends Schema> = { readonly out: S };

/** Value of `types` for an operator that passes events on as they are. */
export const passesThrough = {} as PassesThrough;

export interface OperatorDefinition<O extends z.ZodType = z.ZodType, T extends OperatorTypes = OperatorTypes> {
  readonly kind: 'operator';
  readonly name: string;
  readonly status: Status;
  /** One sentence: what it does to the stream. */
  readonly summary: string;
  readonly options: O;
  /** For the compiler alone; nothing reads its value. */
  readonly types?: T;
  readonly examples: readonly Example[];
  /** Which changes of a topology the state outlives; without it none of this node's. */
  readonly state?: StateContract<O>;
  /**
   * Checks the options against the schemas of the inputs and says what comes out. `inputs` has an entry for each option made with
   * `input()` (several for a list: `from`, then `from.1`, ...).
   */
  bind(args: { options: z.output<O>; inputs: Readonly<Record<string, BoundInput>>; check: Checker }): BoundOperator;
}

export function defineOperator<O extends z.ZodType, T extends OperatorTypes = OperatorTypes>(
  definition: Omit<OperatorDefinition<O, T>, 'kind'>,
): OperatorDefinition<O, T> {
  return Object.freeze({ kind: 'operator' as const, ...definition });
}

// ------------------------------------------------------------------------------------------------------------ sources

export interface SourceEvent {
  readonly event: Event;
  /** Event time, ms since the epoch. */
  readonly time: number;
  /** The text that the sender sent, kept in the log beside the event: what was said, whatever we made of it. Stages do not read it. */
  readonly raw?: string;
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
  /** The sender's own position after these events; comes back as `mark(origin)` after a restart. Written atomically with the events. */
  readonly mark?: string;
  /** Resend identity: of two appends of one origin with one identity the first counts, among the newest `limits.appendIdentitiesMax` of the source. */
  readonly id?: string;
}

export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
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
   * Waits (holding the sender back) when `limits.groupCommitPendingEventsMax` are waiting. Requests of one origin keep their order.
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

/** A dead letter of a source, as it was kept. */
export interface KeptLetter extends Pick<DeadLetter, 'raw' | 'place'> {
  /** When it came, ms since the epoch. */
  readonly acceptedAt: number;
}

export type Ports = Readonly<Record<string, Schema>>;

export interface BoundSource<P extends Ports = Ports> {
  /** Port to schema; `out` is the main one. */
  readonly ports: P;
  /** For `mach decode`: the events, or the dead letters, that the content of a file would become. */
  decode?(content: Uint8Array, name: string): Promise<DecodeResult>;
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

// -------------------------------------------------------------------------------------------------------------- sinks

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
  readonly store: import('../store/store.ts').Store;
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

/** Everything that topologies may use: one explicit array each, handed to the runtime by `catalogue.ts` at the root. */
export interface Catalogue {
  readonly sources: readonly SourceDefinition[];
  readonly operators: readonly OperatorDefinition[];
  readonly sinks: readonly SinkDefinition[];
}
