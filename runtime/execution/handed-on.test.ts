/** Frames that are handed on are the frames that their bytes would give. */
import { expect, it } from 'vitest';
import type { LazyMessage, LogMessage, LogStream, Payload } from '../bus/log.ts';
import { defineSchema, type Event, field, type Schema } from '../stream/schema.ts';
import { inputFrameOf, outputMessage, outputRunsOf, sourceMessage } from './handed-on.ts';
import { rowsOf } from './output-run.ts';

const schemaOf = (): Schema => defineSchema({ name: field.string(), size: field.float({ nullable: true }) });
const schema = schemaOf();
const handing = { handsOn: true } as LogStream;
const storing = {} as LogStream;
/** The second lacks a field, the third has one that nobody knows. */
const events = [{ name: 'a', size: 1 }, { name: 'b' }, { name: 'c', size: null, more: true }] as Event[];

function received(payload: Payload): LogMessage {
  const rest = { sequence: 1, subject: 's', headers: {}, storedAt: 0 };
  if (payload instanceof Uint8Array) return { ...rest, payload };
  const lazy: LazyMessage = payload;
  return { ...rest, lazy, payload: lazy.bytes() };
}

it.each(['source', 'output'] as const)('of the kind %s', (kind) => {
  const read = (stream: LogStream, wanted: Schema) => {
    if (kind === 'output') {
      const run = { events, times: [0, 1, 2], sequence: 7, index: 4, acceptedAt: 5 };
      const runs = [run, { ...run, sequence: 8, index: 0, redrive: { letter: 'b', first: 'a', attempts: 1 } }];
      const message = received(outputMessage(stream, schema, runs, { beginning: 0 }));
      return rowsOf(outputRunsOf(message, wanted)).map(withKnown);
    }
    const segments = [{ origin: 'o', events: events.length, place: { file: 'f' }, lines: [2, null, 7] }];
    const written = { acceptedAt: 5, engineTime: 6, segments, deadLetters: [], events, times: [1, 2, 3] };
    const frame = inputFrameOf(
      received(sourceMessage(stream, schema, { ...written, raws: [null, null, null] })),
      wanted,
    );
    if (frame.kind !== 'source') throw new Error(`a ${frame.kind}`);
    const { acceptedAt, engineTime, times } = frame;
    return { acceptedAt, engineTime, times, segments: frame.segments, events: frame.events.map(known) };
  };
  expect(read(handing, schema)).toEqual(read(storing, schema));
  // The same fields in a schema of its own: another version of the topology reads bytes.
  expect(read(handing, schemaOf())).toEqual(read(storing, schema));
});

const known = ({ name, size }: Event) => ({ name, size });
const withKnown = <R extends { readonly event: Event }>(row: R) => ({ ...row, event: known(row.event) });
