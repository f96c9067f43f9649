/** Hides what points at a person, by the privacy tags of a schema. */
import type { Event, Field, FieldType, Schema } from '../stream/schema.ts';
import type { BoundOperatorNode } from '../topology/bound.ts';

/** What stands for a value that points at a person. */
export const hidden = '•••';

/** Whether a field holds what points at a person: a direct identifier, or a quasi-identifier. */
export function isPersonal({ privacy }: Pick<Field, 'privacy'>): boolean {
  return privacy === 'direct' || privacy === 'quasi';
}

/** Fields of the key of an operator that point at a person. */
export function personalKeyFields({ bound, inputs }: Pick<BoundOperatorNode, 'bound' | 'inputs'>): readonly string[] {
  const tagged = (name: string) =>
    inputs.some(({ schema }) => Object.hasOwn(schema.fields, name) && isPersonal(schema.fields[name] as Field));
  return (bound.key ?? []).filter(tagged);
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
