/** Passes the events for which a condition holds. */
import { z } from 'zod';
import { defineOperator, expression, input, passesThrough, selecting } from '../runtime/stream/index.ts';

export const filter = defineOperator({
  name: 'filter',
  status: 'stable',
  summary: 'Passes the events for which a condition holds; the others are counted as filtered.',
  options: z.strictObject({
    from: input().describe('the node whose events are looked at'),
    when: expression().describe('the condition, CEL over the fields of an event'),
  }),
  types: passesThrough,
  examples: [
    {
      title: 'arrivals at the emergency department',
      options: { from: 'adt', when: 'kind == "arrival" && department == "ED"' },
      in: [
        { kind: 'arrival', department: 'ED' },
        { kind: 'arrival', department: 'ICU' },
      ],
      out: [{ kind: 'arrival', department: 'ED' }],
    },
  ],
  bind({ inputs, check }) {
    const schema = inputs.from?.schema ?? { fields: {} };
    const when = check.expression('when', schema, 'bool');
    const spread = { kind: 'each', unchanged: Object.keys(schema.fields) } as const;
    return {
      ports: { out: schema },
      spread,
      reads: (wanted) => wanted,
      stateless: selecting(when),
    };
  },
});
