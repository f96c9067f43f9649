import { describe, expect, it } from 'vitest';
import { fitEvent } from './fit-event.ts';
import { defineSchema, field } from './schema.ts';

const schema = defineSchema({
  id: field.string(),
  level: field.string({ values: ['red', 'green'], nullable: true }),
  beds: field.int({ nullable: true }),
  share: field.float({ nullable: true }),
  tags: field.list({ kind: 'string' }, { nullable: true }),
  place: field.record({ x: field.float(), note: field.string({ nullable: true }) }, { nullable: true }),
  more: field.json(),
});

describe('fitEvent', () => {
  it('gives the fields of the schema in its order, and leaves out what it does not know', () => {
    const fitted = fitEvent({ gone: 1, beds: 3, id: 'a', more: { any: [1] } }, schema);
    expect(fitted).toEqual({
      event: { id: 'a', level: null, beds: 3, share: null, tags: null, place: null, more: { any: [1] } },
    });
    expect(Object.keys((fitted as { event: object }).event)).toEqual(Object.keys(schema.fields));
  });

  it.each([
    [{ id: 'a', level: 'blue' }, 'level is not one of red, green'],
    [{ id: 'a', beds: 1.5 }, 'beds is not int'],
    [{ id: 'a', share: '1' }, 'share is not float'],
    [{ id: 'a', tags: ['x', 1] }, 'tags is not list<string>'],
    [{ id: 'a', place: { note: 'x' } }, 'place is not record{x, note}'],
    [{ beds: 1 }, 'id is missing; it may not be null'],
    [null, 'it is not an object'],
    [['a'], 'it is not an object'],
  ])('says what is wrong with %j', (value, problem) => expect(fitEvent(value, schema)).toEqual({ problem }));

  it('takes a record whose nullable part is absent', () => {
    expect(fitEvent({ id: 'a', place: { x: 1.5 } }, schema)).toMatchObject({ event: { place: { x: 1.5 } } });
  });
});
