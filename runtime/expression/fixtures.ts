import { defineSchema, type Event, field } from '../stream/schema.ts';

/** The event of DIALECT.md, which the tests of this folder read. */
export const schema = defineSchema({
  kind: field.string({ values: ['arrival', 'discharge'] }),
  hospital: field.string(),
  minutes: field.int(),
  beds: field.int(),
  score: field.float(),
  ward: field.string({ nullable: true }),
  urgent: field.bool({ nullable: true }),
  at: field.timestamp(),
  waited: field.duration(),
  codes: field.list({ kind: 'string' }),
  loads: field.list({ kind: 'int' }),
  place: field.record({ lat: field.float(), lon: field.float() }),
  raw: field.json(),
});

export const event: Event = {
  kind: 'arrival',
  hospital: 'H1',
  minutes: 250,
  beds: 20,
  score: 7.5,
  ward: null,
  urgent: true,
  at: Date.parse('2026-03-02T07:06:30+07:00'),
  waited: 250 * 60_000,
  codes: ['A90', 'J11'],
  loads: [3, 8, 5],
  place: { lat: 10.7769, lon: 106.7009 },
  raw: { PV1: { beds: ['12', 4] } },
};
