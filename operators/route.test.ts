import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineSchema, field } from '../runtime/stream/index.ts';
import {
  BindProblems,
  bindOperator,
  expectSameForAnyCut,
  operatorRun,
  stepsOf,
} from '../runtime/testing/operator-harness.ts';
import { route } from './route.ts';

const schema = defineSchema({ priority: field.int({ nullable: true }), test: field.bool() });
const event = fc.record({ priority: fc.option(fc.integer({ min: 1, max: 5 })), test: fc.boolean() });
const options = { from: 'calls', ways: { tests: 'test', red: 'priority == 1', yellow: 'priority <= 3' } };
const run = operatorRun({ definition: route, options, schema });

function wayOf({ priority, test }: { priority?: unknown; test?: unknown }): string {
  if (test) return 'tests';
  if (priority === 1) return 'red';
  return typeof priority === 'number' && priority <= 3 ? 'yellow' : 'out';
}

describe('route', () => {
  it('sends each event one way: the first whose condition holds, and the rest out', () => {
    fc.assert(
      fc.property(stepsOf(event), (steps) => {
        const events = steps.flatMap((step) => (step.kind === 'event' ? [step] : []));
        const result = run(steps);
        for (const port of ['tests', 'red', 'yellow', 'out']) {
          const expected = events.filter((step) => wayOf(step.event) === port);
          expect(result.ports[port] ?? []).toEqual(expected.map(({ event: one, time }) => ({ event: one, time })));
        }
        expect(result.accounting.delivered).toBe(events.length);
      }),
    );
  });

  it('is the same for any cut and crash', () => {
    expectSameForAnyCut(run, stepsOf(event));
  });

  it('has a port of the same schema for each way', () => {
    const { bound } = bindOperator({ definition: route, options, schema });
    expect(bound.ports).toEqual({ out: schema, tests: schema, red: schema, yellow: schema });
  });

  it.each([
    { ways: { late: 'test' } },
    { ways: { dead: 'test' } },
    { ways: { out: 'test' } },
    { ways: { red: 'prioriti == 1' } },
    { ways: { red: 'priority' } },
  ])('refuses %j', (wrong) => {
    expect(() => bindOperator({ definition: route, options: { from: 'calls', ...wrong }, schema })).toThrow(
      BindProblems,
    );
  });

  it('refuses to have no ways', () => {
    expect(route.options.safeParse({ from: 'calls', ways: {} }).success).toBe(false);
    expect(route.options.safeParse({ from: 'calls', ways: { Đỏ: 'true' } }).success).toBe(false);
  });
});
