/** Small sources, operators and sinks for tests of the engine: the real ones may not be imported by the runtime. */
import { z } from 'zod';
import { seededRandom } from '../random.ts';
import type { BoundInput, Catalogue } from '../stream/definition.ts';
import { defineOperator, spreadByKey } from '../stream/operator-definition.ts';
import { duration, input, inputs } from '../stream/options.ts';
import { defineSchema, type Event, field, type Schema } from '../stream/schema.ts';
import { defineSink, type RunningSink, type SinkContext, type SinkRow } from '../stream/sink-definition.ts';
import { defineSource, type SourceContext } from '../stream/source-definition.ts';

export const pulseSchema = defineSchema({
  id: field.string(),
  hospital: field.string({ repeated: true }),
  value: field.int({ nullable: true }),
  patient: field.string({ nullable: true, privacy: 'direct' }),
});

/** What happens at the edges; tests give their own. */
export interface Edges {
  opened(source: string, context: SourceContext): void;
  /** Rejects where a sink cannot be opened. */
  openSink?(sink: string, context: SinkContext): Promise<void>;
  closedSink?(sink: string): void;
  write(sink: string, rows: readonly SinkRow[], token: string): ReturnType<RunningSink['write']>;
  /** Answers look-ups. */
  answer(event: Event, signal: AbortSignal): Promise<unknown>;
}

const noEdges: Edges = {
  opened() {},
  write: async () => [],
  answer: async () => null,
};

function only(given: Readonly<Record<string, BoundInput>>, name = 'from'): Schema {
  return given[name]?.schema ?? { fields: {} };
}

/** Text: `id hospital value seconds`, one event a line; other lines are dead letters. */
function decodePulses(content: Uint8Array) {
  const lines = new TextDecoder()
    .decode(content)
    .split('\n')
    .filter((line) => line.trim() !== '');
  const read = lines.map((line) => /^(\w+) (\w+) (\d+) (\d+)$/.exec(line));
  return {
    events: read.flatMap((match) => {
      if (!match) return [];
      const [, id, hospital, value, seconds] = match;
      return [{ event: { id, hospital, value: Number(value), patient: null }, time: Number(seconds) * 1_000 }];
    }),
    deadLetters: lines
      .filter((_, index) => !read[index])
      .map((line) => ({
        code: 'MACH9901',
        reason: 'not a pulse',
        raw: new TextEncoder().encode(line),
        place: { line: lines.indexOf(line) + 1 },
      })),
  };
}

/** Not the same twice: what no operator may be. */
let disorder = 0;

export function smallCatalogue(edges: Edges = noEdges): Catalogue {
  const pulses = defineSource({
    name: 'pulses',
    status: 'stable',
    summary: 'Pulses that a test sends.',
    options: z.strictObject({ decodes: z.boolean().default(true) }),
    durability: 'disk',
    examples: [],
    bind: ({ options }) => ({
      ports: { out: pulseSchema },
      ...(options.decodes && { decode: async (content: Uint8Array) => decodePulses(content) }),
      async open(context) {
        edges.opened(context.node, context);
        return { address: 'the test', close: async () => {} };
      },
    }),
  });

  const keep = defineOperator({
    name: 'keep',
    status: 'stable',
    summary: 'Passes pulses of at least a value.',
    options: z.strictObject({ from: input(), min: z.int() }),
    examples: [],
    bind: ({ options, inputs: given }) => ({
      ports: { out: only(given) },
      stateless: (event) => ((event.value as number) >= options.min ? event : null),
    }),
  });

  const numbered = defineOperator({
    name: 'numbered',
    status: 'stable',
    summary: 'Numbers all events in the order in which they come: none may be lost, none come twice.',
    options: z.strictObject({ from: input(), first: z.int().default(1) }),
    examples: [],
    bind: ({ options, inputs: given }) => ({
      ports: { out: { fields: { ...only(given).fields, number: field.int() } } },
      key: [],
      stateful: true,
      create(context) {
        const state = context.keyedState<number>('number');
        return {
          event(event, time, out) {
            const number = state.get('n') ?? options.first;
            state.set('n', number + 1, time);
            out.emit({ ...event, number });
          },
        };
      },
    }),
  });

  const tallied = defineOperator({
    name: 'tallied',
    status: 'stable',
    summary: 'Numbers the pulses of each hospital.',
    options: z.strictObject({ from: input() }),
    examples: [],
    bind: ({ inputs: given }) => ({
      ports: { out: { fields: { ...only(given).fields, tally: field.int() } } },
      spread: spreadByKey({ from: ['hospital'] }, ['hospital']),
      stateful: true,
      create(context) {
        const tallies = context.keyedState<number>('tallies');
        return {
          event(event, time, out) {
            const tally = (tallies.get(event.hospital as string) ?? 0) + 1;
            tallies.set(event.hospital as string, tally, time);
            out.emit({ ...event, tally });
          },
        };
      },
    }),
  });

  const totals = defineOperator({
    name: 'totals',
    status: 'stable',
    summary: 'Counts the pulses of each hospital in each window.',
    options: z.strictObject({ from: input(), every: duration() }),
    examples: [],
    bind: ({ options }) => ({
      ports: { out: defineSchema({ hospital: field.string(), begin: field.timestamp(), count: field.int() }) },
      spread: spreadByKey({ from: ['hospital'] }, ['hospital']),
      cut: { home: ({ key }) => [String(key).split('/')[0]] },
      stateful: true,
      create(context) {
        const counts = context.keyedState<number>('counts');
        return {
          event(event, time, out) {
            const begin = Math.floor(time / options.every) * options.every;
            if (begin + options.every <= context.watermark()) return out.late(event, time);
            const key = `${event.hospital}/${begin}`;
            counts.set(key, (counts.get(key) ?? 0) + 1, time);
            context.timers.set(key, 'close', begin + options.every);
          },
          timer(key, _name, time, out) {
            const [hospital = '', begin = ''] = String(key).split('/');
            out.emit({ hospital, begin: Number(begin), count: counts.get(key) ?? 0 }, time - 1);
            counts.delete(key);
          },
        };
      },
    }),
  });

  const merged = defineOperator({
    name: 'merged',
    status: 'stable',
    summary: 'Both inputs in the order in which they come, numbered.',
    options: z.strictObject({ left: input(), right: input() }),
    examples: [],
    bind: ({ inputs: given }) => ({
      ports: { out: { fields: { ...only(given, 'left').fields, side: field.string(), number: field.int() } } },
      stateful: true,
      create(context) {
        const state = context.keyedState<number>('number');
        return {
          event(event, time, out, side) {
            const number = (state.get('n') ?? 0) + 1;
            state.set('n', number, time);
            out.emit({ ...event, side, number });
          },
        };
      },
    }),
  });

  const ask = defineOperator({
    name: 'ask',
    status: 'stable',
    summary: 'Asks outside about each pulse.',
    options: z.strictObject({
      from: input(),
      order: z.enum(['kept', 'free']).default('kept'),
      concurrency: z.int().default(4),
      timeout: duration().prefault('1s'),
    }),
    examples: [],
    bind: ({ options, inputs: given }) => ({
      ports: {
        out: {
          fields: {
            ...only(given).fields,
            answer: field.json({ nullable: true }),
            failure: field.string({ nullable: true }),
          },
        },
      },
      lookup: {
        input: 'from',
        ask: (event, signal) => edges.answer(event, signal),
        concurrency: options.concurrency,
        timeoutMs: options.timeout,
        order: options.order,
        join: (event, answer, failure) => ({ event: { ...event, answer, failure } }),
      },
    }),
  });

  const breaks = defineOperator({
    name: 'breaks',
    status: 'experimental',
    summary: 'Throws on a value.',
    options: z.strictObject({ from: input(), at: z.int() }),
    examples: [],
    bind: ({ options, inputs: given }) => ({
      ports: { out: only(given) },
      create: () => ({
        event(event, _time, out) {
          if (event.value === options.at) throw new Error(`cannot bear ${options.at}`);
          out.emit(event);
        },
      }),
    }),
  });

  const dice = defineOperator({
    name: 'dice',
    status: 'experimental',
    summary: 'Adds a number that is another one each time.',
    options: z.strictObject({ from: input() }),
    examples: [],
    bind: ({ inputs: given }) => ({
      ports: { out: { fields: { ...only(given).fields, roll: field.float() } } },
      create: () => ({
        event: (event, _time, out) => out.emit({ ...event, roll: seededRandom(++disorder).float() }),
      }),
    }),
  });

  const swells = defineOperator({
    name: 'swells',
    status: 'experimental',
    summary: 'Makes each pulse as many characters longer as its value says.',
    options: z.strictObject({ from: input() }),
    examples: [],
    bind: ({ inputs: given }) => ({
      ports: { out: { fields: { ...only(given).fields, text: field.string() } } },
      stateless: (event) => ({ ...event, text: 'x'.repeat(event.value as number) }),
    }),
  });

  const refuses = defineOperator({
    name: 'refuses',
    status: 'stable',
    summary: 'Cannot deal with pulses without a value.',
    options: z.strictObject({ from: input() }),
    examples: [],
    bind: ({ inputs: given }) => ({
      ports: { out: only(given) },
      create: () => ({
        event(event, _time, out) {
          if (event.value === null) out.dead(event, 'MACH9902', 'no value');
          else out.emit(event);
        },
      }),
    }),
  });

  const collect = defineSink({
    name: 'collect',
    status: 'stable',
    summary: 'Gives rows to the test.',
    options: z.strictObject({
      from: inputs(),
      key: z.array(z.string()).default(['id']),
      table: z.string().default('collected'),
      rows: z.enum(['append', 'latest']).default('latest'),
    }),
    examples: [],
    bind: ({ options, inputs: given }) => ({
      tables: [{ name: options.table, schema: only(given), orderBy: options.key, rows: options.rows }],
      async open(context) {
        await edges.openSink?.(context.node, context);
        return {
          write: (rows, token) => edges.write(context.node, [...rows], token),
          close: async () => edges.closedSink?.(context.node),
        };
      },
    }),
  });

  return {
    sources: [pulses],
    operators: [keep, numbered, tallied, totals, merged, ask, breaks, dice, swells, refuses],
    sinks: [collect],
  };
}
