import { describe, expect, it } from 'vitest';
import { defineSchema, field } from '../stream/schema.ts';
import { decodeInputFrame, decodeRaws, encodeSourceFrame } from './log-frame.ts';

const schema = defineSchema({ hospital: field.string(), beds: field.int() });
const events = [
  { hospital: 'H1', beds: 4 },
  { hospital: 'H2', beds: 7 },
];

function encode(raws: readonly (string | null)[]): Uint8Array {
  const segments = [{ origin: 'H1', events: events.length }];
  return encodeSourceFrame(schema, { acceptedAt: 5, segments, deadLetters: [], events, times: [1, 2], raws });
}

describe('the texts of senders in a source frame', () => {
  it('come back as they were sent, and the events without them', () => {
    const payload = encode(['MSH|bốn giường', null]);
    expect(decodeRaws(payload, schema)).toEqual(['MSH|bốn giường', null]);
    expect(decodeInputFrame(payload, schema)).toMatchObject({ kind: 'source', events, times: [1, 2] });
  });

  it('cost nothing where none was kept', () => {
    expect(decodeRaws(encode([null, null]), schema)).toEqual([]);
    expect(encode([null, null]).length).toBeLessThan(encode(['', null]).length);
  });
});
