/** Small definitions for the tests of the loader: the real ones may not be imported by the runtime. */
import { z } from 'zod';
import type { BoundInput, Catalogue } from '../stream/definition.ts';
import { defineOperator, passesThrough } from '../stream/operator-definition.ts';
import { duration, expression, fieldName, input, inputs, key, size } from '../stream/options.ts';
import { defineSchema, field, type Schema } from '../stream/schema.ts';
import { defineSink } from '../stream/sink-definition.ts';
import { defineSource } from '../stream/source-definition.ts';

const visitSchema = defineSchema({
  kind: field.string({ values: ['arrival', 'discharge'] }),
  hospital: field.string({ repeated: true }),
  department: field.string(),
  minutes_waiting: field.int({ unit: 'min' }),
  patient_name: field.string({ privacy: 'direct' }),
});

const bedSchema = defineSchema({ hospital: field.string(), beds: field.int() });

const quiet = { address: 'nowhere', close: async () => {} };

export const visits = defineSource({
  name: 'visits',
  status: 'stable',
  summary: 'Visits of emergency departments.',
  options: z.strictObject({
    listen: z.int().min(0).max(65_535).describe('port to listen on'),
    host: z.string().default('127.0.0.1'),
    token: z.string().min(8).meta({ mach: 'secret' }).optional(),
    mode: z.enum(['strict', 'lenient']).default('strict'),
    frame: size().optional(),
    tls: z.strictObject({ cert: z.string(), key: z.string() }).optional(),
  }),
  durability: 'disk',
  examples: [{ title: 'on the usual port', options: { listen: 2575 } }],
  bind: () => ({ ports: { out: visitSchema }, open: async () => quiet }),
});

export const beds = defineSource({
  name: 'beds',
  status: 'beta',
  summary: 'Bed files.',
  options: z.strictObject({ folder: z.string(), format: z.enum(['csv', 'json']).default('csv') }),
  durability: 'broker',
  examples: [{ title: 'a folder', options: { folder: 'beds' } }],
  bind: () => ({ ports: { out: bedSchema }, open: async () => quiet }),
});

function only(inputs: Readonly<Record<string, BoundInput>>, name: string): Schema {
  return (inputs[name] as BoundInput).schema;
}

export const filter = defineOperator({
  name: 'filter',
  status: 'stable',
  summary: 'Passes the events for which a condition is true.',
  options: z.strictObject({ from: input(), when: expression() }),
  types: passesThrough,
  examples: [],
  bind({ options: _, inputs, check }) {
    const schema = only(inputs, 'from');
    const when = check.expression('when', schema, 'bool');
    return { ports: { out: schema }, stateless: (event) => (when.evaluate(event) === true ? event : null) };
  },
});

export const map = defineOperator({
  name: 'map',
  status: 'stable',
  summary: 'Computes the fields of a new event.',
  options: z.strictObject({ from: input(), values: z.record(z.string(), expression()) }),
  examples: [],
  bind({ options, inputs, check }) {
    const schema = only(inputs, 'from');
    const compiled = Object.keys(options.values).map(
      (name) => [name, check.expression(['values', name], schema, 'any')] as const,
    );
    const fields = Object.fromEntries(compiled.map(([name, { type, nullable }]) => [name, { type, nullable }]));
    return {
      ports: { out: { fields } },
      stateless: (event) => Object.fromEntries(compiled.map(([name, value]) => [name, value.evaluate(event)])),
    };
  },
});

export const count = defineOperator({
  name: 'count',
  status: 'stable',
  summary: 'Counts events by key and window.',
  options: z.strictObject({
    from: input(),
    key: key(),
    window: z.union([
      z.strictObject({ tumbling: duration() }),
      z.strictObject({ sliding: duration(), every: duration(), lateness: duration().optional() }),
    ]),
  }),
  examples: [],
  bind({ options, inputs, check }) {
    const schema = only(inputs, 'from');
    const names = options.key.map((_, index) => check.field(options.key.length === 1 ? 'key' : ['key', index], schema));
    const fields = Object.fromEntries(
      names.map((name) => [name, schema.fields[name] ?? { type: { kind: 'json' as const } }]),
    );
    return {
      ports: { out: { fields: { ...fields, count: field.int() } } },
      key: names,
      stateful: true,
      stateBytesPerKey: { counts: 64 },
      create: () => ({ event: (_event, _time, out) => out.filtered() }),
    };
  },
});

export const join = defineOperator({
  name: 'join',
  status: 'beta',
  summary: 'Joins two streams on a field.',
  options: z.strictObject({
    left: input(),
    right: input(),
    on: fieldName(),
    keep: z.enum(['latest', 'all']).default('latest'),
  }),
  examples: [],
  bind({ inputs, check }) {
    const left = only(inputs, 'left');
    const right = only(inputs, 'right');
    const on = check.field('on', left);
    check.field('on', right);
    return {
      ports: { out: { fields: { ...right.fields, ...left.fields } } },
      key: [on],
      stateful: true,
      create: () => ({ event: (_event, _time, out) => out.filtered() }),
    };
  },
});

export const union = defineOperator({
  name: 'union',
  status: 'stable',
  summary: 'All events of several streams.',
  options: z.strictObject({ from: inputs() }),
  examples: [],
  bind({ inputs }) {
    return { ports: { out: only(inputs, 'from') }, stateless: (event) => event };
  },
});

export const table = defineSink({
  name: 'table',
  status: 'stable',
  summary: 'Rows of a table.',
  options: z.strictObject({
    from: inputs(),
    table: z.string().regex(/^[a-z_]+$/, 'a table is named by lower-case letters and _'),
  }),
  examples: [],
  bind({ options, inputs }) {
    const schema = only(inputs, 'from');
    return {
      tables: [{ name: options.table, schema, orderBy: Object.keys(schema.fields).slice(0, 1), rows: 'append' }],
      open: async () => ({ write: async () => [], close: async () => {} }),
    };
  },
});

export const testCatalogue: Catalogue = {
  sources: [visits, beds],
  operators: [filter, map, count, join, union],
  sinks: [table],
};

/** Exercises every part of the format, without a mistake. */
export const goodTopology = `# Emergency departments
version: 1
name: waiting-rooms
description: Emergency departments where patients wait too long

sources:
  adt:
    visits: { listen: 2575, token: "\${env:TOKEN}" }
    idle: 2m
    disorder: 5s
    durability: broker
  bed_files:
    beds: { folder: \${env:BED_FILES}, format: csv }

operators:
  waiting:
    description: only who waits
    filter:
      from: adt
      when: kind == "arrival" && department == "ED"
  per_hospital:
    count:
      from: waiting
      key: hospital
      window: { sliding: 10m, every: 1m, lateness: 5m }
  with_beds:
    join:
      left: per_hospital
      right: bed_files
      on: hospital
  load:
    map:
      from: with_beds
      values:
        hospital: hospital
        load: >-
          count * 1.0
          / beds

sinks:
  status: { table: { from: load, table: ed_status } }
  late: { table: { from: [per_hospital.late], table: late_visits } }
`;

export const testEnvironment = { TOKEN: 'correct-horse-battery', BED_FILES: '/srv/bed-files' };

/** Loads a text as if it were the file `t.yaml`. */
export function fromText(text: string | Uint8Array): (path: string) => Uint8Array {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  return (path) => {
    if (path === 't.yaml') return bytes;
    throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
  };
}
