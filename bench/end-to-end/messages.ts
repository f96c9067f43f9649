/** What the processes of the bench say to each other. */
import type { ChildProcess } from 'node:child_process';
import type { Protocol } from './workload.ts';

export interface Connect {
  readonly kind: 'connect';
  readonly feedAddress: string;
  readonly hl7Port: number;
  readonly feedBatch: number;
}

/** Follows a schedule and waits for nobody. */
export interface OpenLoop {
  readonly kind: 'open-loop';
  readonly firstNumber: number;
  readonly perSecond: number;
  readonly durationMs: number;
  readonly feedShare: number;
  readonly seed: number;
}

/** As fast as rows become readable: at most `waitingMax` events are sent and not readable. */
export interface ClosedLoop {
  readonly kind: 'closed-loop';
  readonly protocol: Protocol;
  readonly firstNumber: number;
  readonly durationMs: number;
  readonly waitingMax: number;
}

/** Rows of the closed loop's numbers that have been seen so far. */
export interface Readable {
  readonly kind: 'readable';
  readonly rows: number;
}

export type ToDriver = Connect | OpenLoop | ClosedLoop | Readable | { readonly kind: 'close' };

export interface Driven {
  readonly kind: 'driven';
  /** Numbers from the first on that were sent. */
  readonly numbers: number;
  /** Messages and items sent, repetitions included. */
  readonly sent: number;
  /** When number 0 of the schedule was due: monotonic, and ms since the epoch. */
  readonly startedAt: number;
  readonly startedWall: number;
  readonly endedAt: number;
  /** How late the driver itself was, ms: it counts as latency. */
  readonly lateMaxMs: number;
  readonly cpuSeconds: number;
}

export type FromDriver =
  | { readonly kind: 'connected' }
  | Driven
  | { readonly kind: 'flushed' }
  | { readonly kind: 'failed'; readonly reason: string };

export type ToPoller =
  | { readonly kind: 'start'; readonly url: string; readonly everyMs: number }
  | { readonly kind: 'pace'; readonly everyMs: number }
  | { readonly kind: 'close' };

/** Rows that one query has shown for the first time. */
export interface Seen {
  readonly kind: 'seen';
  /** Monotonic, when the whole answer was there. */
  readonly at: number;
  readonly queryMs: number;
  readonly numbers: Uint32Array;
  /** Intended time of sending as the row has it, ms since the epoch. */
  readonly intended: Float64Array;
}

export type FromPoller = Seen | { readonly kind: 'failed'; readonly reason: string };

/** Rejects when the process fails or ends; never resolves. */
export function failureOf(child: ChildProcess, name: string): Promise<never> {
  const failure = new Promise<never>((_, reject) => {
    child.on('message', (message: { readonly kind: string; readonly reason?: string }) => {
      if (message.kind === 'failed') reject(new Error(`${name}: ${message.reason}`));
    });
    child.once('exit', (code) => reject(new Error(`${name}: the process ended with ${code}`)));
  });
  // It may fail while nobody waits; whoever waits next is told.
  failure.catch(() => undefined);
  return failure;
}

/** The next message of this kind. */
export function messageOfKind<T extends { readonly kind: string }>(child: ChildProcess, kind: T['kind']): Promise<T> {
  return new Promise((resolve) => {
    const onMessage = (message: T) => {
      if (message.kind !== kind) return;
      child.off('message', onMessage);
      resolve(message);
    };
    child.on('message', onMessage);
  });
}
