import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter, readEvents, readNumbers, writeEvents, writeNumbers } from './codec.ts';
import { defineSchema, type Event, field } from './schema.ts';

const schema = defineSchema({
  id: field.string(),
  ward: field.string({ nullable: true, repeated: true }),
  beds: field.int({ nullable: true }),
  share: field.float({ nullable: true }),
  open: field.bool({ nullable: true }),
  at: field.timestamp(),
  tags: field.list({ kind: 'string' }),
  extra: field.json({ nullable: true }),
});

const event: fc.Arbitrary<Event> = fc.record({
  id: fc.string({ unit: 'grapheme' }),
  ward: fc.option(fc.oneof(fc.constantFrom('Phường Bến Thành', 'Cần Giờ'), fc.string()), { nil: null }),
  beds: fc.option(fc.oneof(fc.integer(), fc.maxSafeInteger()), { nil: null }),
  share: fc.option(fc.double(), { nil: null }),
  open: fc.option(fc.boolean(), { nil: null }),
  at: fc.integer({ min: 0, max: 4e12 }),
  tags: fc.array(fc.string()),
  extra: fc.option(fc.jsonValue(), { nil: null }),
}) as fc.Arbitrary<Event>;

function roundTrip(events: readonly Event[], wanted?: ReadonlySet<string>): readonly Event[] {
  const writer = new ByteWriter(16);
  writeEvents(writer, schema, events);
  return readEvents(new ByteReader(writer.take()), schema, events.length, wanted).events;
}

describe('codec', () => {
  it('gives back the events that were written', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 300 }), (events) => {
        // JSON has no -0; numbers keep it.
        const expected = events.map((one) => ({ ...one, extra: JSON.parse(JSON.stringify(one.extra)) }));
        expect(roundTrip(events)).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  it('leaves out the columns that nobody wants', () => {
    const events = [{ id: 'a', ward: null, beds: 3, share: 0.5, open: true, at: 1, tags: [], extra: null }];
    expect(roundTrip(events, new Set(['beds', 'at']))).toEqual([{ beds: 3, at: 1 }]);
  });

  it('keeps columns of many distinct texts, and of more than a byte can index', () => {
    const events = Array.from({ length: 5_000 }, (_, index) => ({
      id: `${index}`,
      ward: `ward ${index % 700}`,
      beds: index,
      share: null,
      open: null,
      at: index,
      tags: [],
      extra: null,
    }));
    expect(roundTrip(events)).toEqual(events);
  });

  it('keeps numbers of any size', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true })), (numbers) => {
        const writer = new ByteWriter();
        writeNumbers(writer, numbers);
        expect(readNumbers(new ByteReader(writer.take()), numbers.length)).toEqual(numbers);
      }),
    );
  });

  it('begins anew after a message that was huge, or never finished, and gives its room back', () => {
    const writer = new ByteWriter(64);
    writer.text('x'.repeat(10_000));
    writer.clear(128);
    expect(writer.room).toBe(128);
    writer.text('Bệnh viện');
    const bytes = writer.take();
    expect(new ByteReader(bytes).text()).toBe('Bệnh viện');
    writer.text('Thử');
    expect(new ByteReader(bytes).text()).toBe('Bệnh viện');
  });

  it('refuses bytes that are cut short or of another kind, instead of making events up', () => {
    const writer = new ByteWriter();
    writeEvents(writer, schema, [{ id: 'a', ward: 'b', beds: 1, share: 1.5, open: true, at: 5, tags: [], extra: {} }]);
    const bytes = writer.take();
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readEvents(new ByteReader(bytes.slice(0, length)), schema, 1)).toThrow();
    }
    const wrong = bytes.slice();
    wrong[0] = 99;
    expect(() => readEvents(new ByteReader(wrong), schema, 1)).toThrow(/unknown column tag/);
  });
});
