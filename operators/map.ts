/** Computes fields, and keeps or takes out others. */
import { z } from 'zod';
import {
  computedField,
  defineOperator,
  expression,
  type Field,
  fieldNames,
  input,
  mapping,
} from '../runtime/stream/index.ts';

export const map = defineOperator({
  name: 'map',
  status: 'stable',
  summary: 'Computes fields of an event from its other fields, keeps the rest or only those named.',
  options: z
    .strictObject({
      from: input(),
      set: z.record(z.string().regex(/^[a-z][a-z0-9_]*$/, 'a field is named in snake_case'), expression()).default({}),
      keep: z
        .union([z.enum(['all', 'none']), z.array(z.string())])
        .default('all')
        .describe('fields of the input that stay: all, none, or those listed'),
      drop: z.array(z.string()).default([]).describe('fields of the input that are taken out'),
    })
    .describe('`set` is computed from the input: one computed field does not see another'),
  examples: [
    {
      title: 'minutes that a patient has waited, without the name',
      options: {
        from: 'adt',
        set: { minutes_waiting: '(seen_at - arrived_at) / duration("1m")' },
        drop: ['patient_name'],
      },
      schema: {
        fields: {
          arrived_at: { type: { kind: 'timestamp' } },
          seen_at: { type: { kind: 'timestamp' } },
          patient_name: { type: { kind: 'string' } },
        },
      },
      in: [{ arrived_at: 0, seen_at: 600_000, patient_name: 'Nguyễn Văn Thử' }],
      out: [{ arrived_at: 0, seen_at: 600_000, minutes_waiting: 10 }],
    },
  ],
  bind({ options, inputs, check }) {
    const schema = inputs.from?.schema ?? { fields: {} };
    const known = fieldNames(schema);
    const drop = check.fields('drop', schema);
    const all = options.keep === 'all' ? known : [];
    const named = Array.isArray(options.keep) ? check.fields('keep', schema) : all;
    const kept = named.filter(
      (name) => Object.hasOwn(schema.fields, name) && !drop.includes(name) && !Object.hasOwn(options.set, name),
    );
    const computed = Object.keys(options.set).map((name) => ({
      name,
      value: check.expression(['set', name], schema, 'any'),
    }));
    const fields: Record<string, Field> = {};
    for (const name of kept) fields[name] = schema.fields[name] as Field;
    for (const { name, value } of computed) fields[name] = computedField(value);
    if (Object.keys(fields).length === 0) check.problem('keep', 'no field is left', 'keep or set at least one');
    return {
      ports: { out: { fields } },
      spread: { kind: 'each', unchanged: kept },
      reads: (wanted) => kept.filter((name) => wanted.has(name)),
      stateless: mapping(
        kept,
        computed.map(({ name, value }) => ({ ...value, name })),
      ),
    };
  },
});
