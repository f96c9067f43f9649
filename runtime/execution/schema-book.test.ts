/** What an earlier version wrote is read with the schema that it was written with, by field name; or not at all. */
import { beforeAll, describe, expect, it } from 'vitest';
import { memoryLog } from '../bus/memory/log.ts';
import { memoryStorage } from '../bus/memory/storage.ts';
import { virtualClock } from '../clock.ts';
import { defineSchema, field, type Schema } from '../stream/schema.ts';
import { openLab } from '../testing/engine-lab.ts';
import { decodeInputFrame, decodeOutputFrame, decodeRaws, encodeOutputFrame, encodeSourceFrame } from './log-frame.ts';
import { openSchemaBook, readingOf, readSchemaBook, schemaId } from './schema-book.ts';

const small =
  'version: 1\nname: small\nsources: { beds: { pulses: {} } }\nsinks: { rows: { collect: { from: beds } } }\n';
const old = defineSchema({ id: field.string(), beds: field.int(), note: field.string({ nullable: true }) });
const frame = (schema: Schema, events: readonly Record<string, unknown>[]) =>
  encodeSourceFrame(schema, {
    acceptedAt: 1,
    segments: [{ origin: 'H1', events: events.length }],
    deadLetters: [],
    events,
    times: events.map(() => 1_000),
    raws: events.map(() => 'MSH|'),
  });

const written = frame(old, [{ id: 'a', beds: 3, note: 'x' }]);
const eventsOf = (payload: Uint8Array, schema: Schema) => {
  const decoded = decodeInputFrame(payload, schema);
  return decoded.kind === 'source' ? decoded.events : [];
};

describe('a message of an earlier schema', () => {
  it('is read by field name: in another order, without what is gone, null for what is new and may be absent', () => {
    const now = defineSchema({ beds: field.float(), free: field.int({ nullable: true }), id: field.string() });
    const [event] = eventsOf(written, now);
    expect(event).toEqual({ beds: 3, free: null, id: 'a' });
    expect(Object.keys(event ?? {})).toEqual(['beds', 'free', 'id']);
    expect(decodeRaws(written, now)).toEqual(['MSH|']);
  });

  it.each([
    ['a field that is new and always there', { ...old.fields, free: field.int() }, 'free: it is absent there'],
    ['a field of another type', { ...old.fields, beds: field.string() }, 'beds: it is a int there and a string here'],
    ['a field that may no longer be absent', { ...old.fields, note: field.string() }, 'note: it may be absent there'],
  ])('is refused (MACH3221) for %s', (_, fields, reason) => {
    const refused = expect.objectContaining({ code: 'MACH3221', message: expect.stringContaining(reason) });
    expect(() => eventsOf(written, { fields })).toThrowError(refused);
  });

  it('is refused (MACH3220) when nobody knows the schema', () => {
    expect(() => readingOf('0123456789abcdef', old, { fill: false })).toThrowError(
      expect.objectContaining({ code: 'MACH3220', data: { id: '0123456789abcdef' } }),
    );
  });

  it('on its way to a sink gets the empty value of a new column, as rows in the table do', () => {
    const row = { event: { id: 'a', beds: 3, note: null }, time: 1, sequence: 1, index: 0, acceptedAt: 0 };
    const now: Schema = {
      fields: { ...old.fields, level: field.int(), tags: field.list({ kind: 'string' }), name: field.string() },
    };
    const { rows } = decodeOutputFrame(encodeOutputFrame(old, [row]), now);
    expect(rows[0]?.event).toEqual({ id: 'a', beds: 3, note: null, level: 0, tags: [], name: '' });
  });

  it('is told from one of now by names and types, not by descriptions', () => {
    const described = defineSchema({
      ...old.fields,
      beds: field.int({ description: 'beds that are free', unit: 'beds' }),
    });
    expect(schemaId(described)).toBe(schemaId(old));
    expect(schemaId({ fields: { ...old.fields, beds: field.int({ nullable: true }) } })).not.toBe(schemaId(old));
  });
});

describe('the schemas beside the checkpoints', () => {
  let names: readonly string[] = [];
  const log = memoryLog({ clock: virtualClock(0), storage: memoryStorage() });

  beforeAll(async () => {
    const objects = await log.objects('mach-book-checkpoints');
    const { topology } = openLab({ topology: small });
    await openSchemaBook(objects, topology);
    await openSchemaBook(objects, topology);
    names = await objects.list();
  });

  it('are written once each', () => {
    expect(names.length).toBeGreaterThan(0);
    expect(names).toEqual([...new Set(names)]);
    expect(names.every((name) => /^schemas\/[0-9a-f]{16}$/.test(name))).toBe(true);
  });

  it('make the messages of another process readable', async () => {
    const objects = await log.objects('mach-book-checkpoints');
    const foreign = { fields: { id: field.string(), from_elsewhere: field.bool() } };
    const id = schemaId(foreign);
    await objects.put(`schemas/${id}`, Buffer.from(JSON.stringify({ fields: Object.entries(foreign.fields) })));
    await readSchemaBook(objects);
    expect(readingOf(id, old, { fill: true }).schema.fields).toHaveProperty('from_elsewhere');
  });
});
