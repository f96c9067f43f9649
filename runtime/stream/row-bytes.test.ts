/** What a row takes on the log, and that no message that holds it alone needs more. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter, writeEvents } from './codec.ts';
import { EventColumns, withColumns } from './event-columns.ts';
import { largeRowFinder, rowBytes } from './row-bytes.ts';
import { defineSchema, type Event, field } from './schema.ts';

const schema = defineSchema({
  id: field.string(),
  'of several words': field.string({ nullable: true, repeated: true }),
  level: field.string({ values: ['low', 'high'] }),
  count: field.int({ nullable: true }),
  share: field.float(),
  open: field.bool(),
  seen: field.list({ kind: 'string' }),
  more: field.json({ nullable: true }),
});
const plain = defineSchema({ id: field.string(), share: field.float(), more: field.json({ nullable: true }) });

const text = fc.string({ unit: 'binary', maxLength: 30 });
const row: fc.Arbitrary<Event> = fc.record({
  id: text,
  'of several words': fc.option(text),
  level: fc.constantFrom('low', 'high'),
  count: fc.option(fc.maxSafeInteger()),
  share: fc.double({ noNaN: true }),
  open: fc.boolean(),
  seen: fc.array(text, { maxLength: 5 }),
  more: fc.option(fc.jsonValue()),
});

const sizesOf = (found: ReadonlyMap<number, number> | undefined) => [...(found ?? [])];

describe('what a row takes', () => {
  it('is at least what its columns take where it stands alone', () => {
    fc.assert(
      fc.property(row, fc.constantFrom(schema, plain), (event, of) => {
        const writer = new ByteWriter();
        writeEvents(writer, of, [event]);
        expect(writer.take().length).toBeLessThanOrEqual(rowBytes(of, event));
      }),
    );
  });

  it('is asked of each row only where one may be too large, and misses none, in objects and in columns', () => {
    fc.assert(
      fc.property(
        fc.array(row, { maxLength: 8 }),
        fc.integer({ min: 100, max: 600 }),
        fc.constantFrom(schema, plain),
        (events, bytesMax, of) => {
          const expected = events.flatMap((event, at) => {
            const bytes = rowBytes(of, event);
            return bytes > bytesMax ? [[at, bytes]] : [];
          });
          const find = largeRowFinder(of, bytesMax);
          expect(sizesOf(find({ events }))).toEqual(expected);
          const names = Object.keys(of.fields);
          // Rows of a longer block, as a part of one has them.
          const columns = names.map((name) => [null, null, ...events.map((event) => event[name])]);
          const part = new EventColumns(names, columns, { length: events.length + 2 }).slice(2, events.length + 2);
          expect(sizesOf(find(withColumns({}, part)))).toEqual(expected);
        },
      ),
      { numRuns: 500 },
    );
  });
});
