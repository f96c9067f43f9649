/** Sends each event to the first way whose condition holds. */
import { z } from 'zod';
import { defineOperator, expression, input, type Schema } from '../runtime/stream/index.ts';

const reserved = ['out', 'late', 'dead'];

export const route = defineOperator({
  name: 'route',
  status: 'stable',
  summary: 'Sends each event to the first way whose condition holds, and the rest to the port `out`.',
  options: z.strictObject({
    from: input(),
    ways: z
      .record(z.string().regex(/^[a-z][a-z0-9_-]*$/), expression())
      .refine((ways) => Object.keys(ways).length > 0, 'at least one way')
      .describe('port to condition, tried in this order'),
  }),
  examples: [
    {
      title: 'calls by urgency',
      options: { from: 'calls', ways: { red: 'priority == 1', yellow: 'priority <= 3' } },
      in: [{ priority: 1 }, { priority: 3 }, { priority: 5 }],
      out: { red: [{ priority: 1 }], yellow: [{ priority: 3 }], out: [{ priority: 5 }] },
    },
  ],
  bind({ options, inputs, check }) {
    const schema = inputs.from?.schema ?? { fields: {} };
    const names = Object.keys(options.ways);
    for (const name of names) {
      if (reserved.includes(name))
        check.problem(['ways', name], `"${name}" is a port of every operator`, 'choose another name');
    }
    const ways = names.map((port) => ({ port, when: check.expression(['ways', port], schema, 'bool') }));
    const ports: Record<string, Schema> = { out: schema };
    for (const port of names) ports[port] = schema;
    return {
      ports,
      spread: { kind: 'each', unchanged: Object.keys(schema.fields) },
      reads: (wanted) => wanted,
      create: () => ({
        event(event, time, out) {
          for (const { port, when } of ways) {
            if (when.evaluate(event) !== true) continue;
            out.emit(event, time, port);
            return;
          }
          out.emit(event, time);
        },
      }),
    };
  },
});
