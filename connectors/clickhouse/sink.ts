/** Writes the rows of a stream to a table of the store. */
import { z } from 'zod';
import {
  type BoundInput,
  type Checker,
  defineSink,
  describeType,
  duration,
  fieldName,
  fieldNames,
  inputs,
  key,
  type RunningSink,
  type Schema,
  type SinkContext,
  type TableSpec,
} from '../../runtime/stream/index.ts';
import { createRowWriter } from './row-writer.ts';

const namePattern = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;
const nameRule = 'a letter, then letters, digits and underscores, 64 at most';
/** Columns that every table has beside its fields. */
const ownColumns = new Set(['_stage', '_partition', '_sequence', '_index', '_version']);

const options = z.strictObject({
  from: inputs().describe('what is written; several must have the same fields'),
  table: z
    .string()
    .regex(namePattern, `a table's name is ${nameRule}`)
    .describe('the table, made at the start when it is not there'),
  order_by: key().describe(
    'sorting key: the fields that queries look for first; with rows: latest what makes two rows the same',
  ),
  time: fieldName().optional().describe('the timestamp that partitions and keep go by'),
  partition: z
    .enum(['day', 'month'])
    .optional()
    .describe('one partition for each day or month of time (month when time is given)'),
  keep: duration().optional().describe('how long rows are kept, counted from time; forever when absent'),
  rows: z
    .enum(['append', 'latest'])
    .default('append')
    .describe('append: every row stays. latest: of rows with the same sorting key the newest stays (read with FINAL)'),
  comment: z.string().max(1_000).optional().describe('what the table holds, kept in the store'),
});

type Options = z.output<typeof options>;

export const clickhouse = defineSink({
  name: 'clickhouse',
  status: 'stable',
  summary: 'Writes rows to a table of the store (ClickHouse), each exactly once.',
  options,
  examples: [
    {
      title: 'every reading of the waiting rooms, for two years',
      options: { from: 'waiting', table: 'ed_waiting', order_by: ['hospital', 'at'], time: 'at', keep: '730d' },
    },
    {
      title: 'the newest state of each bed report',
      options: { from: 'beds', table: 'beds', order_by: 'hospital', rows: 'latest' },
    },
  ],
  bind({ options, inputs, check }) {
    const schema = commonSchema(inputs, check);
    checkFields(options, schema, check);
    const table = tableOf(options, schema);
    return { tables: [table], open: (context) => openSink(table, context) };
  },
});

function tableOf(options: Options, schema: Schema): TableSpec {
  const partition = options.partition ?? (options.time === undefined ? undefined : 'month');
  return {
    name: options.table,
    schema,
    orderBy: options.order_by,
    rows: options.rows,
    ...(options.time !== undefined && { timeField: options.time }),
    ...(partition !== undefined && { partitionBy: partition }),
    ...(options.keep !== undefined && { keepMs: options.keep }),
    ...(options.comment !== undefined && { comment: options.comment }),
  };
}

function checkFields(options: Options, schema: Schema, check: Checker): void {
  for (const name of fieldNames(schema)) {
    if (!namePattern.test(name))
      check.problem('from', `field "${name}" cannot be a column: a column's name is ${nameRule}`);
    if (ownColumns.has(name)) check.problem('from', `field "${name}" has the name of a column that every table has`);
  }
  options.order_by.forEach((_name, index) => {
    const name = check.field(['order_by', index], schema);
    const kind = schema.fields[name]?.type.kind;
    if (kind === 'list' || kind === 'record' || kind === 'json') {
      check.problem(['order_by', index], `"${name}" is a ${kind}, by which rows cannot be sorted`);
    }
  });
  if (options.keep !== undefined && options.keep < 1_000) check.problem('keep', 'rows are kept for 1s at least');
  if (options.time !== undefined) {
    const name = check.field('time', schema, 'timestamp');
    if (schema.fields[name]?.nullable)
      check.problem('time', `"${name}" may be absent, and a row without time has no partition`);
  }
  if (options.time !== undefined) return;
  const timestamp = fieldNames(schema).find((name) => schema.fields[name]?.type.kind === 'timestamp');
  for (const option of ['keep', 'partition'] as const) {
    if (options[option] !== undefined) {
      check.problem(option, `${option} needs time: the timestamp that it goes by`, timestamp && `time: ${timestamp}`);
    }
  }
}

/** The schema of all inputs: the same fields, of the same types. */
function commonSchema(inputs: Readonly<Record<string, BoundInput>>, check: Checker): Schema {
  const [first, ...others] = Object.values(inputs);
  if (!first) throw new Error('a sink has an input');
  for (const other of others) {
    const difference = differenceOf(first, other);
    if (difference) check.problem('from', `${other.from} cannot go to the same table as ${first.from}: ${difference}`);
  }
  return first.schema;
}

function differenceOf(first: BoundInput, other: BoundInput): string | undefined {
  const names = new Set([...fieldNames(first.schema), ...fieldNames(other.schema)]);
  for (const name of names) {
    const [wanted, given] = [first.schema.fields[name], other.schema.fields[name]];
    if (!wanted) return `field ${name} is only in ${other.from}`;
    if (!given) return `field ${name} is only in ${first.from}`;
    const [wantedType, givenType] = [describeType(wanted.type), describeType(given.type)];
    if (wantedType !== givenType) return `field ${name} is ${givenType} there and ${wantedType} in ${first.from}`;
    if ((wanted.nullable ?? false) !== (given.nullable ?? false)) {
      const optional = wanted.nullable ? first.from : other.from;
      return `field ${name} may be absent in ${optional} only`;
    }
  }
  return undefined;
}

async function openSink(table: TableSpec, context: SinkContext): Promise<RunningSink> {
  const { store } = context;
  await store.ensureTable(table);
  const write = createRowWriter({ store, table, count: context.count });
  // The store belongs to the engine, which closes it after all its sinks.
  return { write, close: async () => {} };
}
