/**
 * Small tables beside a topology: CSV, YAML or JSON, read once when the topology is bound. What is wrong with one is a problem
 * of the check, with its line.
 */
import { readFileSync, statSync } from 'node:fs';
import { extname } from 'node:path';
import { parse as parseCsv } from 'csv-parse/sync';
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, parse as parseYaml } from 'yaml';
import { z } from 'zod';
import type { Checker, Event, Field, FieldType, Schema } from '../../runtime/stream/index.ts';
import { didYouMean, hasPersonal, hidden, messageOf } from '../../runtime/stream/index.ts';

export const tableLimits = { bytesMax: 8 * 1024 * 1024, rowsMax: 100_000, problemsShownMax: 10 } as const;

const typeNames = ['string', 'bool', 'int', 'float', 'timestamp', 'json', 'list'] as const;
type TypeName = (typeof typeNames)[number];

const shortField = z
  .string()
  .regex(
    new RegExp(`^(?:${typeNames.join('|')})\\??$`),
    `a type is one of ${typeNames.join(', ')}, with ? when it may be empty`,
  );
const longField = z.strictObject({
  type: z.enum(typeNames),
  nullable: z.boolean().optional().describe('an empty cell gives null'),
  unit: z.string().optional(),
  description: z.string().optional(),
  privacy: z.enum(['direct', 'quasi', 'health']).optional(),
  repeated: z.boolean().optional(),
});
const fieldMap = z
  .record(z.string().regex(/^[a-z][a-z0-9_]*$/, 'a field is named in snake_case'), z.union([shortField, longField]))
  .refine((fields) => Object.keys(fields).length > 0, 'a table has at least one field');
const schemaFile = z.strictObject({ description: z.string().optional(), fields: fieldMap });

type FieldMap = z.output<typeof fieldMap>;

export const tableFileOption = z.strictObject({
  file: z
    .string()
    .min(1)
    .describe('CSV with a header, or a YAML or JSON list of rows; path from the folder of the topology'),
  schema: z
    .union([z.string().min(1), fieldMap])
    .describe(
      'field to type (string, bool, int, float, timestamp, json, list; `?`: may be empty), or a file with `fields`',
    ),
});

export interface Table {
  /** For people. */
  readonly file: string;
  readonly schema: Schema;
  readonly rows: readonly Event[];
  /** Line of the file in which a row stands; where one of CSV has several, the last. */
  lineOf(row: number): number;
}

/** `at`: the option that holds the table. Problems are recorded; the table then has what could be read. */
export function readTable(options: z.output<typeof tableFileOption>, at: string, check: Checker): Table {
  const fields = typeof options.schema === 'string' ? readSchemaFile(options.schema, at, check) : options.schema;
  const { file } = options;
  if (!fields) return { file, schema: { fields: {} }, ...noRows };
  const columns = Object.entries(fields).map(([name, written]) => columnOf(name, written));
  const schema: Schema = { fields: Object.fromEntries(columns.map(({ name, field }) => [name, field])) };
  const table = readRecords(file, [at, 'file'], check);
  if (!table || !hasColumns(table, columns, { at, file, check })) return { file, schema, ...noRows };
  const { lineOf } = table;
  const hides = hasPersonal(schema);
  const rows: Event[] = [];
  const problems: string[] = [];
  for (const row of table.rows) {
    const { values } = row;
    const event: Event = {};
    for (const column of columns) {
      const raw = Object.hasOwn(values, column.name) ? values[column.name] : undefined;
      // A number that is to be a text is what was written: 007 is not 7.
      const isText = column.kind === 'string' && (typeof raw === 'number' || typeof raw === 'boolean');
      const read = readCell(isText ? (row.written?.(column.name) ?? raw) : raw, column, { hides });
      if ('problem' in read) problems.push(`${file} line ${lineOf(rows.length)}: ${column.name} ${read.problem}`);
      else event[column.name] = read.value;
    }
    rows.push(event);
  }
  for (const problem of problems.slice(0, tableLimits.problemsShownMax)) check.problem([at, 'file'], problem);
  const more = problems.length - tableLimits.problemsShownMax;
  if (more > 0) check.problem([at, 'file'], `${more} more cells are wrong`);
  return { file, schema, rows, lineOf };
}

const noRows = { rows: [], lineOf: () => 0 } as const;

/**
 * A column that is not there would be empty in every row, and nobody would know why. In a list a field that may be empty may be left out of all, unless it
 * has another name there.
 */
function hasColumns(
  table: RawTable,
  wanted: readonly Column[],
  { at, file, check }: { at: string; file: string; check: Checker },
): boolean {
  if (table.rows.length === 0 && !table.hasHeader) return true;
  const names = [...table.columns];
  const others = names.filter((name) => !wanted.some((column) => column.name === name));
  const missing = wanted.filter(({ name, field }) => {
    if (table.columns.has(name)) return false;
    return table.hasHeader || !field.nullable || didYouMean(name, others) !== undefined;
  });
  for (const { name } of missing) {
    const near = didYouMean(name, others);
    const hint = near === undefined ? 'the names of `schema` are those of the file' : `did you mean ${near}?`;
    check.problem([at, 'file'], `${file} has no column ${name}; it has ${names.join(', ')}`, hint);
  }
  return missing.length === 0;
}

interface Column {
  readonly name: string;
  readonly kind: TypeName;
  readonly field: Field;
}

function columnOf(name: string, written: FieldMap[string]): Column {
  const long =
    typeof written === 'string'
      ? { type: written.replace('?', '') as TypeName, ...(written.endsWith('?') ? { nullable: true } : {}) }
      : written;
  const { type: kind, ...rest } = long;
  const type: FieldType = kind === 'list' ? { kind, of: { kind: 'string' } } : { kind };
  const given = Object.entries(rest).filter(([, value]) => value !== undefined && value !== false);
  return { name, kind, field: { type, ...Object.fromEntries(given) } };
}

/** The bytes of a file beside the topology as text; undefined, with a problem recorded, when it cannot be had. */
function readText(path: string, at: readonly string[], check: Checker): string | undefined {
  try {
    const resolved = check.resolveFile(path);
    const { size } = statSync(resolved);
    if (size > tableLimits.bytesMax) {
      check.problem(
        at,
        `${path} has ${size} bytes, more than tableLimits.bytesMax (${tableLimits.bytesMax})`,
        'send large tables through a source and join with that',
      );
      return undefined;
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(resolved)).normalize('NFC');
  } catch (error) {
    check.problem(at, `${path} cannot be read: ${messageOf(error)}`, 'paths are taken from the folder of the topology');
    return undefined;
  }
}

function readSchemaFile(path: string, at: string, check: Checker): FieldMap | undefined {
  const text = readText(path, [at, 'schema'], check);
  if (text === undefined) return undefined;
  try {
    const parsed = schemaFile.safeParse(parseYaml(text));
    if (parsed.success) return parsed.data.fields;
    for (const issue of parsed.error.issues)
      check.problem([at, 'schema'], `${path}: ${issue.path.join('.')}: ${issue.message}`);
  } catch (error) {
    check.problem([at, 'schema'], `${path} is not YAML: ${messageOf(error)}`);
  }
  return undefined;
}

interface RawRow {
  readonly values: Readonly<Record<string, unknown>>;
  /** The text of a value as it stands in the file, where the value is another. */
  readonly written?: (name: string) => string | undefined;
}

interface RawTable {
  /** That some row has, or that the header names. */
  readonly columns: ReadonlySet<string>;
  readonly hasHeader: boolean;
  readonly rows: readonly RawRow[];
  lineOf(row: number): number;
}

function readRecords(path: string, at: readonly string[], check: Checker): RawTable | undefined {
  const text = readText(path, at, check);
  if (text === undefined) return undefined;
  try {
    const table = extname(path).toLowerCase() === '.csv' ? readCsv(text) : readList(text);
    const { length } = table.rows;
    if (length <= tableLimits.rowsMax) return table;
    check.problem(at, `${path} has ${length} rows, more than tableLimits.rowsMax (${tableLimits.rowsMax})`);
  } catch (error) {
    check.problem(at, `${path}: ${messageOf(error)}`);
  }
  return undefined;
}

function readCsv(text: string): RawTable {
  let columns: readonly string[] = [];
  const options = {
    bom: true,
    columns(header: string[]) {
      const twice = header.find((name, at) => header.indexOf(name) < at);
      if (twice !== undefined) throw new Error(`it has two columns ${twice}`);
      columns = header;
      return header;
    },
    skip_empty_lines: true,
    trim: true,
  };
  const records = parseCsv(text, options) as Record<string, string>[];
  if (columns.length === 0) throw new Error('it is empty: the first line of a CSV file names its columns');
  // To know the lines takes as long again, and nobody asks where nothing is wrong.
  let lines: readonly number[] | undefined;
  const linesOf = () =>
    (parseCsv(text, { ...options, info: true }) as unknown as { info: { lines: number } }[]).map(
      ({ info }) => info.lines,
    );
  return {
    columns: new Set(columns),
    hasHeader: true,
    rows: records.map((values) => ({ values })),
    lineOf(row) {
      lines ??= linesOf();
      return lines[row] as number;
    },
  };
}

function readList(text: string): RawTable {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter });
  const [error] = document.errors;
  if (error) throw error;
  const list: unknown = document.toJS();
  const { contents } = document;
  if (!Array.isArray(list) || !isSeq(contents))
    throw new Error('it is not a list of rows, such as `- { hospital: H1, beds: 40 }` (a CSV file is named .csv)');
  const lineOf = (row: number) => {
    const item = contents.items[row];
    return lineCounter.linePos((isNode(item) && item.range?.[0]) || 0).line;
  };
  const rows = list.map((values: unknown, row): RawRow => {
    const item = contents.items[row];
    if (values === null || typeof values !== 'object' || Array.isArray(values))
      throw new Error(`line ${lineOf(row)} is not a mapping`);
    const written = (name: string) => {
      const cell = isMap(item) ? item.get(name, true) : undefined;
      return isScalar(cell) ? cell.source : undefined;
    };
    return { values: values as Record<string, unknown>, written };
  });
  return { columns: new Set(rows.flatMap(({ values }) => Object.keys(values))), hasHeader: false, rows, lineOf };
}

type Cell = { readonly value: unknown } | { readonly problem: string };

function readCell(raw: unknown, { kind, field }: Column, { hides }: { hides: boolean }): Cell {
  if (raw === undefined || raw === null || raw === '') {
    return field.nullable ? { value: null } : { problem: 'is empty, and the field is not nullable' };
  }
  const shown = hides ? hidden : typeof raw === 'string' ? `"${raw.slice(0, 40)}"` : JSON.stringify(raw);
  const refused = { problem: `is ${shown}, which is no ${kind}` };
  switch (kind) {
    case 'string':
      return typeof raw === 'object' ? refused : { value: String(raw) };
    case 'bool':
      if (typeof raw === 'boolean') return { value: raw };
      return raw === 'true' || raw === 'false' ? { value: raw === 'true' } : refused;
    case 'int':
    case 'float':
      return readNumber(raw, kind) ?? refused;
    case 'timestamp':
      return readTime(raw) ?? refused;
    case 'list':
      if (Array.isArray(raw)) return raw.every(isPlainItem) ? { value: raw.map(String) } : refused;
      return typeof raw === 'string'
        ? {
            value: raw
              .split(';')
              .map((item) => item.trim())
              .filter(Boolean),
          }
        : refused;
    case 'json':
      return readJson(raw) ?? refused;
  }
}

const isPlainItem = (item: unknown) => ['string', 'number', 'boolean'].includes(typeof item);

function readNumber(raw: unknown, kind: 'int' | 'float'): Cell | null {
  const written = typeof raw === 'string' && /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(raw);
  if (typeof raw !== 'number' && !written) return null;
  const value = Number(raw);
  return Number.isFinite(value) && (kind === 'float' || Number.isSafeInteger(value)) ? { value } : null;
}

/** Of JavaScript: ms from the epoch, both ways. */
const timeMax = 8.64e15;

/** ISO 8601 with its zone, or ms since the epoch: a time without a zone would mean another one on another machine. */
function readTime(raw: unknown): Cell | null {
  if (typeof raw === 'number') return Number.isInteger(raw) && Math.abs(raw) <= timeMax ? { value: raw } : null;
  const [, day] = (typeof raw === 'string' && /^(\d{4}-\d\d-\d\d)T.*(?:Z|[+-]\d\d:?\d\d)$/.exec(raw)) || [];
  if (day === undefined) return null;
  const value = Date.parse(raw as string);
  if (Number.isNaN(value)) return null;
  // The 30th of February is taken for a day of March.
  const midnight = new Date(Date.parse(`${day}T00:00:00Z`));
  return midnight.toISOString().startsWith(day) ? { value } : null;
}

function readJson(raw: unknown): Cell | null {
  if (typeof raw !== 'string') return { value: raw };
  try {
    return { value: JSON.parse(raw) };
  } catch {
    return null;
  }
}
