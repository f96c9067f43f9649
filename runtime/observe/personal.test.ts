import { expect, it } from 'vitest';
import { hidden } from '../stream/privacy.ts';
import { defineSchema, field } from '../stream/schema.ts';
import { hidePersonal } from './personal.ts';

const schema = defineSchema({
  name: field.string({ privacy: 'direct' }),
  born: field.timestamp({ privacy: 'quasi', nullable: true }),
  triage: field.int({ privacy: 'health' }),
  contact: field.record({ phone: field.string({ privacy: 'direct' }), ward: field.string() }),
  visits: field.list({ kind: 'record', fields: { doctor: field.string({ privacy: 'direct' }), bed: field.int() } }),
});

it('hides what points at a person, inside of records and lists too, and what the schema does not know', () => {
  const event = {
    name: 'Nguyễn Văn Thử',
    born: null,
    triage: 2,
    contact: { phone: '0900000000', ward: 'A' },
    visits: [{ doctor: 'Trần Thị Thử', bed: 4 }],
    card: 'X1',
  };
  expect(hidePersonal(event, schema)).toEqual({
    name: hidden,
    born: null,
    triage: 2,
    contact: { phone: hidden, ward: 'A' },
    visits: [{ doctor: hidden, bed: 4 }],
    card: hidden,
  });
});
