/** Hides what points at a person, by the privacy tags of a schema. */
import { hidden, isPersonal, isPersonalIn } from '../stream/privacy.ts';
import type { Event, Field, FieldType, Schema } from '../stream/schema.ts';
import type { BoundOperatorNode } from '../topology/bound.ts';

/** Fields that keys of the state of an operator are made of, and that point at a person. Where it does not say what they are made of: all that do. */
export function personalKeyFields({ bound, inputs }: Pick<BoundOperatorNode, 'bound' | 'inputs'>): readonly string[] {
  if (!bound.stateful) return [];
  const found = inputs.flatMap(({ input, schema }) => {
    const names = (bound.keyedBy ? bound.keyedBy[input] : bound.key) ?? Object.keys(schema.fields);
    return names.filter((name) => isPersonalIn(schema, name));
  });
  return [...new Set(found)];
}

/** A copy of the event with direct identifiers and quasi-identifiers hidden; nulls stay visible. What the schema does not know is hidden. */
export function hidePersonal(event: Event, schema: Schema): Event {
  return hideFields(event, schema.fields);
}

function hideFields(values: Event, fields: Schema['fields']): Event {
  const shown = Object.entries(values).map(([name, value]) => [name, hideValue(value, fields[name])] as const);
  return Object.fromEntries(shown);
}

function hideValue(value: unknown, field: Field | undefined): unknown {
  if (value === null || value === undefined) return value;
  if (!field || isPersonal(field)) return hidden;
  return hideInside(value, field.type);
}

function hideInside(value: unknown, type: FieldType): unknown {
  if (type.kind === 'list' && Array.isArray(value)) return value.map((item) => hideInside(item, type.of));
  if (type.kind !== 'record' || typeof value !== 'object' || value === null) return value;
  return hideFields(value as Event, type.fields);
}
