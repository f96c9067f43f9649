import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineSchema, field } from '../runtime/stream/index.ts';
import {
  at,
  BindProblems,
  bindOperator,
  expectSameForAnyCut,
  operatorRun,
  type Step,
  stepsOf,
  watermark,
} from '../runtime/testing/operator-harness.ts';
import { union } from './union.ts';

const schema = defineSchema({ bed: field.int() });
const names = ['from', 'from.1', 'from.2'];
const run = operatorRun({
  definition: union,
  options: { from: ['a', 'b', 'c'] },
  schema: { from: schema, 'from.1': schema, 'from.2': schema },
});
/** Events and watermarks of three inputs, mixed. */
const steps: fc.Arbitrary<readonly Step[]> = fc
  .tuple(stepsOf(fc.record({ bed: fc.nat() })), fc.array(fc.constantFrom(...names), { minLength: 130, maxLength: 130 }))
  .map(([list, inputs]) => list.map((step, index) => ({ ...step, input: inputs[index % inputs.length] ?? 'from' })));

function problems(from: readonly object[]): { path: unknown; message: string }[] {
  const schemas = Object.fromEntries(from.map((fields, index) => [index === 0 ? 'from' : `from.${index}`, { fields }]));
  try {
    bindOperator({
      definition: union,
      options: { from: from.map((_, index) => `n${index}`) },
      schema: schemas as never,
    });
  } catch (error) {
    if (error instanceof BindProblems) return error.problems.map(({ path, message }) => ({ path, message }));
    throw error;
  }
  return [];
}

describe('union', () => {
  it('passes all events of all inputs, in the order in which they were caused', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const expected = list.flatMap((step) =>
          step.kind === 'event' ? [{ event: step.event, time: step.time }] : [],
        );
        expect(run(list).ports.out ?? []).toEqual(expected);
      }),
    );
  });

  it('is the same for any cut and crash', () => {
    expectSameForAnyCut(run, steps);
  });

  it('does not wait for a silent input to pass events on', () => {
    const result = run([at(5, { bed: 1 }), watermark(10, { input: 'from' }), at(6, { bed: 2 })], { finish: false });
    expect(result.events()).toEqual([{ bed: 1 }, { bed: 2 }]);
  });

  it('refuses streams that do not fit together, and says where', () => {
    const { int, string, float } = field;
    expect(problems([{ bed: int() }, { bed: string() }])).toEqual([
      { path: ['from', 1], message: expect.stringContaining('string, not int') },
    ]);
    expect(problems([{ bed: int() }, {}])).toEqual([
      { path: ['from', 1], message: expect.stringContaining('has no field bed') },
    ]);
    expect(problems([{ bed: int() }, { bed: int() }, { bed: int(), ward: string() }])).toEqual([
      { path: ['from', 2], message: expect.stringContaining('has the field ward') },
    ]);
    expect(problems([{ load: float() }, { load: int() }])).toEqual([]);
  });

  it('takes one input, or several', () => {
    expect(union.options.parse({ from: 'a' })).toEqual({ from: ['a'] });
    expect(union.options.safeParse({ from: [] }).success).toBe(false);
  });
});
