/** The examples of every operator, run: documentation that cannot rot. */
import { describe, expect, it } from 'vitest';
import type { Event, Example, Field, Schema } from '../runtime/stream/index.ts';
import { at, operatorRun, type Step } from '../runtime/testing/operator-harness.ts';
import { operators } from './index.ts';

function fieldOf(values: readonly unknown[]): Field {
  const known = values.find((value) => value !== null && value !== undefined);
  const nullable = values.some((value) => value === null || value === undefined) ? { nullable: true } : {};
  switch (typeof known) {
    case 'string':
      return { type: { kind: 'string' }, ...nullable };
    case 'number':
      return {
        type: { kind: values.every((value) => value === null || Number.isInteger(value)) ? 'int' : 'float' },
        ...nullable,
      };
    case 'boolean':
      return { type: { kind: 'bool' }, ...nullable };
    default:
      return { type: { kind: 'json' }, ...nullable };
  }
}

function withoutTime(event: Event): Event {
  const { $time: _, ...rest } = event;
  return rest;
}

function schemaOf(events: readonly Event[]): Schema {
  const names = [...new Set(events.flatMap((event) => Object.keys(withoutTime(event))))];
  return {
    fields: Object.fromEntries(names.map((name) => [name, fieldOf(events.map((event) => event[name] ?? null))])),
  };
}

function timeOf(event: Event, index: number): number {
  const { $time: time } = event;
  if (typeof time === 'string') return Date.parse(time);
  return typeof time === 'number' ? time : index;
}

function runExample(definition: (typeof operators)[number], example: Example) {
  const inputs = (Array.isArray(example.in) ? { from: example.in } : example.in) as Record<string, readonly Event[]>;
  const given = example.schema && 'fields' in example.schema ? { from: example.schema } : (example.schema ?? {});
  const schema = Object.fromEntries(
    Object.entries(inputs).map(([name, events]) => [name, (given as Record<string, Schema>)[name] ?? schemaOf(events)]),
  );
  const steps: Step[] = Object.entries(inputs)
    .flatMap(([name, events]) => events.map((event, index) => at(timeOf(event, index), withoutTime(event), name)))
    .sort((a, b) => a.time - b.time);
  return operatorRun({ definition, options: example.options, schema: schema as Record<string, Schema> })(steps);
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
