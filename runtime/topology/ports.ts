/** Which ports a node has, with the schemas of those that every node with a handler has: `late` and `dead`. */
import type { BoundInput } from '../stream/definition.ts';
import type { BoundOperator } from '../stream/operator-definition.ts';
import { strongestTag, tagged, tagsWithin } from '../stream/privacy.ts';
import type { Field, Schema } from '../stream/schema.ts';

export function operatorPorts(
  bound: BoundOperator,
  inputs: Readonly<Record<string, BoundInput>>,
): Readonly<Record<string, Schema>> {
  const schemas = Object.values(inputs).map(({ schema }) => schema);
  if (schemas.length === 0 || bound.stateless) return bound.ports;
  const input = mergeSchemas(schemas);
  const late = bound.create ? { late: input } : {};
  return Object.freeze({ ...late, dead: deadSchema(input), ...bound.ports });
}

/** The event as it came in, with the reason why it could not be dealt with. */
function deadSchema({ fields }: Schema): Schema {
  const text: Field = { type: { kind: 'string' } };
  return { fields: { ...fields, code: { ...text, repeated: true }, reason: text } };
}

/** A schema that takes events of any of the inputs: a field that one of them lacks is null in its events. */
function mergeSchemas(schemas: readonly Schema[]): Schema {
  const [first] = schemas;
  if (first && schemas.every((schema) => schema === first)) return first;
  const fields: Record<string, Field> = {};
  for (const schema of schemas) {
    for (const [name, field] of Object.entries(schema.fields)) {
      const known = fields[name];
      fields[name] = known ? mergeFields(known, field) : field;
    }
  }
  for (const [name, field] of Object.entries(fields)) {
    if (schemas.some((schema) => !Object.hasOwn(schema.fields, name))) fields[name] = { ...field, nullable: true };
  }
  return { fields };
}

function mergeFields(a: Field, b: Field): Field {
  const nullable = a.nullable || b.nullable ? { nullable: true } : {};
  const tag = tagged(strongestTag([a.privacy, b.privacy]));
  if (JSON.stringify(a.type) === JSON.stringify(b.type)) return { ...a, ...nullable, ...tag };
  const numbers = ['int', 'float'];
  if (numbers.includes(a.type.kind) && numbers.includes(b.type.kind))
    return { type: { kind: 'float' }, ...nullable, ...tag };
  if (a.type.kind === 'string' && b.type.kind === 'string') return { type: { kind: 'string' }, ...nullable, ...tag };
  // What the records of one of them tag is no longer told by JSON.
  const within = tagged(strongestTag([...tagsWithin(a), ...tagsWithin(b)]));
  return { type: { kind: 'json' }, ...nullable, ...within };
}
