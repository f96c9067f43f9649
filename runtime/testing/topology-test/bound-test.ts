/** Tests as they run: names resolved, values typed. */
import type { AppendRequest } from '../../stream/definition.ts';
import type { Accounting } from '../../stream/ledger.ts';
import type { NodeCounts } from '../../stream/node-runner.ts';
import type { Event } from '../../stream/schema.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import type { Span } from '../../topology/ir/span.ts';

export interface TestFile {
  /** Path as it was given. */
  readonly file: string;
  readonly topology: BoundTopology;
  readonly tests: readonly BoundTest[];
}

export interface BoundTest {
  readonly name: string;
  readonly place: Span;
  /** Time of the test at its first step, ms since the epoch. */
  readonly startMs: number;
  readonly steps: readonly BoundStep[];
}

export type BoundStep = SendStep | AdvanceStep | CrashStep | FaultStep | ExpectStep;

export interface SendStep {
  readonly kind: 'send';
  readonly place: Span;
  readonly source: string;
  readonly repeat: number;
  /** Time that passes between two repetitions. */
  readonly everyMs: number;
  /** What is appended at the n-th repetition (from 1), one request for each event. */
  requests(now: number, repetition: number): readonly AppendRequest[];
}

export interface AdvanceStep {
  readonly kind: 'advance';
  readonly place: Span;
  readonly byMs: number;
}

export interface CrashStep {
  readonly kind: 'crash';
  readonly place: Span;
}

export interface FaultStep {
  readonly kind: 'fault';
  readonly place: Span;
  /** The process dies when this node handles something next. */
  readonly crashAt: string | undefined;
  /** So many of the next acknowledgements of the log are lost. */
  readonly dropAcknowledgements: number;
}

/** Fields that are compared, and the event time where it is written. */
export interface ExpectedRow {
  readonly fields: Event;
  readonly time: number | undefined;
}

export type ExpectedRows = number | readonly ExpectedRow[];

export interface ExpectStep {
  readonly kind: 'expect';
  readonly place: Span;
  /** Resolves the values at the time of the test. */
  expectations(now: number): readonly Expectation[];
}

export type Expectation =
  | {
      readonly kind: 'rows';
      readonly place: Span;
      /** Id of the sink; undefined: dead letters. */
      readonly sink: string | undefined;
      readonly rows: ExpectedRows | undefined;
      readonly contains: readonly ExpectedRow[] | undefined;
      readonly where: ExpectedRow | undefined;
      /** Only the newest row for each value of these fields. */
      readonly latestBy: readonly string[] | undefined;
    }
  | { readonly kind: 'accounting'; readonly place: Span; readonly accounting: Partial<Accounting> }
  | { readonly kind: 'watermark'; readonly place: Span; readonly node: string; readonly time: number | null }
  | { readonly kind: 'counts'; readonly place: Span; readonly node: string; readonly counts: Partial<NodeCounts> };
