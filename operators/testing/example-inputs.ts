/** The inputs of an example: events by port, and their schemas, found from the events where the example says none. */
import type { Event, Example, Field, Schema } from '../../runtime/stream/index.ts';

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

export function withoutTime(event: Event): Event {
  const { $time: _, ...rest } = event;
  return rest;
}

function schemaOf(events: readonly Event[]): Schema {
  const names = [...new Set(events.flatMap((event) => Object.keys(withoutTime(event))))];
  return {
    fields: Object.fromEntries(names.map((name) => [name, fieldOf(events.map((event) => event[name] ?? null))])),
  };
}

export function exampleInputs(example: Example): {
  events: Readonly<Record<string, readonly Event[]>>;
  schemas: Readonly<Record<string, Schema>>;
} {
  const events = (Array.isArray(example.in) ? { from: example.in } : example.in) as Record<string, readonly Event[]>;
  const given = (
    example.schema && 'fields' in example.schema ? { from: example.schema } : (example.schema ?? {})
  ) as Readonly<Record<string, Schema>>;
  const schemas = Object.fromEntries(
    Object.entries(events).map(([name, list]) => [name, given[name] ?? schemaOf(list)]),
  );
  return { events, schemas };
}
