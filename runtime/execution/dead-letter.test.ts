import { describe, expect, it } from 'vitest';
import { ByteWriter, writeEvents, writeNumbers } from '../stream/codec.ts';
import { defineSchema, field } from '../stream/schema.ts';
import {
  deadLetterId,
  deadLetterSchema,
  decodeDeadLetterRows,
  decodeLetter,
  endingOf,
  operatorLetter,
  sinkLetter,
} from './dead-letter.ts';
import { encodeOutputFrame, type OutputRow } from './log-frame.ts';

const link = { letter: 'b00000000000', first: 'a00000000000', attempts: 2 };

const rowOf = (event: OutputRow['event'], index = 0): OutputRow => ({
  event,
  time: 5,
  sequence: 7,
  index,
  acceptedAt: 0,
});

describe('dead letters', () => {
  const event = { id: 'x', code: 'own', reason: 'own too' };
  const letters = [
    decodeLetter('beats', { code: 'MACH1', reason: 'r', raw: 'cmF3', place: { line: 3 } }),
    operatorLetter('checked', { event, time: 5, code: 'MACH2', reason: 'r', input: 'left' }, link),
    sinkLetter('rows', { event, code: 'MACH3', reason: 'r', stage: 's2', partition: 3 }),
    endingOf('rows', link, { delivered: 1 }),
  ];

  it('have one shape, and come back from the log as they went in', () => {
    for (const letter of letters) expect(Object.keys(letter)).toEqual(Object.keys(deadLetterSchema.fields));
    const rows = letters.map((letter, index) => rowOf(letter, index));
    const read = decodeDeadLetterRows(encodeOutputFrame(deadLetterSchema, rows));
    expect(read.map((row) => row.event)).toEqual(letters);
    expect(read[1]?.event).toMatchObject({
      attempts: 3,
      first: 'a00000000000',
      previous: 'b00000000000',
      input: 'left',
    });
    // The event's own fields are kept, whatever their names.
    expect(JSON.parse(Buffer.from(read[1]?.event.raw ?? '', 'base64').toString())).toEqual(event);
  });

  it('have an id of what they hold and where they came from', () => {
    const read = decodeDeadLetterRows(
      encodeOutputFrame(
        deadLetterSchema,
        letters.map((one, at) => rowOf(one, at)),
      ),
    );
    const ids = read.map(deadLetterId);
    expect(new Set(ids).size).toBe(letters.length);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{12}$/);
    const [first] = read;
    if (!first) throw new Error('nothing was read');
    expect(deadLetterId(first)).toBe(ids[0]);
    for (const other of [
      { ...first, sequence: 8 },
      { ...first, index: 9 },
      { ...first, event: { ...first.event, attempts: 2 } },
      { ...first, event: { ...first.event, raw: 'b3RoZXI=' } },
    ])
      expect(deadLetterId(other)).not.toBe(ids[0]);
  });

  it('that an engine wrote before they could be redriven are read', () => {
    const before = defineSchema({
      node: field.string({ repeated: true }),
      code: field.string({ repeated: true }),
      reason: field.string(),
      raw: field.string(),
      place: field.json({ nullable: true }),
      attempts: field.int(),
    });
    const old = [
      { node: 'beats', code: 'MACH1', reason: 'r', raw: 'cmF3', place: { line: 3 }, attempts: 1 },
      { node: 'checked', code: 'MACH2', reason: 'r', raw: 'e30=', place: null, attempts: 1 },
    ];
    const writer = new ByteWriter();
    writer.uint8(4);
    writer.uint8(1);
    writer.text(JSON.stringify({ count: 2, last: { sequence: 7, index: 1 } }));
    for (const numbers of [
      [5, 5],
      [7, 7],
      [0, 1],
      [0, 0],
    ])
      writeNumbers(writer, numbers);
    writeEvents(writer, before, old);
    const nowhere = { input: null, first: null, previous: null, stage: null, partition: null };
    expect(decodeDeadLetterRows(writer.take()).map((row) => row.event)).toEqual([
      { ...nowhere, kind: 'decode', ...old[0] },
      { ...nowhere, kind: 'operator', ...old[1] },
    ]);
  });
});
