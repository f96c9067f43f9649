/**
 * The messages of the log. Six kinds: what a source accepted, silence of origins, answers of look-ups, outputs of a stage,
 * dead letters that go in again, and marks at which every partition changes to another version of the topology.
 * Each begins with a kind byte, a format version and a JSON head; columns follow (see `stream/codec.ts`).
 */

import type { ErrorData } from '../errors.ts';
import { limits } from '../limits.ts';
import type { RowOrigin } from '../store/store.ts';
import { ByteReader, ByteWriter, readEvents, readNumbers, writeEvents, writeNumbers } from '../stream/codec.ts';
import { type WithColumns, withColumns, withPart } from '../stream/event-columns.ts';
import type { Event, Schema } from '../stream/schema.ts';
import type { DeadLetter } from '../stream/source-definition.ts';
import { executionErrors } from './errors.ts';
import { columnsOfRuns, lastOf, type OutputRun, rowsOf, runOf } from './output-run.ts';
import { readingOf, schemaId } from './schema-book.ts';

const formatVersion = 1;
const kinds = { source: 1, silence: 2, answers: 3, output: 4, redrive: 6, version: 7 } as const;

/** A run of events of one origin within a source frame, as one sender appended them. */
export interface Segment {
  readonly origin: string;
  readonly events: number;
  readonly mark?: string;
  readonly id?: string;
  /** Of the frame's dead letters, in order, so many came with this run. Absent where the frame has none, and in frames of version 0.1.0. */
  readonly letters?: number;
  /** Where its events stood at the sender, and of each the line there, where it has one. Stages do not look at it. */
  readonly place?: ErrorData;
  readonly lines?: readonly (number | null)[];
}

export interface StoredDeadLetter extends Omit<DeadLetter, 'raw'> {
  /** Base64. */
  readonly raw: string;
}

export interface SourceFrame extends WithColumns {
  readonly kind: 'source';
  /** When the engine accepted it, ms of the machine's clock: for latencies alone. */
  readonly acceptedAt: number;
  /** Engine time at acceptance, ms since the epoch: no watermark runs ahead of it. */
  readonly engineTime?: number;
  readonly segments: readonly Segment[];
  readonly deadLetters: readonly StoredDeadLetter[];
  readonly times: readonly number[];
}

/** A source frame as it is written: with the texts that senders sent, none where no event has one. */
export type WrittenSource = Omit<SourceFrame, 'kind'> & { readonly raws: readonly (string | null)[] };

export interface SilenceFrame {
  readonly kind: 'silence';
  readonly idle: readonly { readonly origin: string; readonly elapsedMs: number }[];
  readonly closed: readonly string[];
  /** Nobody has been heard at all since the source opened. */
  readonly quiet?: boolean;
  /** Engine time of whoever noticed it. */
  readonly at?: number;
  /** The source has said that nothing more will come of it, ever. */
  readonly ended?: boolean;
}

export interface AnswersFrame {
  readonly kind: 'answers';
  readonly answers: readonly { readonly id: string; readonly answer: unknown; readonly failure: string | null }[];
}

/** A dead letter that is tried again. */
export interface RedriveLink {
  /** Its id, and that of the first of its line (itself, mostly). */
  readonly letter: string;
  readonly first: string;
  /** How often it was tried before. */
  readonly attempts: number;
}

/**
 * A dead letter that goes in again: at the source that could not decode it, with what it is decoded to now; at an input of the operator
 * that turned it away; or at the sink that refused it. As JSON, not in columns: the topology that handles it may be another than
 * the one that wrote it.
 */
export interface RedriveFrame extends RedriveLink {
  readonly kind: 'redrive';
  /** Input of the operator or sink; null for a source. */
  readonly input: string | null;
  readonly events: readonly Event[];
  readonly times: readonly number[];
  /** What still cannot be decoded. */
  readonly deadLetters: readonly StoredDeadLetter[];
  /** Source sequence of the letter, and its time. */
  readonly sequence: number;
  readonly time: number;
  /** Of a row that a sink refused: it keeps its place among the results. */
  readonly origin?: RowOrigin;
  /** What the sender sent (base64), and who and where, of what could not be decoded. */
  readonly raw?: string;
  readonly place?: DeadLetter['place'];
}

/**
 * The one message between the last of one version of the topology and the first of the next. It changes no state: a stage that meets it asks
 * whether the change that it belongs to goes on, has been done, or was taken back.
 */
export interface VersionFrame {
  readonly kind: 'version';
  /** Of the change. */
  readonly id: string;
}

/** A place in the outputs of a stage: input sequence, then index among the outputs of that input. */
export interface OutputPlace {
  readonly sequence: number;
  readonly index: number;
}

export interface OutputRow extends OutputPlace {
  readonly event: Event;
  readonly time: number;
  readonly acceptedAt: number;
  /** It comes of a dead letter that was redriven; `origin` where it is the very row that a sink had refused. */
  readonly redrive?: RedriveLink & { readonly origin?: RowOrigin };
}

export interface OutputFrame {
  readonly kind: 'output';
  readonly rows: readonly OutputRow[];
}

export function encodeSourceFrame(schema: Schema, frame: WrittenSource): Uint8Array {
  const writer = open(kinds.source, {
    acceptedAt: frame.acceptedAt,
    engineTime: frame.engineTime,
    segments: frame.segments,
    deadLetters: frame.deadLetters,
    count: frame.times.length,
    hasRaws: frame.raws.some((raw) => raw !== null),
    schema: schemaId(schema),
  });
  writeNumbers(writer, frame.times);
  writeEvents(writer, schema, frame.columns ?? frame.events);
  // Last, so that a stage never reads it.
  if (frame.raws.some((raw) => raw !== null)) writer.text(JSON.stringify(frame.raws));
  return writer.take();
}

export function encodeSilenceFrame(frame: Omit<SilenceFrame, 'kind'>): Uint8Array {
  return open(kinds.silence, frame).take();
}

export function encodeAnswersFrame(frame: Omit<AnswersFrame, 'kind'>): Uint8Array {
  return open(kinds.answers, frame).take();
}

export function encodeVersionFrame(frame: Omit<VersionFrame, 'kind'>): Uint8Array {
  return open(kinds.version, frame).take();
}

export function encodeRedriveFrame(frame: Omit<RedriveFrame, 'kind'>): Uint8Array {
  return open(kinds.redrive, frame).take();
}

export function encodeOutputFrame(schema: Schema, rows: readonly OutputRow[]): Uint8Array {
  return encodeOutputRuns(schema, rows.map(runOf));
}

/** `beginning`: of the input log, see `log-beginning.ts`. */
export function encodeOutputRuns(
  schema: Schema,
  runs: readonly OutputRun[],
  { beginning = 0 }: { beginning?: number } = {},
): Uint8Array {
  const last = runs.at(-1);
  const redrives: (readonly [number, OutputRow['redrive']])[] = [];
  const times: number[] = [];
  const sequences: number[] = [];
  const indexes: number[] = [];
  const acceptedAts: number[] = [];
  for (const run of runs) {
    for (let at = 0; at < run.times.length; at++) {
      if (run.redrive) redrives.push([times.length, run.redrive]);
      times.push(run.times[at] as number);
      sequences.push(run.sequence);
      indexes.push(run.index + at);
      acceptedAts.push(run.acceptedAt);
    }
  }
  const writer = open(kinds.output, {
    count: times.length,
    last: last && lastOf(last),
    columns: Object.keys(schema.fields).length,
    schema: schemaId(schema),
    ...(beginning > 0 && { beginning }),
    ...(redrives.length === 0 ? {} : { redrives }),
  });
  for (const column of [times, sequences, indexes, acceptedAts]) writeNumbers(writer, column);
  writeEvents(writer, schema, columnsOfRuns(runs) ?? runs.flatMap(({ events }) => events));
  return writer.take();
}

/**
 * Dead letters of the runs that are new (`again[i]`: run i was in the log before); all of them where the frame does not say which came
 * with what.
 */
export function newLetters(
  { segments, deadLetters }: SourceFrame,
  again: readonly boolean[],
): readonly StoredDeadLetter[] {
  if (deadLetters.length === 0 || segments.some(({ letters }) => letters === undefined)) return deadLetters;
  let from = 0;
  return segments.flatMap(({ letters = 0 }, at) => {
    const own = deadLetters.slice(from, from + letters);
    from += letters;
    return again[at] ? [] : own;
  });
}

export type InputFrame = SourceFrame | SilenceFrame | AnswersFrame | RedriveFrame | VersionFrame;

/** `schema` is that of the edge that the message's subject names. */
export function decodeInputFrame(payload: Uint8Array, schema: Schema, wanted?: ReadonlySet<string>): InputFrame {
  const { kind, head, reader } = read(payload);
  if (kind === kinds.silence) return { kind: 'silence', ...(head as Omit<SilenceFrame, 'kind'>) };
  if (kind === kinds.answers) return { kind: 'answers', ...(head as Omit<AnswersFrame, 'kind'>) };
  if (kind === kinds.redrive) return { kind: 'redrive', ...(head as Omit<RedriveFrame, 'kind'>) };
  if (kind === kinds.version) return { kind: 'version', ...(head as Omit<VersionFrame, 'kind'>) };
  if (kind !== kinds.source) throw executionErrors.make('MACH3201', { reason: `message kind ${kind} is not an input` });
  const {
    count,
    schema: written,
    ...rest
  } = head as { count: number; schema?: string } & Pick<
    SourceFrame,
    'acceptedAt' | 'engineTime' | 'segments' | 'deadLetters'
  >;
  const times = readNumbers(reader, count);
  const reading = readingOf(written, schema, { fill: false });
  const columns = readEvents(reader, reading.schema, count, wanted);
  const frame = { kind: 'source' as const, ...rest, times };
  return reading.map ? { ...frame, events: reading.map(columns.events) } : withColumns(frame, columns);
}

/** Engine time at which a source message was accepted (machine time, of old messages); of other kinds undefined. Decodes no column. */
export function timeOfInput(payload: Uint8Array): number | undefined {
  const { kind, head } = read(payload);
  if (kind !== kinds.source) return undefined;
  const { engineTime, acceptedAt } = head as Pick<SourceFrame, 'engineTime' | 'acceptedAt'>;
  return engineTime ?? acceptedAt;
}

/** The texts that senders sent, for whoever doubts an event; null where none was kept. */
export function decodeRaws(payload: Uint8Array, schema: Schema): (string | null)[] {
  const { kind, head, reader } = read(payload);
  if (kind === kinds.redrive) {
    const { events, raw } = head as RedriveFrame;
    const text = raw === undefined ? null : Buffer.from(raw, 'base64').toString();
    return events.map(() => text);
  }
  const { count, hasRaws, schema: written } = head as { count: number; hasRaws?: boolean; schema?: string };
  if (kind !== kinds.source || !hasRaws) return [];
  readNumbers(reader, count);
  readEvents(reader, readingOf(written, schema, { fill: true }).schema, count, new Set());
  return JSON.parse(reader.text()) as (string | null)[];
}

export function decodeOutputFrame(payload: Uint8Array, schema: Schema): OutputFrame {
  return { kind: 'output', rows: rowsOf(decodeOutputRuns(payload, schema)) };
}

export function decodeOutputRuns(payload: Uint8Array, schema: Schema): OutputRun[] {
  const { kind, head, reader } = read(payload);
  if (kind !== kinds.output)
    throw executionErrors.make('MACH3201', { reason: `message kind ${kind} is not an output` });
  const {
    count,
    redrives = [],
    schema: written,
  } = head as { count: number; redrives?: [number, OutputRow['redrive']][]; schema?: string };
  const redriven = redrives.length > 0 ? new Map(redrives) : undefined;
  const times = readNumbers(reader, count);
  const sequences = readNumbers(reader, count);
  const indexes = readNumbers(reader, count);
  const acceptedAts = readNumbers(reader, count);
  const reading = readingOf(written, schema, { fill: true });
  const columns = readEvents(reader, reading.schema, count);
  const rows = reading.map ? { events: reading.map(columns.events) } : withColumns({}, columns);
  const runs: OutputRun[] = [];
  for (let from = 0; from < count; ) {
    const [sequence, index] = [sequences[from] as number, indexes[from] as number];
    const [acceptedAt, redrive] = [acceptedAts[from] as number, redriven?.get(from)];
    let to = from + 1;
    const goesOn = () => sequences[to] === sequence && indexes[to] === index + to - from;
    while (to < count && goesOn() && acceptedAts[to] === acceptedAt && !redrive && !redriven?.has(to)) to++;
    const run = { times: times.slice(from, to), sequence, index, acceptedAt, ...(redrive && { redrive }) };
    runs.push(withPart(run, rows, { from, to }));
    from = to;
  }
  return runs;
}

/** How many columns an output message has; undefined of those that an early engine wrote. */
export function columnsOf(payload: Uint8Array): number | undefined {
  return (read(payload).head as { columns?: number }).columns;
}

/** The place of the last row of an output message, and the beginning of the log that it is of, without decoding its columns. */
export function lastPlaceOf(payload: Uint8Array): (OutputPlace & { readonly beginning: number }) | undefined {
  const { last, beginning = 0 } = read(payload).head as { last?: OutputPlace; beginning?: number };
  return last && { ...last, beginning };
}

/** One for all messages: memory outside of the heap for each would have the collector of garbage look through all of the heap every other second. */
const writer = new ByteWriter();

/** Holds good until the next message is opened. */
function open(kind: number, head: object): ByteWriter {
  writer.clear(limits.frameBytesMax);
  writer.uint8(kind);
  writer.uint8(formatVersion);
  writer.text(JSON.stringify(head));
  return writer;
}

function read(payload: Uint8Array): { kind: number; head: object; reader: ByteReader } {
  const reader = new ByteReader(payload);
  const kind = reader.uint8();
  const version = reader.uint8();
  if (version !== formatVersion) {
    throw executionErrors.make('MACH3201', { reason: `format ${version}; this engine reads format ${formatVersion}` });
  }
  return { kind, head: JSON.parse(reader.text()) as object, reader };
}
