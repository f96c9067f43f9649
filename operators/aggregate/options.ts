/** The options of `aggregate`. */
import { z } from 'zod';
import { aggregation, duration, input, key } from '../../runtime/stream/index.ts';
import { aggregateLimits } from './limits.ts';

const lateness = duration()
  .default(0)
  .describe('closed windows are corrected by late events for this long; later ones leave by the port `late`');
const early = duration().optional();
const earlyMeaning = 'results of open windows that have changed, this often in event time, marked `early`';
const alignment = {
  offset: duration()
    .optional()
    .describe('shifts the start of windows, which otherwise are whole multiples of their step since 1970 in UTC'),
  zone: z
    .string()
    .optional()
    .describe('windows of whole days begin at midnight of this zone, such as Asia/Ho_Chi_Minh'),
};

const tumbling = z.strictObject({
  tumbling: duration().describe('size of the windows, which follow one another'),
  ...alignment,
  lateness,
  early: early.describe(earlyMeaning),
});
const sliding = z.strictObject({
  sliding: duration().describe('size of the windows'),
  every: duration().describe('step from one window to the next'),
  ...alignment,
  lateness,
  early: early.describe(earlyMeaning),
});
const session = z.strictObject({
  session: duration().describe('a session of a key ends when no event has come for this long'),
  touching: z
    .enum(['together', 'apart'])
    .optional()
    .describe('whether two events exactly that far apart belong together (apart)'),
  lateness: lateness.describe(
    'closed windows are corrected by late events for this long; later ones leave by the port `late`. Windows that a late event makes part of a longer one come once more with `withdrawn` true (and the values of the longer one): readers leave them out, and a table of the newest rows is sorted by the key and window_start',
  ),
  early: early.describe(
    `${earlyMeaning}; early ones are not withdrawn where an event makes their session part of one that began before`,
  ),
});
const global = z.strictObject({
  global: z.literal(true).describe('one window for all time, of which early results are given'),
  early: z
    .union([z.literal('change'), duration()])
    .describe('results of keys that have changed, this often in event time; `change`: at once, with every change'),
  forget: duration().optional().describe('a key not heard of for this long in event time is forgotten'),
});

export const aggregateOptions = z.strictObject({
  from: input(),
  key: key().optional().describe('field or fields by which events are grouped; absent: all together'),
  of: key()
    .optional()
    .describe(
      'with a global window: field or fields that name a thing, of which only the newest event counts; absent: every event counts',
    ),
  window: z.union([tumbling, sliding, session, global]).describe('which events belong together in time'),
  values: z
    .record(z.string().regex(/^[a-z][a-z0-9_]*$/, 'a field is named in snake_case'), aggregation())
    .refine((values) => Object.keys(values).length > 0, 'at least one value')
    .describe(
      'field to aggregate: count(), sum(x), mean(x), min(x), max(x), quantile(x, 0.9), distinct(x), approx_distinct(x), first(x), last(x); each may have a condition after it, such as count(urgent) or max(minutes, department == "ED"). quantile is the value at rank level * (n - 1), the lower one between two, right to 1 %; approx_distinct is an estimate. Absent values do not count: where there are no others, count, distinct and sum are 0, the rest null. A sum of whole numbers is exact up to 2^53 - 1, and rounded beyond, for as long as the window holds what makes it so large',
    ),
  best: z
    .strictObject({
      by: z.string().min(1).meta({ decides: true }).describe('the value that is compared'),
      order: z.enum(['desc', 'asc']).meta({ decides: true }).default('desc').describe('desc: the largest first'),
      rows: z.int().positive().max(aggregateLimits.bestRowsMax).meta({ decides: true }).default(1).describe('how many'),
    })
    .optional()
    .describe(
      'only the keys with the best value of each tumbling or sliding window come out, and all that equal the last of them. The windows are given once, without lateness and early; all values are count, distinct, quantile, or sum of whole numbers',
    ),
  keys: z.int().positive().optional().describe('most keys held at a time; an event with one more is dead'),
});

export type AggregateOptions = z.output<typeof aggregateOptions>;
export type WindowOptions = AggregateOptions['window'];
export type GridOptions = z.output<typeof tumbling> | z.output<typeof sliding>;
