/** Several streams as one. */
import { z } from 'zod';
import {
  defineOperator,
  describeType,
  type Field,
  inputs as inputList,
  isAssignable,
  withTagsOfAll,
} from '../runtime/stream/index.ts';

export const union = defineOperator({
  name: 'union',
  status: 'stable',
  summary: 'Brings several streams of one schema together, in the order in which their events were caused.',
  options: z.strictObject({ from: inputList().describe('the nodes, of one schema') }),
  examples: [
    {
      title: 'two hospitals',
      options: { from: ['a', 'b'] },
      in: { from: [{ bed: 1, $time: 1 }], 'from.1': [{ bed: 2, $time: 2 }] },
      out: [{ bed: 1 }, { bed: 2 }],
    },
  ],
  bind({ inputs, check }) {
    const [first, ...others] = Object.entries(inputs);
    const schema = withTagsOfAll(Object.values(inputs).map((input) => input.schema));
    for (const [name, { schema: other, from }] of others) {
      const path = ['from', Number(name.split('.')[1] ?? 0)];
      for (const [fieldName, wanted] of Object.entries(schema.fields) as [string, Field][]) {
        const given = other.fields[fieldName];
        if (!given)
          check.problem(path, `"${from}" has no field ${fieldName}, which "${first?.[1].from}" has`, 'add it with map');
        else if (!isAssignable(given.type, wanted.type)) {
          const types = `${describeType(given.type)}, not ${describeType(wanted.type)}`;
          check.problem(path, `field ${fieldName} of "${from}" is ${types} as in "${first?.[1].from}"`);
        }
      }
      for (const fieldName of Object.keys(other.fields)) {
        if (!Object.hasOwn(schema.fields, fieldName))
          check.problem(
            path,
            `"${from}" has the field ${fieldName}, which "${first?.[1].from}" has not`,
            'take it out with map',
          );
      }
    }
    return {
      ports: { out: schema },
      spread: { kind: 'each', unchanged: Object.keys(schema.fields) },
      create: () => ({ event: (event, time, out) => out.emit(event, time) }),
    };
  },
});
