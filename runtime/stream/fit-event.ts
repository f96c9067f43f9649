/** An event that was written down as JSON, made to what a schema asks for now. */
import { describeType, type Event, type FieldType, type Schema } from './schema.ts';

export type Fitted = { readonly event: Event } | { readonly problem: string };

/**
 * The fields of the schema, in its order: those that are absent are null where they may be, those that the schema does not know are
 * left out. An event that is so already is given back itself. Says what is wrong when a value is of another type, or one that must be there is not.
 */
export function fitEvent(value: unknown, schema: Schema): Fitted {
  if (!isRecord(value)) return { problem: 'it is not an object' };
  const event: Event = {};
  for (const [name, field] of Object.entries(schema.fields)) {
    const given = Object.hasOwn(value, name) ? (value[name] ?? null) : null;
    if (given === null && field.nullable !== true && field.type.kind !== 'json') {
      return { problem: `${name} is missing; it may not be null` };
    }
    if (given !== null && !isOfType(given, field.type)) {
      return { problem: `${name} is not ${describeType(field.type)}` };
    }
    event[name] = given;
  }
  return { event: isSame(value, event) ? value : event };
}

function isSame(given: Event, fitted: Event): boolean {
  const names = Object.keys(fitted);
  const own = Object.keys(given);
  return own.length === names.length && names.every((name, at) => own[at] === name && given[name] === fitted[name]);
}

function isRecord(value: unknown): value is Event {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOfType(value: unknown, type: FieldType): boolean {
  switch (type.kind) {
    case 'string':
      return typeof value === 'string' && (type.values === undefined || type.values.includes(value));
    case 'bool':
      return typeof value === 'boolean';
    case 'int':
    case 'timestamp':
    case 'duration':
      return typeof value === 'number' && Number.isSafeInteger(value);
    case 'float':
      return typeof value === 'number';
    case 'list':
      return Array.isArray(value) && value.every((item) => item === null || isOfType(item, type.of));
    case 'record':
      return isRecord(value) && Object.entries(type.fields).every(([name, field]) => hasField(value[name], field));
    case 'json':
      return true;
  }
}

function hasField(value: unknown, field: { readonly type: FieldType; readonly nullable?: boolean }): boolean {
  if (value === null || value === undefined) return field.nullable === true || field.type.kind === 'json';
  return isOfType(value, field.type);
}
