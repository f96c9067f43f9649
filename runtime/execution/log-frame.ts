/**
 * The messages of the log. Four kinds: what a source accepted, silence of origins, answers of look-ups, outputs of a stage.
 * Each begins with a kind byte, a format version and a JSON head; columns follow (see `stream/codec.ts`).
 */
import { ByteReader, ByteWriter, readEvents, readNumbers, writeEvents, writeNumbers } from '../stream/codec.ts';
import type { DeadLetter } from '../stream/definition.ts';
import type { Event, Schema } from '../stream/schema.ts';
import { executionErrors } from './errors.ts';

const formatVersion = 1;
const kinds = { source: 1, silence: 2, answers: 3, output: 4 } as const;

/** A run of events of one origin within a source frame, as one sender appended them. */
export interface Segment {
  readonly origin: string;
  readonly events: number;
  readonly mark?: string;
  readonly id?: string;
}

export interface StoredDeadLetter extends Omit<DeadLetter, 'raw'> {
  /** Base64. */
  readonly raw: string;
}

export interface SourceFrame {
  readonly kind: 'source';
  /** When the engine accepted it, ms of the machine's clock: for latencies alone. */
  readonly acceptedAt: number;
  /** Engine time at acceptance, ms since the epoch: no watermark runs ahead of it. */
  readonly engineTime?: number;
  readonly segments: readonly Segment[];
  readonly deadLetters: readonly StoredDeadLetter[];
  readonly events: readonly Event[];
  readonly times: readonly number[];
}

export interface SilenceFrame {
  readonly kind: 'silence';
  readonly idle: readonly { readonly origin: string; readonly elapsedMs: number }[];
  readonly closed: readonly string[];
  /** Nobody has been heard at all since the source opened. */
  readonly quiet?: boolean;
}

export interface AnswersFrame {
  readonly kind: 'answers';
  readonly answers: readonly { readonly id: string; readonly answer: unknown; readonly failure: string | null }[];
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
}

export interface OutputFrame {
  readonly kind: 'output';
  readonly rows: readonly OutputRow[];
}

export function encodeSourceFrame(
  schema: Schema,
  frame: Omit<SourceFrame, 'kind'> & { readonly raws: readonly (string | null)[] },
): Uint8Array {
  const writer = open(kinds.source, {
    acceptedAt: frame.acceptedAt,
    engineTime: frame.engineTime,
    segments: frame.segments,
    deadLetters: frame.deadLetters,
    count: frame.events.length,
    hasRaws: frame.raws.some((raw) => raw !== null),
  });
  writeNumbers(writer, frame.times);
  writeEvents(writer, schema, frame.events);
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

export function encodeOutputFrame(schema: Schema, rows: readonly OutputRow[]): Uint8Array {
  const last = rows.at(-1);
  const writer = open(kinds.output, {
    count: rows.length,
    last: last && { sequence: last.sequence, index: last.index },
  });
  writeNumbers(
    writer,
    rows.map((row) => row.time),
  );
  writeNumbers(
    writer,
    rows.map((row) => row.sequence),
  );
  writeNumbers(
    writer,
    rows.map((row) => row.index),
  );
  writeNumbers(
    writer,
    rows.map((row) => row.acceptedAt),
  );
  writeEvents(
    writer,
    schema,
    rows.map((row) => row.event),
  );
  return writer.take();
}

export type InputFrame = SourceFrame | SilenceFrame | AnswersFrame;

/** `schema` is that of the edge that the message's subject names. */
export function decodeInputFrame(payload: Uint8Array, schema: Schema, wanted?: ReadonlySet<string>): InputFrame {
  const { kind, head, reader } = read(payload);
  if (kind === kinds.silence) return { kind: 'silence', ...(head as Omit<SilenceFrame, 'kind'>) };
  if (kind === kinds.answers) return { kind: 'answers', ...(head as Omit<AnswersFrame, 'kind'>) };
  if (kind !== kinds.source) throw executionErrors.make('MACH3201', { reason: `message kind ${kind} is not an input` });
  const { count, ...rest } = head as { count: number } & Pick<
    SourceFrame,
    'acceptedAt' | 'engineTime' | 'segments' | 'deadLetters'
  >;
  const times = readNumbers(reader, count);
  const events = readEvents(reader, schema, count, wanted);
  return { kind: 'source', ...rest, times, events };
}

/** The texts that senders sent, for whoever doubts an event; null where none was kept. */
export function decodeRaws(payload: Uint8Array, schema: Schema): (string | null)[] {
  const { kind, head, reader } = read(payload);
  const { count, hasRaws } = head as { count: number; hasRaws?: boolean };
  if (kind !== kinds.source || !hasRaws) return [];
  readNumbers(reader, count);
  readEvents(reader, schema, count, new Set());
  return JSON.parse(reader.text()) as (string | null)[];
}

export function decodeOutputFrame(payload: Uint8Array, schema: Schema): OutputFrame {
  const { kind, head, reader } = read(payload);
  if (kind !== kinds.output)
    throw executionErrors.make('MACH3201', { reason: `message kind ${kind} is not an output` });
  const { count } = head as { count: number };
  const times = readNumbers(reader, count);
  const sequences = readNumbers(reader, count);
  const indexes = readNumbers(reader, count);
  const acceptedAts = readNumbers(reader, count);
  const events = readEvents(reader, schema, count);
  const rows = events.map((event, at) => ({
    event,
    time: times[at] as number,
    sequence: sequences[at] as number,
    index: indexes[at] as number,
    acceptedAt: acceptedAts[at] as number,
  }));
  return { kind: 'output', rows };
}

/** The place of the last row of an output message, without decoding its columns. */
export function lastPlaceOf(payload: Uint8Array): OutputPlace | undefined {
  return (read(payload).head as { last?: OutputPlace }).last;
}

function open(kind: number, head: object): ByteWriter {
  const writer = new ByteWriter();
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
