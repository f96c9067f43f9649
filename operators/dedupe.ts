/** Passes the first event of an identity within a time and drops the rest. */
import { z } from 'zod';
import {
  defineOperator,
  duration,
  expression,
  type FieldType,
  formatDuration,
  input,
  keyOfValues,
  type NodeState,
  type Schema,
  type StateCut,
  type StateKey,
  spreadByKey,
} from '../runtime/stream/index.ts';
import { expressionBasis } from './support/state-basis.ts';

const bytesPerIdentity = 76;

/** JSON has no NaN and no infinities: all of them would be null, and one identity. A field has no such name. */
const oddNumber = '\u0000number';

const isOdd = (value: unknown): value is number => typeof value === 'number' && !Number.isFinite(value);

function writeIdentity(values: readonly unknown[]): string {
  const writable = values.some(isOdd)
    ? values.map((value) => (isOdd(value) ? { [oddNumber]: String(value) } : value))
    : values;
  return JSON.stringify(writable);
}

function readIdentity(text: string): unknown[] {
  const values = JSON.parse(text) as unknown[];
  return values.map((value) => {
    const written = value !== null && typeof value === 'object' && Object.hasOwn(value, oddNumber);
    return written ? Number((value as Record<string, unknown>)[oddNumber]) : value;
  });
}

const isShapeOfJson = /^[[{]|^(?:true|false)$|^\u0000/;

/**
 * The identity of one value: a text or a number is itself, anything else its JSON. Where a field may hold anything (`of` is json), a text that
 * could be taken for the JSON of something else is marked, so that the text "[1]" is not the list [1]; all others are as they ever were.
 */
function identityOfValue(value: unknown, of: FieldType['kind']): StateKey | null {
  if (typeof value === 'string') return of === 'json' && isShapeOfJson.test(value) ? keyOfValues([value]) : value;
  if (typeof value === 'number') return value;
  return value === null || value === undefined ? null : JSON.stringify(value);
}

/** An identity says which plain fields it has; expressions are part of it, and decide nothing. */
function cutOf(parts: readonly string[], schema: Schema): StateCut {
  const [only = ''] = parts;
  const kind = schema.fields[only]?.type.kind;
  const values = (key: StateKey): readonly unknown[] | undefined => {
    if (parts.length > 1) return readIdentity(String(key));
    if (typeof key === 'number' || kind === 'string') return [key];
    // A text of a field of any shape may be that text, or what it was written as.
    return kind === 'json' ? undefined : [JSON.parse(key)];
  };
  return { home: ({ key }) => values(key)?.filter((_, at) => Object.hasOwn(schema.fields, parts[at] as string)) };
}

/** Until version 2 an identity was an object; now its time is that of the entry, and its value the watermark when it was last seen: a million identities are no objects. */
interface SeenBefore {
  readonly time: number;
  readonly watermark: number;
}

function toColumns({ states, timers }: NodeState): NodeState {
  const seen = [...(states.get('seen') ?? [])].map(([key, { value }]) => {
    const { time, watermark } = value as SeenBefore;
    return [key, { value: watermark, time }] as const;
  });
  return { states: new Map([['seen', new Map(seen)]]), timers };
}

export const dedupe = defineOperator({
  name: 'dedupe',
  status: 'stable',
  summary:
    'Passes the first event of an identity within a time; repetitions leave by the port `duplicate`, counted as dropped.',
  options: z.strictObject({
    from: input(),
    by: z
      .union([expression(), z.array(expression()).min(1)])
      .describe('what makes two events the same; null never equals'),
    within: duration().describe('how long an identity is remembered after it was last seen, in event time'),
    identities: z.int().positive().optional().describe('most identities remembered; beyond it the oldest is forgotten'),
  }),
  examples: [
    {
      title: 'a message sent twice by a hospital counts once',
      options: { from: 'adt', by: 'message_id', within: '24h' },
      in: [{ message_id: 'A1' }, { message_id: 'A1' }],
      out: [{ message_id: 'A1' }],
    },
  ],
  state: {
    version: 2,
    migrations: [{ summary: 'identities are kept as numbers', from: 1, to: 2, migrate: toColumns }],
    // What is remembered stays; how long and how many is decided anew with each event.
    basis: ({ options, inputs }) => ({
      by: [options.by].flat().map((part) => expressionBasis(part, inputs.from?.schema)),
    }),
  },
  bind({ options, inputs, check }) {
    const schema = inputs.from?.schema ?? { fields: {} };
    const parts = Array.isArray(options.by)
      ? options.by.map((_, index) => check.expression(['by', index], schema, 'any'))
      : [check.expression('by', schema, 'any')];
    const [first] = parts;
    const identityOf = (event: Record<string, unknown>): StateKey | null => {
      if (parts.length === 1) return identityOfValue(first?.evaluate(event), first?.type.kind ?? 'json');
      const values = parts.map((part) => part.evaluate(event) ?? null);
      return values.includes(null) ? null : writeIdentity(values);
    };
    // Only a plain field can be seen from outside; equal identities are equal in each of them.
    const plain = (Array.isArray(options.by) ? options.by : [options.by]).filter((text) =>
      Object.hasOwn(schema.fields, text),
    );
    return {
      ports: { out: schema, duplicate: schema },
      spread: spreadByKey({ from: plain }, plain),
      reads: (wanted) => wanted,
      keyedBy: { from: parts.flatMap(({ fields }) => fields) },
      cut: cutOf([options.by].flat(), schema),
      stateful: true,
      stateBytesPerKey: { [`identities of the last ${formatDuration(options.within)}`]: bytesPerIdentity },
      create(context) {
        // State that is due to be forgotten may still be there, because of others: that must make no difference.
        const isForgotten = (last: { time: number; value: number }, watermark: number) =>
          watermark > last.value && last.time + options.within <= watermark;
        /** Of each identity the watermark when it was last seen, and its newest event time. */
        const seen = context.keyedState<number>('seen', {
          ttlMs: options.within,
          ...(options.identities === undefined ? {} : { keysMax: options.identities }),
          bytesPerKey: bytesPerIdentity,
        });
        return {
          event(event, time, out) {
            const identity = identityOf(event);
            if (identity === null) {
              out.emit(event, time);
              return;
            }
            const watermark = context.watermark();
            const last = seen.entry(identity);
            const isKnown = last !== undefined && !isForgotten(last, watermark);
            if (last && !isKnown) seen.delete(identity);
            seen.set(identity, watermark, time);
            const repeated = isKnown && time < last.time + options.within;
            if (!repeated) {
              out.emit(event, time);
              return;
            }
            out.dropped('duplicate');
            out.emit(event, time, 'duplicate');
          },
        };
      },
    };
  },
});
