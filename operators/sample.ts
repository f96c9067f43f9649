/** Passes a part of a stream: every so many events, or a share of what the events are about. */
import { z } from 'zod';
import {
  cutByKey,
  defineOperator,
  eventKey,
  expression,
  hashText,
  input,
  key,
  keyOfValue,
  spreadByKey,
} from '../runtime/stream/index.ts';
import { fieldsBasis } from './support/state-basis.ts';

const bytesPerKey = 72;
const hashValues = 2 ** 32;

export const sample = defineOperator({
  name: 'sample',
  status: 'stable',
  summary: 'Passes every Nth event of each key, or a share decided by a hash; the rest are dropped as sampled.',
  options: z.strictObject({
    from: input(),
    every: z.int().positive().optional().describe('of this many events of a key the first passes'),
    key: key().optional().describe('with `every`: field or fields by which events are counted; absent: all together'),
    share: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe('the part that passes, 0.1 for a tenth, always the same one: a larger share holds all of a smaller'),
    by: expression().optional().describe('with `share`: events for which this is equal pass together or not at all'),
    keys: z.int().positive().optional().describe('with `every`: most keys counted; beyond it the oldest begins anew'),
  }),
  examples: [
    {
      title: 'one position in three of each ambulance',
      options: { from: 'positions', every: 3, key: 'unit' },
      in: [
        { unit: 'A1', km: 1 },
        { unit: 'A1', km: 2 },
        { unit: 'A2', km: 7 },
        { unit: 'A1', km: 3 },
        { unit: 'A1', km: 4 },
      ],
      out: [
        { unit: 'A1', km: 1 },
        { unit: 'A2', km: 7 },
        { unit: 'A1', km: 4 },
      ],
    },
    {
      title: 'all events of three calls in ten',
      options: { from: 'calls', share: 0.3, by: 'call_id' },
      in: [{ call_id: 'C1' }, { call_id: 'C2' }, { call_id: 'C3' }, { call_id: 'C1' }, { call_id: 'C3' }],
      out: [{ call_id: 'C3' }, { call_id: 'C3' }],
    },
  ],
  state: {
    // How far each key has counted means the same for another `every`.
    basis: ({ options, inputs }) => ({ key: fieldsBasis(options.key ?? [], inputs.from?.schema) }),
  },
  bind({ options, inputs, check }) {
    const schema = inputs.from?.schema ?? { fields: {} };
    const { every, share, by, key: fields = [], keys } = options;
    if ((every === undefined) === (share === undefined))
      check.problem([], 'it is either every Nth event or a share', 'give one of `every` and `share`');
    if (share !== undefined && by === undefined)
      check.problem(['share'], 'a share needs to know of what', 'give `by`, such as by: message_id');
    if (share === undefined && by !== undefined) check.problem(['by'], '`by` goes with `share`', 'give `key` instead');
    if (every === undefined && (fields.length > 0 || keys !== undefined))
      check.problem([fields.length > 0 ? 'key' : 'keys'], '`key` and `keys` go with `every`', 'give `by` instead');
    check.fields('key', schema);
    if (share !== undefined && by !== undefined) {
      const value = check.expression('by', schema, 'any');
      return {
        ports: { out: schema },
        spread: { kind: 'each', unchanged: Object.keys(schema.fields) },
        create: () => ({
          event(event, time, out) {
            const [hash] = hashText(String(keyOfValue(value.evaluate(event))));
            if (hash < share * hashValues) out.emit(event, time);
            else out.dropped('sampled');
          },
        }),
      };
    }
    const keyOf = eventKey(fields);
    const step = every ?? 1;
    return {
      ports: { out: schema },
      spread: spreadByKey({ from: fields }, fields),
      cut: cutByKey(),
      key: fields,
      stateful: true,
      stateBytesPerKey: { 'count of a key': bytesPerKey },
      create(context) {
        const counts = context.keyedState<number>('counts', {
          bytesPerKey,
          ...(keys !== undefined && { keysMax: keys }),
        });
        return {
          event(event, time, out) {
            const of = keyOf(event);
            const count = counts.get(of) ?? 0;
            counts.set(of, (count + 1) % step, time);
            if (count === 0) out.emit(event, time);
            else out.dropped('sampled');
          },
        };
      },
    };
  },
});
