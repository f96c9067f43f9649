/** The examples of every operator, run: documentation that cannot rot. */
import { describe, expect, it } from 'vitest';
import type { Event, Example } from '../runtime/stream/index.ts';
import { at, operatorRun, type Step } from '../runtime/testing/operator-harness.ts';
import { operators } from './index.ts';
import { exampleInputs, withoutTime } from './testing/example-inputs.ts';

function timeOf(event: Event, index: number): number {
  const { $time: time } = event;
  if (typeof time === 'string') return Date.parse(time);
  return typeof time === 'number' ? time : index;
}

function runExample(definition: (typeof operators)[number], example: Example) {
  const { events, schemas } = exampleInputs(example);
  const steps: Step[] = Object.entries(events)
    .flatMap(([name, list]) => list.map((event, index) => at(timeOf(event, index), withoutTime(event), name)))
    .sort((a, b) => a.time - b.time);
  const answers = example.answers === undefined ? {} : { answers: example.answers };
  return operatorRun({ definition, options: example.options, schema: schemas, ...answers })(steps);
}

describe.each(operators)('$name', (definition) => {
  it('has an example and a summary', () => {
    expect(definition.examples.length).toBeGreaterThan(0);
    expect(definition.summary).toMatch(/\.$/);
  });

  it.each(definition.examples)('$title', (example) => {
    const result = runExample(definition, example);
    const expected = (Array.isArray(example.out) ? { out: example.out } : example.out) as Record<
      string,
      readonly Event[]
    >;
    for (const [port, events] of Object.entries(expected)) expect(result.events(port)).toEqual(events);
  });
});
