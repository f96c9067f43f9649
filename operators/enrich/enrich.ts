/** Adds to every event what a server outside knows of it. */
import { z } from 'zod';
import {
  type Checker,
  defineOperator,
  duration,
  type Event,
  type Field,
  fieldNames,
  fieldTemplate,
  httpHeaders,
  input,
  isPersonal,
  isPersonalIn,
  type Schema,
} from '../../runtime/stream/index.ts';
import { operatorErrors } from '../errors.ts';
import { agree, eventsBasis, same } from '../support/state-basis.ts';
import { takesOf, takesOption } from './answer.ts';
import { longestMs, makeAsk } from './ask.ts';
import { addressOfEvent } from './template.ts';

export const enrich = defineOperator({
  name: 'enrich',
  status: 'beta',
  summary:
    'Adds to every event what a server outside knows of it, asked by HTTP GET; the answer is written to the log.',
  options: z
    .strictObject({
      from: input(),
      url: z
        .string()
        .regex(/^https?:\/\/[^{}\s/]+/, 'an address begins with http:// or https:// and a host without fields in it')
        .describe('address; {field} stands for the value of a field'),
      headers: httpHeaders(),
      set: takesOption.describe('field to type (string, bool, int, float, timestamp, json), or { type, path }'),
      concurrency: z.int().min(1).max(256).default(8).describe('questions under way at once'),
      timeout: duration().prefault('5s').describe('for one try'),
      retries: z.int().min(0).max(10).default(2).describe('repetitions when the server fails or does not answer'),
      order: z.enum(['kept', 'free']).default('kept').describe('kept: an event waits for those before it'),
      breaker: z
        .strictObject({
          failures: z.int().min(1).max(1_000).default(10).describe('failures in a row after which nothing is asked'),
          reset: duration().prefault('30s').describe('for how long'),
        })
        .prefault({}),
      cache: duration().prefault('0s').describe('how long an answer is used again; 0s: never'),
      missing: z
        .enum(['null', 'dead'])
        .or(z.null().transform(() => 'null' as const))
        .default('null')
        .describe('without an answer the fields are null, or the event becomes a dead letter'),
      failure: z
        .string()
        .regex(/^[a-z][a-z0-9_]*$/, 'a field is named in snake_case')
        .optional()
        .describe('a field that says why there is no answer'),
    })
    .describe(
      'an answer counts once it is in the log: after a crash the same answers are used again, and only open questions are asked',
    ),
  examples: [
    {
      title: 'the free beds that a registry knows of',
      options: {
        from: 'calls',
        url: 'https://registry.example/hospitals/{hospital}',
        set: { free_beds: { type: 'int', path: 'beds.free' } },
        failure: 'why_not',
      },
      in: [{ hospital: 'H1' }, { hospital: 'H2' }],
      answers: [{ free_beds: 7 }, null],
      out: [
        { hospital: 'H1', free_beds: 7, why_not: null },
        { hospital: 'H2', free_beds: null, why_not: 'not known there' },
      ],
    },
  ],
  state: {
    // Events that wait for an answer; who is asked, and how, is decided when they are asked again.
    basis: ({ options, inputs }) => ({ set: options.set, event: eventsBasis(inputs.from?.schema) }),
    migrations: [
      {
        // An answer that is in the log already has what was taken when it was asked for: with fewer fields it has all of them, with more it has not.
        summary: 'fields are no longer taken from answers, also from those that wait',
        from: 1,
        to: 1,
        basis: (before, after) => {
          const [had, wanted] = [before.set, after.set] as Readonly<Record<string, unknown>>[];
          const isLess = Object.entries(wanted ?? {}).every(([name, take]) => same(had?.[name], take));
          return isLess && agree(before, after, { except: ['set'] }) ? after : null;
        },
        migrate: (state) => state,
      },
    ],
  },
  bind({ options, inputs, check }) {
    const schema: Schema = inputs.from?.schema ?? { fields: {} };
    checkTemplate(options.url, schema, check);
    const takes = takesOf(options.set);
    const fields: Record<string, Field> = { ...schema.fields };
    const add = (name: string, path: string[], field: Field) => {
      if (Object.hasOwn(fields, name))
        check.problem(
          path,
          `"${inputs.from?.from}" has a field ${name} already`,
          'choose another name, and give its `path`',
        );
      else fields[name] = field;
    };
    for (const { name, field } of takes) add(name, ['set', name], field);
    const { failure: failureField } = options;
    if (failureField !== undefined)
      add(failureField, ['failure'], { type: { kind: 'string' }, nullable: true, repeated: true });
    const asking = {
      headers: options.headers,
      timeoutMs: options.timeout,
      retries: options.retries,
      breaker: { failures: options.breaker.failures, resetMs: options.breaker.reset },
      cacheMs: options.cache,
      takes,
      hidesAnswers:
        takes.some(({ field }) => isPersonal(field)) ||
        fieldTemplate(options.url).fields.some((name) => isPersonalIn(schema, name)),
    };
    const ask = makeAsk(asking);
    const addressOf = addressOfEvent(options.url);
    return {
      ports: { out: { fields } },
      stateful: true,
      lookup: {
        input: 'from',
        ask: async (event, signal) => ask(addressOf(event), signal),
        concurrency: options.concurrency,
        // One more second for the answer to be read.
        timeoutMs: longestMs(asking) + 1_000,
        order: options.order,
        join(event, answer, failure) {
          const found = answer as Event | null;
          const reason = found === null ? (failure ?? 'not known there') : null;
          if (reason !== null && options.missing === 'dead') {
            const { code, message } = operatorErrors.make('MACH1860', { reason });
            return { dead: { code, reason: message } };
          }
          const joined: Event = { ...event };
          for (const { name } of takes) joined[name] = found?.[name] ?? null;
          if (failureField !== undefined) joined[failureField] = reason;
          return { event: joined };
        },
      },
    };
  },
});

function checkTemplate(url: string, schema: Schema, check: Checker): void {
  for (const name of fieldTemplate(url).fields) {
    const field = Object.hasOwn(schema.fields, name) ? schema.fields[name] : undefined;
    if (!field) {
      check.problem('url', `"${name}" is not a field of the input`, `fields: ${fieldNames(schema).join(', ')}`);
    } else if (field.privacy === 'direct') {
      check.problem(
        'url',
        `${name} names a person, and an address stands in the logs of every server on the way`,
        'use a pseudonym made with map',
      );
    }
  }
}
