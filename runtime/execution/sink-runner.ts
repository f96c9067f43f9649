/**
 * Runs a sink: reads its outputs from the log, and writes them in batches. The range of a batch is promised in the log before
 * it is written, so that after a crash the same range comes again with the same token; one batch at most is ever in doubt.
 */
import type { LogMessage, LogStream } from '../bus/log.ts';
import { type Clock, wallTime } from '../clock.ts';
import { MachError, messageOf } from '../errors.ts';
import type { CrashPoints } from '../faults.ts';
import { limits } from '../limits.ts';
import type { Logger } from '../stream/definition.ts';
import type { Event, Schema } from '../stream/schema.ts';
import type { RunningSink, SinkRow, SinkRows, SinkRun } from '../stream/sink-definition.ts';
import { deadLetterSchema, sinkLetter } from './dead-letter.ts';
import { outputRunsOf } from './handed-on.ts';
import { encodeOutputFrame, type OutputRow } from './log-frame.ts';
import { type OutputRun, rowCount } from './output-run.ts';
import { readAhead } from './read-ahead.ts';
import { RecentValues } from './recent-values.ts';
import type { SinkOpening } from './sink-opening.ts';
import { firstStage } from './streams.ts';
import { woken } from './woken.ts';

/** Of the store: its disk is full. */
const storeFullCode = 'MACH3110';

interface Promised {
  readonly from: number;
  readonly to: number;
  /** Of this log: another log's ranges must never meet this one's tokens. */
  readonly incarnation: string;
  /** It is written, and must not come again: some of its rows were refused, and the store may take them by then; or the end was a clean one. */
  readonly done?: true;
}

export interface SinkCounts {
  rows: number;
  batches: number;
  retries: number;
  /** Time under way in writes, ms, waits between tries included. */
  busyMs: number;
  /** Time waited between tries, ms. */
  waitedMs: number;
  dead: number;
  /** Batches written again after a restart. */
  repeated: number;
}

export interface SinkRunner {
  /** Stops reading and trying again; resolves when the batch under way is written, or has failed. */
  close(): Promise<void>;
  /** Says in the log that the last batch is written, where it is: it does not come again, whoever goes on. Only when no more can come. */
  conclude(): Promise<void>;
  /** Resolves when everything up to this sequence of the output stream has been written. */
  reached(sequence: number, signal: AbortSignal): Promise<void>;
  readonly counts: SinkCounts;
  readonly position: number;
  /** Why it is not getting on, or null. */
  readonly problem: string | null;
  /** Time from acceptance to row, ms, of the newest rows (at most `limits.sinkLatenciesKept`). */
  readonly latenciesMs: RecentValues;
}

interface TakenRow extends SinkRow {
  readonly redrive?: OutputRow['redrive'];
}

export async function startSinkRunner(args: {
  sink: string;
  stage: string;
  partition: number;
  topology: string;
  schema: Schema;
  outputs: LogStream;
  outputSubject: string;
  promises: LogStream;
  promiseSubject: string;
  deadLetters: LogStream;
  deadLetterSubject: string;
  incarnation: string;
  opening: SinkOpening;
  clock: Clock;
  logger: Logger;
  crashPoints: CrashPoints;
  onFailure(error: unknown): void;
}): Promise<SinkRunner> {
  const { sink, outputs, promises, clock, crashPoints, schema } = args;
  const stop = new AbortController();
  const counts: SinkCounts = { rows: 0, batches: 0, retries: 0, busyMs: 0, waitedMs: 0, dead: 0, repeated: 0 };
  const latenciesMs = new RecentValues(limits.sinkLatenciesKept);
  const waiters = new Set<() => void>();
  let endPause = () => {};
  let problem: string | null = null;
  let running: RunningSink | undefined;
  let position = 0;
  let promiseSequence = 0;
  let lastPromised: Pick<Promised, 'from' | 'to' | 'done'> | undefined;

  function reachedPosition(to: number): void {
    position = to;
    for (const wake of [...waiters]) wake();
  }

  async function write(messages: readonly LogMessage[], range: { from: number; to: number }): Promise<void> {
    const runs = messages.flatMap((message) => outputRunsOf(message, schema));
    const rows = new TakenRows(runs, args);
    // Each stage counts its outputs for itself, and another number of partitions may move the sink to another stage.
    const stage = args.stage === firstStage ? '' : `${args.stage}/`;
    const token = `${args.topology}/${sink}/${args.incarnation}/${stage}${range.from}-${range.to}`;
    crashPoints.at('sink.before-write');
    const began = wallTime();
    const refused = await writeUntilDone(rows, token);
    counts.busyMs += wallTime() - began;
    crashPoints.at('sink.after-write');
    if (refused.length > 0) {
      await buryRefused(refused, token);
      crashPoints.at('sink.after-bury');
      await promise(range.from, range.to, { done: true });
    }
    const now = wallTime();
    for (const { acceptedAt, times } of runs) if (acceptedAt > 0) latenciesMs.add(now - acceptedAt, times.length);
    counts.rows += rows.length - refused.length;
    counts.dead += refused.length;
    counts.batches++;
    reachedPosition(range.to);
  }

  async function writeUntilDone(rows: SinkRows, token: string) {
    for (let attempt = 0; ; attempt++) {
      try {
        const refused = await (running as RunningSink).write(rows, token);
        problem = null;
        return refused;
      } catch (error) {
        problem = messageOf(error);
        counts.retries++;
        if (stop.signal.aborted) throw error;
        const isFull = error instanceof MachError && error.code === storeFullCode;
        const delayMaxMs = isFull ? limits.sinkFullRetryDelayMaxMs : limits.sinkRetryDelayMaxMs;
        const longest = Math.min(limits.sinkRetryDelayMs * 2 ** attempt, delayMaxMs);
        args.logger.warn({ sink, attempt, error: problem, retryMs: longest }, 'the sink will be tried again');
        // Half fixed, half by chance: sinks that failed together do not come back together.
        const waitMs = longest * (0.5 + Math.random() / 2);
        counts.waitedMs += waitMs;
        await clock.sleep(waitMs, stop.signal);
      }
    }
  }

  async function buryRefused(
    refused: readonly { row: TakenRow; code: string; reason: string }[],
    token: string,
  ): Promise<void> {
    const rows: OutputRow[] = refused.map(({ row, code, reason }) => ({
      event: sinkLetter(sink, { ...row, code, reason }, row.redrive),
      time: row.time,
      sequence: row.sequence,
      index: row.index,
      acceptedAt: 0,
    }));
    // What is refused alike comes again alike: each message has the name that it had.
    for (const [at, payload] of letterMessages(rows, args.deadLetters.messageBytesMax).entries()) {
      await args.deadLetters.append(args.deadLetterSubject, payload, {
        id: at === 0 ? `dead/${token}` : `dead/${token}/${at}`,
      });
    }
  }

  async function promise(from: number, to: number, state: Pick<Promised, 'done'> = {}): Promise<void> {
    const promised: Promised = { from, to, incarnation: args.incarnation, ...state };
    crashPoints.at('sink.before-promise');
    const { sequence } = await promises.append(args.promiseSubject, Buffer.from(JSON.stringify(promised)), {
      id: `${args.promiseSubject}/${from}-${to}${state.done ? '/done' : ''}`,
      expectedLastSubjectSequence: promiseSequence,
    });
    crashPoints.at('sink.after-promise');
    promiseSequence = sequence;
    lastPromised = { from, to, ...state };
  }

  async function repeatPromised(): Promise<void> {
    const newest = await promises.last(args.promiseSubject);
    if (!newest) return;
    promiseSequence = newest.sequence;
    const { from, to, done } = JSON.parse(Buffer.from(newest.payload).toString()) as Promised;
    lastPromised = { from, to, ...(done && { done }) };
    if (done) return reachedPosition(to);
    const messages: LogMessage[] = [];
    const reading = new AbortController();
    for await (const message of outputs.read({
      fromSequence: from,
      subjects: [args.outputSubject],
      signal: reading.signal,
    })) {
      if (message.sequence > to) break;
      messages.push(message);
      if (message.sequence === to) break;
    }
    reading.abort();
    await write(messages, { from, to });
    counts.repeated++;
  }

  /** Before a write that could be larger later; nobody is kept waiting for it. */
  async function pause(ms: number): Promise<void> {
    if (waiters.size > 0 || stop.signal.aborted) return;
    const over = new AbortController();
    endPause = () => over.abort();
    await clock.sleep(ms, over.signal).catch(() => undefined);
  }

  async function run(): Promise<void> {
    running = await args.opening.running;
    if (!running) return;
    await repeatPromised();
    const ahead = readAhead(
      outputs.read({ fromSequence: position + 1, subjects: [args.outputSubject], signal: stop.signal }),
    );
    let writtenAt = Number.NEGATIVE_INFINITY;
    for (;;) {
      await ahead.ready();
      const early = writtenAt + (running.writeEveryMs ?? limits.sinkWriteEveryMs) - clock.now();
      if (early > 0 && !ahead.isFull()) await pause(early);
      writtenAt = clock.now();
      const messages = await ahead.take();
      if (messages.length === 0) return;
      const range = { from: (messages[0] as LogMessage).sequence, to: (messages.at(-1) as LogMessage).sequence };
      await promise(range.from, range.to);
      await write(messages, range);
    }
  }

  const finished = run().catch((error) => {
    if (!stop.signal.aborted) args.onFailure(error);
  });

  return {
    async close() {
      stop.abort(new Error('closing'));
      endPause();
      await finished;
      await running?.close();
    },
    async conclude() {
      if (!lastPromised || lastPromised.done || position < lastPromised.to) return;
      await promise(lastPromised.from, lastPromised.to, { done: true });
    },
    async reached(sequence, signal) {
      while (position < sequence && !signal.aborted) {
        const further = woken(waiters, signal);
        endPause();
        await further;
      }
    },
    counts,
    get position() {
      return position;
    },
    get problem() {
      return problem ?? args.opening.problem;
    },
    latenciesMs,
  };
}

/** In as many messages as they need. */
function letterMessages(rows: readonly OutputRow[], bytesMax: number): Uint8Array[] {
  const payload = encodeOutputFrame(deadLetterSchema, rows);
  if (payload.length <= bytesMax || rows.length < 2) return [payload];
  const middle = rows.length >> 1;
  return [rows.slice(0, middle), rows.slice(middle)].flatMap((half) => letterMessages(half, bytesMax));
}

/** The rows of runs as a sink takes them. */
class TakenRows implements SinkRows {
  readonly length: number;
  private readonly given: readonly OutputRun[];
  private readonly place: Pick<SinkRow, 'stage' | 'partition'>;

  constructor(runs: readonly OutputRun[], { stage, partition }: Pick<SinkRow, 'stage' | 'partition'>) {
    this.given = runs;
    this.place = { stage, partition };
    this.length = rowCount(runs);
  }

  get runs(): SinkRun[] {
    return this.given.map((run) => ({
      events: run.columns ?? run.events,
      rowAt: (place) => this.rowOf(run, place),
    }));
  }

  *[Symbol.iterator](): Iterator<TakenRow> {
    for (const run of this.given) for (let at = 0; at < run.times.length; at++) yield this.rowOf(run, at);
  }

  private rowOf({ events, times, sequence, index: first, redrive }: OutputRun, at: number): TakenRow {
    const { stage, partition } = this.place;
    const [event, time] = [events[at] as Event, times[at] as number];
    const row = { event, time, stage, partition, sequence, index: first + at };
    // A row that was refused once is still the row that it was.
    return redrive ? { ...row, ...redrive.origin, redrive } : row;
  }
}
