/**
 * Frames on a log that hands them on within one process. Who reads with the schema that they were written with gets them as they are, everybody
 * else their bytes: the events are the same, as if they had been encoded.
 */
import type { LazyMessage, LogMessage, LogStream, Payload } from '../bus/log.ts';
import { limits } from '../limits.ts';
import { eventCompleter } from '../stream/compiled-access.ts';
import { type Event, fieldNames, type Schema } from '../stream/schema.ts';
import {
  decodeInputFrame,
  decodeOutputFrame,
  encodeOutputFrame,
  encodeSourceFrame,
  type InputFrame,
  type OutputRow,
  type SourceFrame,
} from './log-frame.ts';

type Written = Parameters<typeof encodeSourceFrame>[1];

/** What a source accepted, as the log takes it. */
export function sourceMessage(stream: LogStream, schema: Schema, written: Written): Payload {
  if (!stream.handsOn) return encodeSourceFrame(schema, written);
  const frame: SourceFrame = { kind: 'source', ...written, events: completerOf(schema)(written.events) };
  return new SchemaMessage(schema, frame, frame.events.length, () => encodeSourceFrame(schema, written));
}

/** Results of a stage, as the log takes them. */
export function outputMessage(
  stream: LogStream,
  schema: Schema,
  rows: readonly OutputRow[],
  options: { beginning: number },
): Payload {
  if (!stream.handsOn) return encodeOutputFrame(schema, rows, options);
  const events = rows.map(({ event }) => event);
  const complete = completerOf(schema)(events);
  const frame = complete === events ? rows : rows.map((row, at) => ({ ...row, event: complete[at] as Event }));
  return new SchemaMessage(schema, frame, frame.length, () => encodeOutputFrame(schema, rows, options));
}

/** `schema` is that of the edge that the message's subject names. */
export function inputFrameOf(message: LogMessage, schema: Schema): InputFrame {
  const { lazy } = message;
  if (lazy instanceof SchemaMessage && lazy.schema === schema) return lazy.frame as SourceFrame;
  return decodeInputFrame(message.payload, schema);
}

export function outputRowsOf(message: LogMessage, schema: Schema): readonly OutputRow[] {
  const { lazy } = message;
  if (lazy instanceof SchemaMessage && lazy.schema === schema) return lazy.frame as readonly OutputRow[];
  return decodeOutputFrame(message.payload, schema).rows;
}

class SchemaMessage implements LazyMessage {
  readonly schema: Schema;
  readonly frame: object;
  readonly length: number;
  private readonly encode: () => Uint8Array;

  constructor(schema: Schema, frame: object, events: number, encode: () => Uint8Array) {
    this.schema = schema;
    this.frame = frame;
    this.length = events * limits.handedOnEventBytes;
    this.encode = encode;
  }

  bytes(): Uint8Array {
    return this.encode();
  }
}

const completers = new WeakMap<Schema, ReturnType<typeof eventCompleter>>();

function completerOf(schema: Schema): ReturnType<typeof eventCompleter> {
  const known = completers.get(schema);
  if (known) return known;
  const made = eventCompleter(fieldNames(schema));
  completers.set(schema, made);
  return made;
}
