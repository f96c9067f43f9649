import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineSchema, type Event, field } from '../runtime/stream/index.ts';
import {
  at,
  BindProblems,
  bindOperator,
  expectSameForAnyCut,
  operatorRun,
  stepsOf,
} from '../runtime/testing/operator-harness.ts';
import { map } from './map.ts';

const schema = defineSchema({
  name: field.string({ privacy: 'direct' }),
  minutes: field.int({ nullable: true, unit: 'min' }),
  beds: field.int(),
});
const event = fc.record({
  name: fc.constantFrom('Nguyễn Văn Thử', 'Trần Thị Mẫu'),
  minutes: fc.option(fc.integer({ min: 0, max: 400 })),
  beds: fc.integer({ min: 0, max: 3 }),
});

function bind(options: object) {
  return bindOperator({ definition: map, options: { from: 'adt', ...options }, schema }).bound;
}

function problems(options: object): unknown[] {
  try {
    bind(options);
  } catch (error) {
    if (error instanceof BindProblems) return error.problems.map(({ path }) => [path].flat().join('.'));
    throw error;
  }
  return [];
}

describe('map', () => {
  const run = operatorRun({
    definition: map,
    options: { from: 'adt', set: { hours: 'minutes / 60', share: 'minutes / beds', beds: 'beds + 1' }, drop: ['name'] },
    schema,
  });
  const naive = ({ minutes, beds }: Event): Event => ({
    minutes,
    hours: minutes === null ? null : Number(minutes) / 60,
    share: minutes === null || beds === 0 ? null : Number(minutes) / Number(beds),
    beds: Number(beds) + 1,
  });

  it('computes what a plain function computes, with the time kept', () => {
    fc.assert(
      fc.property(stepsOf(event), (steps) => {
        const expected = steps.flatMap((step) =>
          step.kind === 'event' ? [{ event: naive(step.event), time: step.time }] : [],
        );
        expect(run(steps).ports.out ?? []).toEqual(expected);
      }),
    );
  });

  it('is the same for any cut and crash', () => {
    expectSameForAnyCut(run, stepsOf(event));
  });

  it('gives events the fields of its schema, in its order', () => {
    const one = run([at(0, { name: 'Nguyễn Văn Thử', minutes: 90, beds: 2 })]).events()[0] ?? {};
    const fields = Object.keys(
      bind({ set: { hours: 'minutes / 60', share: 'minutes / beds', beds: 'beds + 1' }, drop: ['name'] }).ports.out
        ?.fields ?? {},
    );
    expect(Object.keys(one)).toEqual(fields);
  });

  it('computes from the input, not from other computed fields', () => {
    const swap = operatorRun({
      definition: map,
      options: { from: 'a', set: { minutes: 'beds', beds: 'minutes' }, keep: 'none' },
      schema,
    });
    expect(swap([at(0, { name: '', minutes: 1, beds: 2 })]).events()).toEqual([{ minutes: 2, beds: 1 }]);
  });

  it('keeps all, none, or those named, with what is known of them', () => {
    expect(bind({}).ports.out).toEqual(schema);
    expect(bind({ keep: ['minutes'] }).ports.out?.fields).toEqual({ minutes: schema.fields.minutes });
    expect(bind({ keep: 'none', set: { full: 'beds == 0' } }).ports.out?.fields).toEqual({
      full: { type: { kind: 'bool' } },
    });
    expect(Object.keys(bind({ drop: ['name'] }).ports.out?.fields ?? {})).toEqual(['minutes', 'beds']);
  });

  it('keeps and takes out fields whose names every object knows', () => {
    const odd = defineSchema({ valueOf: field.int(), toString: field.int(), hasOwnProperty: field.int() });
    const fieldsOf = (options: object) =>
      Object.keys(
        bindOperator({ definition: map, options: { from: 'a', ...options }, schema: odd }).bound.ports.out?.fields ??
          {},
      );
    expect(fieldsOf({})).toEqual(['valueOf', 'toString', 'hasOwnProperty']);
    expect(fieldsOf({ keep: ['toString', 'valueOf'] })).toEqual(['toString', 'valueOf']);
    expect(fieldsOf({ drop: ['valueOf'] })).toEqual(['toString', 'hasOwnProperty']);
  });

  it('says of what is computed from a person that it points at one', () => {
    const set = { label: 'name + "/" + string(beds)', same: 'name', known: 'has(name)', more: 'beds + 1' };
    const { label, same, known, more } = bind({ keep: 'none', set }).ports.out?.fields ?? {};
    expect([label, same, known, more].map((made) => made?.privacy)).toEqual(['direct', 'direct', undefined, undefined]);
  });

  it('knows what may be null', () => {
    expect(bind({ set: { hours: 'minutes / 60' } }).ports.out?.fields.hours).toMatchObject({ nullable: true });
    expect(bind({ set: { more: 'beds + 1' } }).ports.out?.fields.more?.nullable).toBeUndefined();
  });

  it.each([
    [{ set: { hours: 'minuts / 60' } }, ['set.hours']],
    [{ drop: ['nmae'] }, ['drop.0']],
    [{ keep: ['minutes', 'bed'] }, ['keep.1']],
    [{ keep: 'none' }, ['keep']],
    [{ drop: ['name', 'minutes', 'beds'] }, ['keep']],
  ])('%j is wrong at %j', (options, paths) => {
    expect(problems(options)).toEqual(paths);
  });

  it('refuses names that are not in snake_case', () => {
    expect(map.options.safeParse({ from: 'a', set: { 'Số giờ': '1' } }).success).toBe(false);
  });
});
