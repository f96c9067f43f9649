/** Options of `pattern`. */
import { z } from 'zod';
import { aggregation, duration, expression, input, key } from '../../runtime/stream/index.ts';
import { patternLimits } from './limits.ts';

const name = z.string().regex(/^[a-z][a-z0-9_]*$/, 'a step is named in snake_case');
const timesPattern = /^(?:[+*?]|\d{1,4}(?:,\d{0,4})?)$/;

export interface Times {
  readonly min: number;
  readonly max: number;
}

/** `+`, `*`, `?`, `3`, `2,5`, `2,`. */
function parseTimes(text: string): Times {
  if (text === '+') return { min: 1, max: Number.POSITIVE_INFINITY };
  if (text === '*') return { min: 0, max: Number.POSITIVE_INFINITY };
  if (text === '?') return { min: 0, max: 1 };
  const [from, to] = text.split(',');
  const min = Number(from);
  return { min, max: to === undefined ? min : to === '' ? Number.POSITIVE_INFINITY : Number(to) };
}

const times = z
  .union([z.int().positive().max(9_999), z.string().regex(timesPattern, 'it is one of + * ? 3 2,5 2,')])
  .transform((value) => parseTimes(String(value)))
  .refine(({ min, max }) => max >= 1 && max >= min, 'the most is at least 1, and at least the least');

const step = z.strictObject({
  name: name.describe('conditions and values know the events of the step by it'),
  when: expression()
    .optional()
    .describe(
      'which events belong to it; `a.first`, `a.last`, `a.count` and totals of each step as they are before this event',
    ),
  times: times.prefault(1).describe('how often: a number, + (one or more), * (any), ? (at most one), 2,5 or 2,'),
  until: expression().optional().describe('an event for which this holds is no more of the step'),
  prefer: z
    .enum(['longest', 'shortest'])
    .default('longest')
    .describe(
      'as many events as fit, or as few; an event that fits a step is not passed over for one that follows `later`',
    ),
  follows: z
    .enum(['directly', 'later'])
    .default('directly')
    .describe('later: events that do not belong to it may lie before each of its events'),
  totals: z
    .record(name, aggregation())
    .default({})
    .describe('aggregates over its events, such as mean(price); `a.NAME`'),
});

export const patternOptions = z.strictObject({
  from: input(),
  key: key().optional().describe('field or fields; each key is looked at for itself; absent: all together'),
  steps: z.array(step).min(1).max(patternLimits.stepsMax).describe('what must follow, in order'),
  within: duration().optional().describe('the last event of a match comes at most this long after its first'),
  values: z
    .record(name, expression())
    .refine((values) => Object.keys(values).length > 0, 'at least one value')
    .describe('fields of a match: expressions over the steps, such as `a.first.price`, and the fields of the key'),
  go_on: z
    .union([
      z.enum(['after_match', 'next_event']),
      z.strictObject({ at_first: name }),
      z.strictObject({ at_last: name }),
    ])
    .default('after_match')
    .describe(
      'where the next match may begin: behind the last event of this one, at the event after its first, or at the first or last event of a step',
    ),
  keys: z.int().positive().optional().describe('most keys held; an event with one more is dead'),
});

export type PatternOptions = z.output<typeof patternOptions>;
