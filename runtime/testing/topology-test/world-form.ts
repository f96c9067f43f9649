/** What a test acts on and looks at. */
import type { LogMessage } from '../../bus/log.ts';
import type { InputFrame } from '../../execution/log-frame.ts';
import type { EngineLook } from '../../observe/history/history.ts';
import type { Accounting } from '../../stream/ledger.ts';
import type { NodeCounts } from '../../stream/node-runner.ts';
import type { Event } from '../../stream/schema.ts';
import type { AppendRequest } from '../../stream/source-definition.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import type { Mocks } from './bound-test.ts';
import type { LookBack } from './look-back.ts';

export interface CollectedRow {
  readonly event: Event;
  readonly time: number;
  /** Of the source message that caused it; absent where that is of no interest. */
  readonly sequence?: number;
}

/** A message of the input log, decoded. */
export interface LoggedInput {
  readonly node: string;
  readonly frame: InputFrame;
}

export interface World {
  /** Time of the test, ms since the epoch. */
  now(): number;
  /** Appends all of it in one turn, as senders that deliver together; resolves when its rows are collected. */
  append(source: string, requests: readonly AppendRequest[]): Promise<void>;
  advance(byMs: number): Promise<void>;
  checkpoint(): Promise<void>;
  /** The process dies and starts again from its newest checkpoint. */
  crash(): Promise<void>;
  /** The process will die when this node handles something next. */
  armCrash(node: string): void;
  /** The process will die when so many more messages of the log have been handled. */
  crashAfter(messages: number): void;
  /** The store takes nothing for so long. */
  storeDown(forMs: number): void;
  /** The store is back, if it was away, and has everything. */
  finish(): Promise<void>;
  dropAcknowledgements(count: number): void;
  /** Faults that have been asked for and have not come. */
  outstanding(): readonly string[];
  /** Rows of a sink in the order of their writing. */
  rows(sink: string): readonly CollectedRow[];
  deadLetters(): readonly CollectedRow[];
  accounting(): Accounting;
  watermark(node: string): number | null;
  /** Of an operator or a sink. */
  counts(node: string): NodeCounts;
  /** As `/metrics` would show them. */
  metrics(): Promise<string>;
  /** What the engine would write of itself now, for boards. */
  look(): Promise<EngineLook>;
  inputs(): readonly LoggedInput[];
  /** What every output gave so far. */
  lookBack(): LookBack;
  /** The input log as it is stored. */
  messages(): readonly LogMessage[];
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly topology: BoundTopology;
  readonly startMs: number;
  readonly mocks: Mocks;
}
