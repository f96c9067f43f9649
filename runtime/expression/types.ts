import { strongestTag, tagged } from '../stream/privacy.ts';
import { describeType, type Field, type FieldType } from '../stream/schema.ts';

/** Types of the parts of an expression: those of fields, the literal null, and what has a problem. */
export type Type = FieldType | { readonly kind: 'null' } | { readonly kind: 'unknown' };

export const string: FieldType = { kind: 'string' };
export const bool: FieldType = { kind: 'bool' };
export const int: FieldType = { kind: 'int' };
export const float: FieldType = { kind: 'float' };
export const timestamp: FieldType = { kind: 'timestamp' };
export const duration: FieldType = { kind: 'duration' };
export const json: FieldType = { kind: 'json' };

/** A plain number. Timestamps and durations are numbers too, but adding one to a plain number is a mistake of units. */
export function isNumber(type: Type): boolean {
  return type.kind === 'int' || type.kind === 'float';
}

/** Whatever is kept as a JavaScript number. */
export function isNumeric(type: Type): boolean {
  return isNumber(type) || type.kind === 'timestamp' || type.kind === 'duration';
}

export function isUnknown(type: Type): boolean {
  return type.kind === 'unknown';
}

export function describe(type: Type): string {
  if (type.kind === 'null' || type.kind === 'unknown') return type.kind;
  // A literal is of the type of its one value, and a long list of values says nothing to anyone.
  if (type.kind === 'string' && (type.values?.length === 1 || (type.values?.length ?? 0) > 5)) return 'string';
  return describeType(type);
}

/** The type that holds both, or undefined when there is none: the result of `condition ? left : right`. */
export function unify(left: Type, right: Type): Type | undefined {
  if (isUnknown(left) || right.kind === 'null') return left;
  if (isUnknown(right) || left.kind === 'null') return right;
  if (left.kind === 'json' || right.kind === 'json') return json;
  if (isNumber(left) && isNumber(right)) return left.kind === 'int' && right.kind === 'int' ? int : float;
  if (left.kind === 'string' && right.kind === 'string') {
    return left.values && right.values
      ? { kind: 'string', values: [...new Set([...left.values, ...right.values])] }
      : string;
  }
  if (left.kind === 'list' && right.kind === 'list') {
    const of = unify(left.of, right.of);
    return of && isFieldType(of) ? { kind: 'list', of } : undefined;
  }
  if (left.kind === 'record' && right.kind === 'record') return unifyRecords(left.fields, right.fields);
  return left.kind === right.kind ? left : undefined;
}

function unifyRecords(left: Readonly<Record<string, Field>>, right: Readonly<Record<string, Field>>): Type | undefined {
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return undefined;
  const fields: Record<string, Field> = {};
  for (const name of names) {
    const a = left[name];
    const b = Object.hasOwn(right, name) ? right[name] : undefined;
    const type = a && b && unify(a.type, b.type);
    if (!a || !b || !type || !isFieldType(type)) return undefined;
    const privacy = strongestTag([a.privacy, b.privacy]);
    fields[name] = { ...a, type, ...((a.nullable || b.nullable) && { nullable: true }), ...tagged(privacy) };
  }
  return { kind: 'record', fields };
}

export function isFieldType(type: Type): type is FieldType {
  return type.kind !== 'null' && type.kind !== 'unknown';
}

/** The type of a field that is to hold the expression: a null that is nothing else is any JSON value. */
export function toFieldType(type: Type): FieldType {
  return isFieldType(type) ? type : json;
}
