/**
 * What an operator is. One definition, of one file: documentation, JSON Schema, defaults, lint, `mach list` and the run of its
 * examples come from it.
 */
import type { z } from 'zod';
import type { Checker } from './checker.ts';
import type { BoundInput, Status } from './definition.ts';
import type { EventColumns } from './event-columns.ts';
import type {
  KeyedState,
  OwnState,
  RowState,
  RowStateOptions,
  StateKey,
  StateOptions,
  Timers,
} from './operator-state.ts';
import type { Event, Schema } from './schema.ts';
import type { TimedColumns } from './source-definition.ts';
import type { StateContract } from './state-contract.ts';
import type { StateCut } from './state-cut.ts';
import type { GlanceAtState } from './state-view.ts';

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

export interface OperatorContext {
  /**
   * The operator's own state goes into checkpoints. What comes back is to be told of every key that the handler is about to look at or to change: by it `why`
   * knows what a row comes of. Undefined: nobody looks on.
   */
  ownState(name: string, state: OwnState): TellKey | undefined;
  /** Values must survive the structured clone algorithm (plain objects, arrays, Map, Set, numbers, strings). */
  keyedState<V>(name: string, options?: StateOptions<V>): KeyedState<V>;
  rowState<V>(name: string, options: RowStateOptions<V>): RowState;
  readonly timers: Timers;
  /** The node's watermark (combined over its inputs), -Infinity before the first. */
  watermark(): number;
  readonly node: string;
}

/** Is told a key, as checkpoints have it. */
export type TellKey = (key: StateKey) => void;

export interface OperatorHandler {
  /** Handles one event of an input port. Must call one of `out`'s functions, or have taken the event into its state. */
  event(event: Event, time: number, out: Output, input: string): void;
  /**
   * Where `readsColumns`: takes events into the state as `event` would, one after the other, without objects of them. Those that go another way, or
   * make something come out, are left to `event`: `alone` calls it for a row.
   */
  columns?(batch: TimedColumns, alone: (row: number) => void): void;
  timer?(key: StateKey, name: string, time: number, out: Output): void;
  /** What was left for a wave of its own comes out. */
  nextWave?(out: Output): void;
  /** The state has been restored from a checkpoint. */
  resume?(): void;
  /** The earliest event time still to come out of this node, whatever its inputs promise: holds its outgoing watermark back. */
  holdsFrom?(): number;
  /** An answer is to come, without further events: until then the node is neither idle nor at its end, whatever its inputs are. */
  awaits?(): boolean;
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
  /** Of each input the fields that keys of the state are made of, where these are others than `key`. */
  readonly keyedBy?: Readonly<Record<string, readonly string[]>>;
  /** Absent: `each` with nothing unchanged for a function, `all` for whatever keeps state. A look-up stands in one place, whatever is said here. */
  readonly spread?: Spread;
  /**
   * Fields of an input that are needed to give these fields of the outputs, beside those that the options name (`check.field`,
   * `check.expression`, `check.aggregate`). Absent: all of them.
   */
  reads?(wanted: ReadonlySet<string>, input: string): Iterable<string>;
  /** Where `spread` is by key and there is state: without it the number of partitions cannot be changed. */
  readonly cut?: StateCut;
  /** For `mach why --open`. */
  readonly glance?: GlanceAtState;
  /** For `mach why`: whether an event that came in can be part of a result. Absent: all that changed the state that the result comes of. */
  isPartOf?(result: Event, event: Event, time: number): boolean;
  /**
   * For `mach why`, beside `isPartOf`: what an entry of a state, `value` as checkpoints have it, holds for a result; undefined: nothing, or
   * nothing that is told apart. Absent: all of it.
   */
  heldFor?(result: Event, entry: { readonly state: string; readonly value: unknown }): unknown;
  /** For `mach why`: states that hold nothing of a single result, such as how far all windows have come. */
  readonly bookkeeping?: readonly string[];
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
