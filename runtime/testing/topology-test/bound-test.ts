/** Tests as they run: names resolved, values typed. */
import type { Accounting } from '../../stream/ledger.ts';
import type { NodeCounts } from '../../stream/node-runner.ts';
import type { Event } from '../../stream/schema.ts';
import type { AppendRequest } from '../../stream/source-definition.ts';
import type { BoundTopology, NodePort } from '../../topology/bound.ts';
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
  /** Node to what its look-ups are answered. */
  readonly mocks: Mocks;
  /** It runs once more at so many partitions; 1: it does not. */
  readonly partitions: number;
  readonly steps: readonly BoundStep[];
}

export type Mocks = ReadonlyMap<string, readonly BoundMock[]>;

/** The first whose fields fit the event answers. */
export interface BoundMock {
  readonly when: Event;
  /** Null: not known there. */
  readonly answer: unknown;
  /** It fails instead. */
  readonly error: string | undefined;
  /** Time of the test until it answers. */
  readonly afterMs: number;
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
  /** The process dies when so many more messages of the log have been handled. */
  readonly crashAfter: number | undefined;
  /** So many of the next acknowledgements of the log are lost. */
  readonly dropAcknowledgements: number;
  /** The store takes nothing for so long. */
  readonly storeDownMs: number;
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

export type RowsOf =
  | { readonly kind: 'sink'; readonly sink: string }
  | { readonly kind: 'output'; readonly output: NodePort }
  | { readonly kind: 'dead letters' };

export type Expectation =
  | {
      readonly kind: 'rows';
      readonly place: Span;
      /** Where the rows are: a sink, an output of a node, or the dead letters. */
      readonly of: RowsOf;
      readonly rows: ExpectedRows | undefined;
      readonly contains: readonly ExpectedRow[] | undefined;
      readonly where: ExpectedRow | undefined;
      /** Only the newest row for each value of these fields. */
      readonly latestBy: readonly string[] | undefined;
      /** Name of the snapshot that the rows are compared with. */
      readonly snapshot: string | undefined;
    }
  | { readonly kind: 'metrics'; readonly place: Span; readonly metrics: Readonly<Record<string, number>> }
  | { readonly kind: 'accounting'; readonly place: Span; readonly accounting: Partial<Accounting> }
  | { readonly kind: 'watermark'; readonly place: Span; readonly node: string; readonly time: number | null }
  | { readonly kind: 'counts'; readonly place: Span; readonly node: string; readonly counts: Partial<NodeCounts> };
