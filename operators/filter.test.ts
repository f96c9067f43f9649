import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineSchema, field } from '../runtime/stream/index.ts';
import {
  at,
  BindProblems,
  bindOperator,
  expectSameForAnyCut,
  operatorRun,
  stepsOf,
} from '../runtime/testing/operator-harness.ts';
import { filter } from './filter.ts';

const schema = defineSchema({ kind: field.string({ nullable: true }), minutes: field.int({ nullable: true }) });
const event = fc.record({
  kind: fc.constantFrom('arrival', 'discharge', null),
  minutes: fc.option(fc.integer({ min: 0, max: 400 })),
});
const options = { from: 'adt', when: 'kind == "arrival" && minutes > 240' };
const run = operatorRun({ definition: filter, options, schema });

describe('filter', () => {
  it('passes what a plain condition passes, in order, and counts the rest', () => {
    fc.assert(
      fc.property(stepsOf(event), (steps) => {
        const events = steps.flatMap((step) => (step.kind === 'event' ? [step] : []));
        const passing = events.filter((step) => step.event.kind === 'arrival' && Number(step.event.minutes) > 240);
        const result = run(steps);
        expect(result.ports.out ?? []).toEqual(passing.map(({ event: one, time }) => ({ event: one, time })));
        expect(result.accounting).toMatchObject({
          in: events.length,
          delivered: passing.length,
          filtered: events.length - passing.length,
        });
      }),
    );
  });

  it('is the same for any cut and crash', () => {
    expectSameForAnyCut(run, stepsOf(event));
  });

  it('takes an absent value for false', () => {
    expect(run([at(0, { kind: 'arrival', minutes: null }), at(1, { kind: null, minutes: 300 })]).events()).toEqual([]);
  });

  it('keeps the schema', () => {
    expect(bindOperator({ definition: filter, options, schema }).bound.ports).toEqual({ out: schema });
  });

  it.each(['minuts > 3', 'minutes', 'kind + "x"', 'kind =='])('refuses %s', (when) => {
    expect(() => bindOperator({ definition: filter, options: { from: 'adt', when }, schema })).toThrow(BindProblems);
  });

  it('refuses options that it does not know', () => {
    expect(filter.options.safeParse({ ...options, unless: 'true' }).success).toBe(false);
    expect(filter.options.safeParse({ from: 'adt' }).success).toBe(false);
  });
});
