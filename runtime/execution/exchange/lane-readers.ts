/**
 * Reads the lanes that enter a partition of a later stage, each with a reader of its own: so a lane that has come far ahead of the slowest
 * can pause, and what it brings waits in the log instead of in memory. When the slowest goes on, so does the other.
 */
import type { LogMessage, LogStream } from '../../bus/log.ts';
import { limits } from '../../limits.ts';
import { woken } from '../woken.ts';
import type { ExchangeMerge, LaneEnds } from './exchange-merge.ts';

export interface Lane {
  readonly name: string;
  readonly subject: string;
}

/** Rejects with what a reader or `handle` cannot go on with; resolves after the signal. */
export async function readLanes(args: {
  readonly stream: LogStream;
  readonly lanes: readonly Lane[];
  readonly fromSequence: number;
  readonly merge: Pick<ExchangeMerge, 'mustPause'>;
  /** Pushes the message, and handles what can be handled now. The lane goes on when it resolves. */
  handle(lane: string, message: LogMessage): Promise<void>;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { stream, lanes, fromSequence, merge } = args;
  const stop = new AbortController();
  const signal = AbortSignal.any([args.signal, stop.signal]);
  const paused = new Set<() => void>();

  async function read({ name, subject }: Lane): Promise<void> {
    const readAheadMessages = limits.laneReadAheadMessagesMax;
    for await (const message of stream.read({ fromSequence, subjects: [subject], readAheadMessages, signal })) {
      const handled = args.handle(name, message);
      for (const wake of [...paused]) wake();
      await handled;
      while (merge.mustPause(name) && !signal.aborted) await woken(paused, signal);
    }
  }

  try {
    await Promise.all(lanes.map(read));
  } finally {
    stop.abort();
  }
}

/** Where the lanes end now. */
export async function endsOf(stream: LogStream, lanes: readonly Lane[]): Promise<LaneEnds> {
  const { lastSequence } = await stream.state();
  const lastOf = await Promise.all(
    lanes.map(async ({ name, subject }) => [name, (await stream.last(subject))?.sequence ?? 0] as const),
  );
  return { last: lastSequence, lastOf: new Map(lastOf) };
}
