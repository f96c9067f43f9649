/** Sink `console`: rows to the terminal, as JSON lines or as a table. */
import { z } from 'zod';
import {
  defineSink,
  type Event,
  fieldNames,
  inputs,
  jsonRow,
  type RunningSink,
  type Schema,
} from '../../runtime/stream/index.ts';
import { formatTable } from './table.ts';

const options = z.strictObject({
  from: inputs(),
  format: z.enum(['json', 'table']).default('json').describe('json: one object on each line; table: aligned columns'),
  fields: z.array(z.string().min(1)).min(1).max(100).optional().describe('only these fields, in this order'),
});

/** Where the text goes. Resolves when it may take more. */
export type Write = (text: string) => Promise<void>;

const writeOut: Write = (text) =>
  new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      // Nobody reads any more (`mach run ... | head`): that is not a failure of the sink.
      if (error && (error as NodeJS.ErrnoException).code !== 'EPIPE') reject(error);
      else resolve();
    });
  });

function pick(event: Event, fields: readonly string[]): Event {
  return Object.fromEntries(fields.map((name) => [name, event[name] ?? null]));
}

export function openConsole(
  given: { format: 'json' | 'table'; fields: readonly string[]; schema: Schema },
  write: Write = writeOut,
): RunningSink {
  const { format, fields, schema } = given;
  const rowOf = jsonRow(schema);
  let widths: number[] = [];
  return {
    async write(rows) {
      const events = Array.from(rows, ({ event }) => pick(event, fields));
      if (format === 'json') {
        await write(events.map((event) => `${JSON.stringify(rowOf(event))}\n`).join(''));
        return [];
      }
      const table = formatTable(events, { fields, schema, widths });
      widths = table.widths;
      await write(table.text);
      return [];
    },
    async close() {},
  };
}

export const consoleSink = defineSink({
  name: 'console',
  status: 'stable',
  summary: 'Writes rows to the standard output, as JSON lines or as a table.',
  options,
  examples: [
    { title: 'everything, for other programs to read', options: { from: 'overload' } },
    { title: 'a table to look at', options: { from: 'overload', format: 'table', fields: ['hospital', 'level'] } },
  ],
  bind({ options: given, inputs: bound, check }) {
    const schemas = Object.values(bound).map(({ schema }) => schema);
    const schema: Schema = schemas[0] ?? { fields: {} };
    for (const [index, name] of (given.fields ?? []).entries()) {
      if (schemas.some(({ fields }) => name in fields)) continue;
      check.problem(['fields', index], `"${name}" is not a field; there are ${fieldNames(schema).join(', ')}`);
    }
    const all = [...new Set(schemas.flatMap(fieldNames))];
    return { open: async () => openConsole({ format: given.format, fields: given.fields ?? all, schema }) };
  },
});
