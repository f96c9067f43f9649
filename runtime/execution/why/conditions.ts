/** The expressions and durations of a node, with the values that the expressions read. */
import { compileExpression } from '../../expression/index.ts';
import type { Event, Schema } from '../../stream/schema.ts';
import type { BoundOperatorNode, BoundTopology } from '../../topology/bound.ts';
import type { RawValue } from '../../topology/ir/options-node.ts';
import { optionSchema, schemasAt } from '../../topology/option-schema.ts';

export interface Condition {
  /** `raise`, `escalate.severe`. */
  readonly option: string;
  /** As written. */
  readonly text: string;
  /** Fields of the event that it reads; empty for a duration. */
  readonly values: Event;
  /** What it gives for the event; null for a duration, and where it cannot be computed. */
  readonly result: unknown;
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
    const meaning = schemasAt(root, path).find(({ mach }) => mach)?.mach;
    const option = path.join('.');
    const isScalar = value !== null && typeof value !== 'object';
    if (meaning === 'duration' && isScalar) found.push({ option, text: String(value), values: {}, result: null });
    if (meaning === 'expression' && isScalar) found.push(conditionOf(option, String(value), { event, schema }));
    if (value === null || typeof value !== 'object') return;
    for (const [name, inner] of Object.entries(value))
      visit(inner, [...path, Array.isArray(value) ? Number(name) : name]);
  };
  visit(written, []);
  return found;
}

function conditionOf(
  option: string,
  text: string,
  { event, schema }: { event: Event | undefined; schema: Schema },
): Condition {
  const compiled = compileExpression(text, schema);
  if (!compiled.ok || !event) return { option, text, values: {}, result: null };
  const values = Object.fromEntries(compiled.fields.map((name) => [name, event[name] ?? null]));
  return { option, text, values, result: compiled.evaluate(event) ?? null };
}
