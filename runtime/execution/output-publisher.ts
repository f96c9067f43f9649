/**
 * Publishes the rows of one output of a stage to the log, in order, exactly once: what the log already has is dropped by its
 * place (input sequence, index), and every append is fenced by the sequence of the one before it.
 */
import type { LogStream, Payload } from '../bus/log.ts';
import type { Clock } from '../clock.ts';
import type { CrashPoints } from '../faults.ts';
import { limits } from '../limits.ts';
import { roughMeasure } from '../stream/rough-bytes.ts';
import type { Schema } from '../stream/schema.ts';
import { outputMessage } from './handed-on.ts';
import { lastPlaceOf } from './log-frame.ts';
import { behind, halvesOf, lastOf, type OutputRun, partOf, rowCount } from './output-run.ts';

export interface OutputPublisher {
  /** Takes rows; those that the log has already are dropped. */
  add(run: OutputRun): void;
  /** Resolves when every row added so far is in the log, but for the last `leaving`; rejects when it cannot get there. */
  flushed(leaving?: number): Promise<void>;
  /** Input sequence of the newest row that the log had when this was opened (0: none). */
  readonly knownSequence: number;
  /** Rows that wait. */
  readonly waiting: number;
  readonly published: number;
  readonly repeated: number;
}

export async function openOutputPublisher(args: {
  stream: LogStream;
  subject: string;
  schema: Schema;
  /** Of the input log: places of one before mean nothing. */
  beginning: number;
  clock: Clock;
  crashPoints: CrashPoints;
  /** An append failed for good: the stage must stop. */
  onFailure(error: unknown): void;
}): Promise<OutputPublisher> {
  const { stream, subject, schema, beginning, clock, crashPoints } = args;
  const bytesOf = roughMeasure(schema);
  const newest = await stream.last(subject);
  const place = newest && lastPlaceOf(newest.payload);
  const known = place?.beginning === beginning ? place : undefined;
  let expected = newest?.sequence ?? 0;
  /** In messages as they will go out: all of `limits.outputFlushEventsMax` rows but the last. */
  const queue: { rows: number; readonly runs: OutputRun[] }[] = [];
  let waiting = 0;
  let publishing = false;
  let added = 0;
  let failure: unknown;
  let publishedAt = Number.NEGATIVE_INFINITY;
  let hurry: (() => void) | undefined;
  let waiters: { target: number; resolve(): void; reject(error: unknown): void }[] = [];
  const counts = { published: 0, repeated: 0 };

  function wake(): void {
    const due = waiters.filter(({ target }) => failure !== undefined || target <= counts.published);
    waiters = waiters.filter((waiter) => !due.includes(waiter));
    for (const { resolve, reject } of due) failure === undefined ? resolve() : reject(failure);
  }

  async function publishAll(): Promise<void> {
    // The rest of the message being handled first, so that its rows go out together.
    await Promise.resolve();
    while (queue.length > 0) {
      await gather();
      publishedAt = clock.now();
      const { rows, runs } = queue.shift() as (typeof queue)[number];
      waiting -= rows;
      await publish(runs);
    }
    // In the same turn as the last look at the queue: a row added later starts anew.
    publishing = false;
  }

  /** Lets rows come together for a moment, unless there are many or someone waits for them. */
  async function gather(): Promise<void> {
    const early = publishedAt + limits.outputFlushEveryMs - clock.now();
    if (early <= 0 || waiters.length > 0 || waiting >= limits.outputFlushEventsMax) return;
    await new Promise<void>((resolve) => {
      const timer = clock.after(early, resolve);
      hurry = () => {
        timer.cancel();
        resolve();
      };
    });
    hurry = undefined;
  }

  /** Each part is cut out of the whole: of a million rows at once what is left must not be copied with each. */
  function enqueue(run: OutputRun): void {
    const { length } = run.times;
    for (let from = 0; from < length; ) {
      let message = queue.at(-1);
      if (!message || message.rows >= limits.outputFlushEventsMax) {
        message = { rows: 0, runs: [] };
        queue.push(message);
      }
      const to = Math.min(length, from + limits.outputFlushEventsMax - message.rows);
      message.runs.push(partOf(run, from, to));
      message.rows += to - from;
      from = to;
    }
    waiting += length;
  }

  /** Undefined where it is known to be too much without encoding it. Rows that are handed on never are. */
  function messageOf(runs: readonly OutputRun[]): Payload | undefined {
    if (!stream.handsOn && rowCount(runs) > 1) {
      let bytes = 0;
      for (const run of runs) bytes += bytesOf(run);
      if (bytes > limits.encodedBytesMax) return undefined;
    }
    return outputMessage(stream, schema, runs, { beginning });
  }

  async function publish(runs: readonly OutputRun[]): Promise<void> {
    const payload = messageOf(runs);
    const halves = !payload || payload.length > stream.messageBytesMax ? halvesOf(runs) : [];
    if (!payload || halves.length > 0) {
      for (const half of halves) await publish(half);
      return;
    }
    const last = lastOf(runs.at(-1) as OutputRun);
    crashPoints.at('output.before-append');
    const { sequence } = await stream.append(subject, payload, {
      // With the place that it follows: rows of another input log may have the same places as those of this one.
      id: `${subject}/${expected}/${last.sequence}.${last.index}`,
      expectedLastSubjectSequence: expected,
    });
    crashPoints.at('output.after-append');
    expected = sequence;
    counts.published += rowCount(runs);
    wake();
  }

  return {
    add(given) {
      const run = behind(given, known);
      counts.repeated += given.times.length - (run?.times.length ?? 0);
      if (!run || run.times.length === 0) return;
      enqueue(run);
      added += run.times.length;
      // After a failure nothing more goes out: a gap would be a loss.
      if (failure !== undefined) return;
      if (waiting >= limits.outputFlushEventsMax) hurry?.();
      if (publishing) return;
      publishing = true;
      void publishAll().catch((error) => {
        failure = error;
        wake();
        args.onFailure(error);
      });
    },
    flushed(leaving = 0) {
      return new Promise<void>((resolve, reject) => {
        waiters.push({ target: added - leaving, resolve, reject });
        wake();
        if (waiters.length > 0) hurry?.();
      });
    },
    knownSequence: known?.sequence ?? 0,
    get waiting() {
      return waiting;
    },
    get published() {
      return counts.published;
    },
    get repeated() {
      return counts.repeated;
    },
  };
}
