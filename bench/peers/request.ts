/** What the bench and the process of a peer say to each other: one JSON object a line, on standard input and output. */
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface PeerRequest {
  readonly query: string;
  readonly events: number;
  readonly seed: number;
  /** Events a second of event time. */
  readonly rate: number;
  /** Events within which the order is mixed; 1: in order. */
  readonly disorder: number;
  /** File for the rows, JSON arrays in any order: such a run is checked, not timed. */
  readonly rows?: string;
  /** `objects`: all events are made before the clock starts, where the peer can; else their generator is in the time. */
  readonly over?: 'generator' | 'objects';
  /** The events as JSON lines, for a peer without a generator of its own. */
  readonly lines?: string;
  /** Where the peer has a choice: processes that share the stream. */
  readonly workers?: number;
  /** Where the peer has a choice. */
  readonly state?: 'heap' | 'rocksdb';
}

export interface PeerTimes {
  /** From the first event to the last row. */
  readonly seconds: number;
  readonly cpu_seconds: number;
  readonly rows: number;
}

export type PeerAnswer = PeerTimes | { readonly unsupported: string } | { readonly error: string };

/** Answers requests until standard input ends. */
export async function servePeer(answer: (request: PeerRequest) => Promise<PeerAnswer>): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const reply = await answer(JSON.parse(line) as PeerRequest).catch((error: Error) => ({
      error: error.stack ?? String(error),
    }));
    if (!process.stdout.write(`${JSON.stringify(reply)}\n`)) await once(process.stdout, 'drain');
  }
}
