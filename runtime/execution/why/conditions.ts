/** The expressions, durations and rules (`decides`) of a node, with the values that the expressions read. */
import { compileAggregateExpression, compileExpression } from '../../expression/index.ts';
import type { Event, Schema } from '../../stream/schema.ts';
import type { BoundOperatorNode, BoundTopology } from '../../topology/bound.ts';
import type { RawValue } from '../../topology/ir/options-node.ts';
import { optionSchema, schemasAt } from '../../topology/option-schema.ts';

export interface Condition {
  /** `raise`, `escalate.severe`. */
  readonly option: string;
  /** As written. */
  readonly text: string;
  /** Fields of the event that it reads; empty for a duration and a rule. */
  readonly values: Event;
  /** What it gives for the event; null for a duration and a rule, and where it cannot be computed. */
  readonly result: unknown;
  /** It is over many events: of these `values` are those of the newest, and what it gives is in what went out. */
  readonly of_many: boolean;
}

/** `event`: the one that came in; without it only what does not need one. */
export function conditionsOf(
  topology: BoundTopology,
  node: BoundOperatorNode,
  { event, schema }: { event: Event | undefined; schema: Schema },
): Condition[] {
  const written = topology.ir.operators.find(({ id }) => id === node.id)?.options.value ?? {};
  const root = optionSchema(node.definition.options);
  const found: Condition[] = [];
  const visit = (value: RawValue, path: readonly (string | number)[]) => {
    const schemas = schemasAt(root, path);
    const meaning = schemas.find(({ mach }) => mach)?.mach;
    const isRule = meaning === 'duration' || schemas.some(({ decides }) => decides);
    const option = path.join('.');
    const isScalar = value !== null && typeof value !== 'object';
    if (isRule && isScalar) found.push({ option, text: String(value), values: {}, result: null, of_many: false });
    if (meaning === 'expression' && isScalar) found.push(conditionOf(option, String(value), { event, schema }));
    if (meaning === 'aggregation' && isScalar) found.push(aggregationOf(option, String(value), { event, schema }));
    if (value === null || typeof value !== 'object') return;
    for (const [name, inner] of Object.entries(value))
      visit(inner, [...path, Array.isArray(value) ? Number(name) : name]);
  };
  visit(written, []);
  return found;
}

interface Given {
  readonly event: Event | undefined;
  readonly schema: Schema;
}

function conditionOf(option: string, text: string, { event, schema }: Given): Condition {
  const compiled = compileExpression(text, schema);
  if (!compiled.ok || !event) return { option, text, values: {}, result: null, of_many: false };
  const result = compiled.evaluate(event) ?? null;
  return { option, text, values: valuesOf(event, compiled.fields), result, of_many: false };
}

function aggregationOf(option: string, text: string, { event, schema }: Given): Condition {
  const compiled = compileAggregateExpression(text, schema);
  const values = compiled.ok && event ? valuesOf(event, compiled.fields) : {};
  return { option, text, values, result: null, of_many: true };
}

function valuesOf(event: Event, fields: readonly string[]): Event {
  return Object.fromEntries(fields.map((name) => [name, event[name] ?? null]));
}
