/** Parts of what the state of an operator hangs on (see `StateContract`), for the operators here. */
import type { Schema, StateBasis } from '../../runtime/stream/index.ts';

const nothing: Schema = { fields: {} };

/** Fields with their types, in the order given; null for one that is not there. */
export function fieldsBasis(names: readonly string[], { fields } = nothing): readonly unknown[] {
  return names.map((name) => [name, Object.hasOwn(fields, name) ? fields[name]?.type : null]);
}

/** All fields with their types: of an operator that keeps whole events. */
export function eventsBasis(schema = nothing): readonly unknown[] {
  return fieldsBasis(Object.keys(schema.fields), schema);
}

/** An expression, and the types of the fields whose names stand in it. */
export function expressionBasis(text: string, schema = nothing): StateBasis {
  const plain = text.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""');
  const words = new Set(plain.match(/[A-Za-z_]\w*/g));
  return { text, fields: fieldsBasis([...words].filter((word) => Object.hasOwn(schema.fields, word)).sort(), schema) };
}

/** Whether two bases agree but for some of their parts. */
export function agree(before: StateBasis, after: StateBasis, { except }: { except: readonly string[] }): boolean {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].every((name) => except.includes(name) || same(before[name], after[name]));
}

export function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
