/**
 * Row schemas: what the columns of a dropped file are. The same map stands inline in a topology or in a YAML file of its own.
 *
 * ```yaml
 * fields:
 *   hospital: string
 *   reported_at: { type: timestamp, format: 'dd/MM/yyyy HH:mm' }
 *   ed_beds: { type: int, unit: beds, minimum: 0 }
 *   ed_physicians: int?                     # nullable
 * ```
 */
import { z } from 'zod';
import {
  type Event,
  type Field,
  type FieldType,
  hasPersonal,
  hidden,
  type RefusedValue,
  type Schema,
} from '../../runtime/stream/index.ts';
import { boundsProblem, makeCellParser, Refused } from './cells.ts';

const typeNames = ['string', 'bool', 'int', 'float', 'timestamp', 'duration', 'json'] as const;

const shortField = z
  .string()
  .regex(
    new RegExp(`^(?:${typeNames.join('|')})\\??$`),
    `a type is one of ${typeNames.join(', ')}, with ? when it may be empty`,
  );

const longField = z.strictObject({
  type: z.enum(typeNames).describe('type of the field'),
  nullable: z.boolean().optional().describe('an empty cell, or no such column, gives null'),
  unit: z.string().optional().describe('unit of a number, such as beds or min'),
  description: z.string().optional().describe('what it says'),
  privacy: z.enum(['direct', 'quasi', 'health']).optional().describe('how closely it points at a person'),
  repeated: z.boolean().optional().describe('few distinct values'),
  values: z.array(z.string()).min(1).optional().describe('the only values of a string'),
  column: z.string().min(1).optional().describe('name of the column in the file, if not the name of the field'),
  format: z
    .string()
    .min(1)
    .optional()
    .describe(
      "of a timestamp: iso (default), epoch-s, epoch-ms, or a pattern of yyyy MM dd HH mm ss, 'dd/MM/yyyy HH:mm'",
    ),
  minimum: z.number().optional().describe('least value of a number'),
  maximum: z.number().optional().describe('greatest value of a number'),
});

const fieldMap = z
  .record(
    z.string().regex(/^[a-z_][a-z0-9_]*$/i, 'a field name has letters, digits and _'),
    z.union([shortField, longField]),
  )
  .refine((fields) => Object.keys(fields).length > 0, 'a row schema needs at least one field')
  .refine((fields) => Object.keys(fields).length <= 1_000, 'a row schema has at most 1 000 fields');

/** Inline in a topology, or the name of a file. */
export const rowSchemaOption = z.union([z.string().min(1), fieldMap]);

/** The content of a schema file. */
export const rowSchemaFile = z.strictObject({ description: z.string().optional(), fields: fieldMap });

export type RowFields = z.output<typeof fieldMap>;

export interface Column {
  readonly field: string;
  /** Name of the column in the file. */
  readonly column: string;
  readonly nullable: boolean;
  readonly parse: (cell: unknown) => unknown;
  /** The same of a value of JSON. */
  readonly parseTyped: (value: unknown) => unknown;
  /** What is wrong with a value that has the type of the field: a number may be out of its bounds. Undefined: nothing. */
  readonly refusal: (value: unknown) => string | undefined;
  /** An empty text is a value of the field, where it is a value of JSON. */
  readonly takesEmpty: boolean;
}

export interface RowSchema {
  readonly schema: Schema;
  /** Cells stand in no reason: some field points at a person, and a comma too many puts a name under another. */
  readonly hidesCells: boolean;
  readonly columns: readonly Column[];
}

export interface RowProblem {
  readonly column: string;
  readonly reason: string;
}

export type RowResult = { readonly event: Event } | { readonly problems: readonly RowProblem[] };

type Long = z.output<typeof longField>;

function longForm(spec: RowFields[string]): Long {
  if (typeof spec !== 'string') return spec;
  const nullable = spec.endsWith('?');
  return { type: (nullable ? spec.slice(0, -1) : spec) as Long['type'], ...(nullable ? { nullable } : {}) };
}

function fieldOf(spec: Long): Field {
  const type: FieldType =
    spec.type === 'string' && spec.values ? { kind: 'string', values: spec.values } : { kind: spec.type };
  return {
    type,
    ...(spec.nullable ? { nullable: true } : {}),
    ...(spec.unit ? { unit: spec.unit } : {}),
    ...(spec.description ? { description: spec.description } : {}),
    ...(spec.privacy ? { privacy: spec.privacy } : {}),
    ...(spec.repeated ? { repeated: true } : {}),
  };
}

/**
 * Compiles a map of fields. `zone`: of times that are written without one. Throws an `Error` whose message says what is
 * wrong with the map (an unknown format, values on a number).
 */
export function compileRowSchema(fields: RowFields, { zone }: { zone: string }): RowSchema {
  const columns: Column[] = [];
  const schema: Record<string, Field> = {};
  for (const [name, short] of Object.entries(fields)) {
    const spec = longForm(short);
    if (spec.values && spec.type !== 'string') throw new Error(`field ${name}: only a string has "values"`);
    if (spec.format && spec.type !== 'timestamp') throw new Error(`field ${name}: only a timestamp has a "format"`);
    const numeric = spec.type === 'int' || spec.type === 'float';
    if ((spec.minimum !== undefined || spec.maximum !== undefined) && !numeric) {
      throw new Error(`field ${name}: only int and float have "minimum" and "maximum"`);
    }
    schema[name] = fieldOf(spec);
    columns.push({
      field: name,
      column: spec.column ?? name,
      nullable: spec.nullable === true,
      parse: makeCellParser({ ...spec, zone }, name),
      parseTyped: spec.type === 'json' ? (value) => value : makeCellParser({ ...spec, zone }, name),
      refusal: (value) => (typeof value === 'number' ? boundsProblem(value, spec) : undefined),
      takesEmpty: spec.type === 'json' || (spec.type === 'string' && (spec.values?.includes('') ?? true)),
    });
  }
  return { schema: { fields: schema }, hidesCells: hasPersonal({ fields: schema }), columns };
}

/**
 * Turns the cells of one row into an event, or names everything that is wrong with it. `cell(i)`: of column i of the schema. `typed`: they are
 * values of JSON.
 */
export function parseRow(
  rowSchema: RowSchema,
  cell: (index: number) => unknown,
  { typed = false }: { typed?: boolean | undefined } = {},
): RowResult {
  const event: Event = {};
  let problems: RowProblem[] | undefined;
  const { columns, hidesCells } = rowSchema;
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i] as Column;
    const raw = cell(i);
    const isAbsent = raw === undefined || raw === null || (raw === '' && !(typed && column.takesEmpty));
    if (isAbsent) {
      if (column.nullable) {
        event[column.field] = null;
        continue;
      }
      problems ??= [];
      problems.push({ column: column.column, reason: 'is empty, and the field is not nullable' });
      continue;
    }
    const value = typed ? column.parseTyped(raw) : column.parse(raw);
    if (value instanceof Refused) {
      problems ??= [];
      problems.push({ column: column.column, reason: `${hidesCells ? hidden : value.cell} ${value.problem}` });
      continue;
    }
    event[column.field] = value;
  }
  return problems ? { problems } : { event };
}

/** The values of an event of this schema that no row could hold. */
export function refusedIn({ columns }: RowSchema, event: Event): RefusedValue[] {
  return columns.flatMap(({ field, refusal }) => {
    const problem = refusal(event[field]);
    return problem === undefined ? [] : [{ field, problem }];
  });
}
