/**
 * Publishes what a partition of a stage passes to a partition of a later one: in order, exactly once, fenced as the outputs are. Also says
 * how far the lane has come when there is nothing to pass, so that the reader need not wait for it.
 */
import type { LogStream } from '../../bus/log.ts';
import type { Clock } from '../../clock.ts';
import type { CrashPoints } from '../../faults.ts';
import { limits } from '../../limits.ts';
import { roughMeasure } from '../../stream/rough-bytes.ts';
import type { Event } from '../../stream/schema.ts';
import { cutFrame } from './cut-frame.ts';
import {
  type ExchangeFrame,
  type ExchangeRow,
  type ExchangeWatermark,
  encodeExchangeFrame,
  progressOf,
  type RowPlace,
  type SchemaOf,
  schemaIn,
} from './exchange-frame.ts';

export interface ExchangePublisher {
  row(row: Omit<ExchangeRow, 'index'>): void;
  watermark(mark: ExchangeWatermark): void;
  /** The source message of this sequence has been handled: what it caused has been added. */
  completed(sequence: number): void;
  /** Resolves when everything completed so far is in the log, progress included. */
  flushed(): Promise<void>;
  /** Source sequence that the log had when this was opened. */
  readonly knownSequence: number;
  readonly waiting: number;
  readonly published: number;
  readonly repeated: number;
}

export async function openExchangePublisher(args: {
  stream: LogStream;
  subject: string;
  schemaOf: SchemaOf;
  /** Of the input log: what one before has caused means nothing. */
  beginning: number;
  /** Messages begin at least this far apart, unless someone waits; where absent it hangs on what there is. */
  everyMs?: number;
  clock: Clock;
  crashPoints: CrashPoints;
  onFailure(error: unknown): void;
}): Promise<ExchangePublisher> {
  const { stream, subject, schemaOf, beginning, clock, crashPoints } = args;
  const newest = await stream.last(subject);
  const progress = newest && progressOf(newest.payload);
  const known = progress?.beginning === beginning ? progress : { through: 0, last: null };
  const knownSequence = Math.max(known.through, known.last?.sequence ?? 0);
  const { through } = known;
  const partial: RowPlace | null = known.last && known.last.sequence > known.through ? known.last : null;
  let expected = newest?.sequence ?? 0;
  let rows: ExchangeRow[] = [];
  let watermarks: ExchangeWatermark[] = [];
  let completed = through;
  let saidThrough = through;
  let counted = { sequence: 0, rows: 0 };
  let running = false;
  let failure: unknown;
  let publishedAt = Number.NEGATIVE_INFINITY;
  let hurry: (() => void) | undefined;
  let waiters: { target: number; resolve(): void; reject(error: unknown): void }[] = [];
  const counts = { published: 0, repeated: 0 };
  /** By the exchanges whose rows they measure. */
  const measures = new Map<string, ReturnType<typeof roughMeasure>>();

  const isKnown = (sequence: number, index: number) =>
    sequence <= through || (partial !== null && sequence === partial.sequence && index <= partial.index);

  function wake(): void {
    const due = waiters.filter(({ target }) => failure !== undefined || target <= saidThrough);
    waiters = waiters.filter((waiter) => !due.includes(waiter));
    for (const { resolve, reject } of due) failure === undefined ? resolve() : reject(failure);
  }

  function bytesOf(of: readonly ExchangeRow[]): number {
    const events = new Map<string, Event[]>();
    for (const { exchange, event } of of) {
      const known = events.get(exchange);
      if (known) known.push(event);
      else events.set(exchange, [event]);
    }
    let bytes = 0;
    for (const [exchange, given] of events) {
      const measure = measures.get(exchange) ?? roughMeasure(schemaIn(exchange, schemaOf));
      measures.set(exchange, measure);
      bytes += measure({ events: given });
    }
    return bytes;
  }

  async function publishAll(): Promise<void> {
    await Promise.resolve();
    while (completed > saidThrough) {
      await gather();
      publishedAt = clock.now();
      await publishCompleted();
    }
    running = false;
  }

  /** Lets rows come together for a moment; progress alone can wait longer. */
  async function gather(): Promise<void> {
    const isProgressAlone = rows.length === 0 && watermarks.length === 0;
    const everyMs = args.everyMs ?? (isProgressAlone ? limits.exchangeProgressEveryMs : limits.outputFlushEveryMs);
    const early = publishedAt + everyMs - clock.now();
    if (early <= 0 || waiters.length > 0 || rows.length >= limits.outputFlushEventsMax) return;
    await new Promise<void>((resolve) => {
      const timer = clock.after(early, resolve);
      hurry = () => {
        timer.cancel();
        resolve();
      };
    });
    hurry = undefined;
  }

  async function publishCompleted(): Promise<void> {
    const frame: ExchangeFrame = { beginning, through: completed, rows, watermarks };
    const before = saidThrough;
    rows = [];
    watermarks = [];
    await publish(frame, before);
    saidThrough = frame.through;
    wake();
  }

  /** In several messages where it is too much for one: each says how far the lane has come through with it. */
  async function publish(frame: ExchangeFrame, before: number): Promise<void> {
    const isLong =
      frame.rows.length > limits.outputFlushEventsMax ||
      (frame.rows.length > 1 && bytesOf(frame.rows) > limits.encodedBytesMax);
    const payload = isLong ? undefined : encodeExchangeFrame(frame, schemaOf);
    const isTooLarge = payload === undefined || payload.length > stream.messageBytesMax;
    const parts = isTooLarge ? cutFrame(frame, before) : undefined;
    if (parts) {
      const [first, second] = parts;
      await publish(first, before);
      return publish(second, first.through);
    }
    if (payload === undefined) throw new Error('invariant broken: several rows cannot be cut');
    const last = frame.rows.at(-1);
    crashPoints.at('exchange.before-append');
    const { sequence } = await stream.append(subject, payload, {
      id: `${subject}/${expected}/${frame.through}.${last?.sequence ?? 0}.${last?.index ?? 0}`,
      expectedLastSubjectSequence: expected,
    });
    crashPoints.at('exchange.after-append');
    expected = sequence;
    counts.published += frame.rows.length;
  }

  return {
    row(row) {
      counted = counted.sequence === row.sequence ? counted : { sequence: row.sequence, rows: 0 };
      const index = counted.rows++;
      if (isKnown(row.sequence, index)) counts.repeated++;
      else {
        // Field by field: a copy by spreading is much dearer.
        const { exchange, sequence, wave, cause, time, acceptedAt, event, redrive } = row;
        rows.push({ exchange, sequence, wave, cause, index, time, acceptedAt, event, redrive });
      }
    },
    watermark(mark) {
      if (mark.sequence > through) watermarks.push(mark);
    },
    completed(sequence) {
      if (sequence <= completed) return;
      completed = sequence;
      if (failure !== undefined) return;
      const isLate = args.everyMs === undefined || rows.length >= limits.outputFlushEventsMax;
      if (isLate && (rows.length > 0 || watermarks.length > 0)) hurry?.();
      if (running) return;
      running = true;
      void publishAll().catch((error) => {
        failure = error;
        wake();
        args.onFailure(error);
      });
    },
    flushed() {
      return new Promise<void>((resolve, reject) => {
        waiters.push({ target: completed, resolve, reject });
        wake();
        if (waiters.length > 0) hurry?.();
      });
    },
    knownSequence,
    get waiting() {
      return rows.length;
    },
    get published() {
      return counts.published;
    },
    get repeated() {
      return counts.repeated;
    },
  };
}
