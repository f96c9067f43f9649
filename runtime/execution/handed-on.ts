/**
 * Frames on a log that hands them on within one process. Who reads with the schema that they were written with gets them as they are, everybody
 * else their bytes: the events are the same, as if they had been encoded.
 */
import type { LazyMessage, LogMessage, LogStream, Payload } from '../bus/log.ts';
import { limits } from '../limits.ts';
import { eventCompleter } from '../stream/compiled-access.ts';
import { type EventColumns, withColumns } from '../stream/event-columns.ts';
import { fieldNames, type Schema } from '../stream/schema.ts';
import {
  decodeInputFrame,
  decodeOutputRuns,
  encodeOutputRuns,
  encodeSourceFrame,
  type InputFrame,
  type SourceFrame,
  type WrittenSource,
} from './log-frame.ts';
import { type OutputRun, rowCount } from './output-run.ts';

/** What a source accepted, as the log takes it. */
export function sourceMessage(stream: LogStream, schema: Schema, written: WrittenSource): Payload {
  if (!stream.handsOn) return encodeSourceFrame(schema, written);
  return new SchemaMessage(schema, frameOf(schema, written), written.times.length, () =>
    encodeSourceFrame(schema, written),
  );
}

function frameOf(schema: Schema, written: WrittenSource): SourceFrame {
  const { columns, acceptedAt, engineTime, segments, deadLetters, times } = written;
  const rest = {
    kind: 'source' as const,
    acceptedAt,
    segments,
    deadLetters,
    times,
    ...(engineTime !== undefined && { engineTime }),
  };
  if (columns && isComplete(columns, schema)) return withColumns(rest, columns);
  return { ...rest, events: completerOf(schema)(written.events) };
}

/** Whether columns are those of a schema, and no field is left out. */
function isComplete(columns: EventColumns, schema: Schema): boolean {
  const names = fieldNames(schema);
  return columns.names.length === names.length && names.every((name, at) => columns.names[at] === name);
}

/** Results of a stage, as the log takes them. */
export function outputMessage(
  stream: LogStream,
  schema: Schema,
  runs: readonly OutputRun[],
  options: { beginning: number },
): Payload {
  if (!stream.handsOn) return encodeOutputRuns(schema, runs, options);
  const complete = completerOf(schema);
  const frame = runs.map((run) =>
    run.columns && isComplete(run.columns, schema) ? run : { ...run, events: complete(run.events) },
  );
  return new SchemaMessage(schema, frame, rowCount(runs), () => encodeOutputRuns(schema, runs, options));
}

/** `schema` is that of the edge that the message's subject names. */
export function inputFrameOf(message: LogMessage, schema: Schema): InputFrame {
  const { lazy } = message;
  if (lazy instanceof SchemaMessage && lazy.schema === schema) return lazy.frame as SourceFrame;
  return decodeInputFrame(message.payload, schema);
}

export function outputRunsOf(message: LogMessage, schema: Schema): readonly OutputRun[] {
  const { lazy } = message;
  if (lazy instanceof SchemaMessage && lazy.schema === schema) return lazy.frame as readonly OutputRun[];
  return decodeOutputRuns(message.payload, schema);
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
