/** Source `file-drop`: exports of hospital information systems, dropped into a folder. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import {
  type Checker,
  type DeadLetter,
  type DecodeResult,
  defineSource,
  duration,
  fieldName,
  messageOf,
  refusePersonalOrigin,
  type SourceEvent,
  size,
} from '../../runtime/stream/index.ts';
import { fileDropErrors } from './errors.ts';
import { redecodeRow } from './redecode.ts';
import {
  compileRowSchema,
  type RowFields,
  type RowSchema,
  refusedIn,
  rowSchemaFile,
  rowSchemaOption,
} from './row-schema.ts';
import { readRows } from './rows.ts';
import { type DropOptions, openDrop } from './source.ts';
import { checkContent, type TakeOptions, takeRow } from './take.ts';

const options = z.strictObject({
  folder: z.string().min(1).describe('the watched folder, relative to the topology file; made when it is missing'),
  format: z
    .enum(['csv', 'ndjson', 'json', 'xlsx'])
    .describe('csv with a header; ndjson: an object on each line; json: a list of objects; xlsx with a header'),
  schema: rowSchemaOption.describe('fields of a row: a map of name to type, or a YAML file with `fields:`'),
  time: fieldName()
    .optional()
    .describe('field that is the event time; without it the time when the file was last changed'),
  origin: fieldName()
    .optional()
    .describe(
      'field that says who reported, such as hospital; without it the file name without its numbers. Time goes on for each origin by itself, and for all with the slowest; all origins of a file are heard before its rows',
    ),
  match: z.string().min(1).default('*').describe('names of the files that are taken, with * and ?'),
  delimiter: z.string().length(1).default(',').describe('between the columns of a csv'),
  encoding: z
    .enum(['utf-8', 'utf-16le', 'windows-1258'])
    .default('utf-8')
    .describe('of texts without a byte order mark'),
  sheet: z.string().min(1).optional().describe('name of the sheet of an xlsx; the first one without it'),
  zone: z.string().min(1).default('Asia/Ho_Chi_Minh').describe('of times that are written without one'),
  processed: z.string().min(1).optional().describe('folder for files that were taken (default: processed, inside)'),
  failed: z
    .string()
    .min(1)
    .optional()
    .describe('folder for files that could not be read, with NAME.reason.txt (default: failed, inside)'),
  file_size: size().prefault('64MiB').describe('a larger file fails'),
  rows: z.number().int().min(1).max(10_000_000).default(1_000_000).describe('a file with more rows fails'),
  settle: duration().prefault('2s').describe('a file is taken once it has not changed for this long'),
  scan: duration().prefault('10s').describe('how often the folder is looked at even when no change was noticed'),
  ahead: duration().prefault('1h').describe('a row whose time is further in the future than this is refused'),
});

type Options = z.output<typeof options>;

function loadFields(schema: Options['schema'], check: Checker): RowFields | null {
  if (typeof schema !== 'string') return schema;
  try {
    const result = rowSchemaFile.safeParse(parseYaml(readFileSync(check.resolveFile(schema), 'utf8')));
    if (result.success) return result.data.fields;
    const reason = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
    check.problem('schema', fileDropErrors.make('MACH2202', { file: schema, reason }).message);
  } catch (error) {
    check.problem('schema', fileDropErrors.make('MACH2202', { file: schema, reason: messageOf(error) }).message);
  }
  return null;
}

function compile(given: Options, check: Checker): RowSchema {
  const nothing: RowSchema = { schema: { fields: {} }, hidesCells: false, columns: [] };
  const fields = loadFields(given.schema, check);
  if (!fields) return nothing;
  try {
    return compileRowSchema(fields, { zone: given.zone });
  } catch (error) {
    check.problem('schema', messageOf(error));
    return nothing;
  }
}

/** A field that must stand in every row. */
function requiredField(
  option: 'time' | 'origin',
  given: Options,
  check: Checker,
  rowSchema: RowSchema,
): string | undefined {
  if (given[option] === undefined || rowSchema.columns.length === 0) return given[option];
  const name = check.field(option, rowSchema.schema, option === 'time' ? 'timestamp' : 'string');
  if (rowSchema.schema.fields[name]?.nullable) {
    check.problem(option, `${name} is nullable, but every row must have its ${option}`);
  }
  if (option === 'origin') refusePersonalOrigin(name, rowSchema.schema, check);
  return name;
}

function dropOptions(given: Options, check: Checker, rowSchema: RowSchema): DropOptions {
  const folder = check.resolveFile(given.folder);
  return {
    folder,
    processed: given.processed === undefined ? join(folder, 'processed') : check.resolveFile(given.processed),
    failed: given.failed === undefined ? join(folder, 'failed') : check.resolveFile(given.failed),
    format: given.format,
    rowSchema,
    columns: rowSchema.columns,
    hidesCells: rowSchema.hidesCells,
    timeField: requiredField('time', given, check, rowSchema),
    originField: requiredField('origin', given, check, rowSchema),
    match: given.match,
    delimiter: given.delimiter,
    encoding: given.encoding,
    sheet: given.sheet,
    rowsMax: given.rows,
    bytesMax: given.file_size,
    settleMs: given.settle,
    scanMs: given.scan,
    aheadMs: given.ahead,
  };
}

/** What the content of a file would become. A file that fails as a whole becomes one dead letter. */
async function decode(bytes: Uint8Array, name: string, take: TakeOptions): Promise<DecodeResult> {
  const events: SourceEvent[] = [];
  const deadLetters: DeadLetter[] = [];
  const content = { name, bytes: Buffer.from(bytes), sha: '', modifiedMs: 0 };
  try {
    await checkContent(content, take);
    for await (const read of readRows(content.bytes, take)) {
      const row = takeRow(read, content, take, Number.POSITIVE_INFINITY);
      if (row.origin === null) deadLetters.push(row.dead);
      else events.push(row.event);
    }
  } catch (error) {
    const { code = 'MACH2206' } = error as { code?: string };
    deadLetters.push({ code, reason: messageOf(error), raw: content.bytes.subarray(0, 1024), place: { file: name } });
  }
  return { events, deadLetters };
}

export const fileDrop = defineSource({
  name: 'file-drop',
  status: 'stable',
  summary:
    'Takes CSV, NDJSON, JSON and XLSX files from a watched folder: each content once, bad rows to the dead letters, files moved when done.',
  options,
  durability: 'disk',
  examples: [
    {
      title: 'bed files of hospitals',
      options: {
        folder: 'beds',
        format: 'csv',
        schema: { hospital: 'string', reported_at: 'timestamp', beds: 'int' },
        time: 'reported_at',
        origin: 'hospital',
      },
    },
    {
      title: 'a weekly workbook',
      options: {
        folder: 'workbooks',
        format: 'xlsx',
        sheet: 'Giường bệnh',
        schema: {
          hospital: { type: 'string', column: 'Bệnh viện' },
          beds: { type: 'int', column: 'Số giường', unit: 'beds', minimum: 0 },
        },
      },
    },
  ],
  bind({ options: given, check }) {
    const rowSchema = compile(given, check);
    const drop = dropOptions(given, check, rowSchema);
    return {
      ports: { out: rowSchema.schema },
      decode: (content, name) => decode(content, name, drop),
      refused: (event) => refusedIn(rowSchema, event),
      redecode: (letter) => redecodeRow(letter, drop),
      open: (context) => openDrop(drop, context),
    };
  },
});

export { fileDropErrors };
