/** From the schema of a stream to a ClickHouse table. */

import { limits } from '../limits.ts';
import { type Field, type FieldType, fieldNames } from '../stream/schema.ts';
import { storeErrors } from './errors.ts';
import { isName, quoteName, quoteText } from './sql.ts';
import type { TableSpec } from './store.ts';

export interface Column {
  readonly name: string;
  /** As written in the table's definition. */
  readonly type: string;
  readonly codec: string;
  readonly comment: string;
}

const originColumns: readonly Column[] = [
  { name: '_stage', type: 'LowCardinality(String)', codec: '', comment: 'stage that produced the row' },
  { name: '_partition', type: 'UInt16', codec: 'ZSTD(1)', comment: 'partition of the stage' },
  {
    name: '_sequence',
    type: 'UInt64',
    codec: 'Delta, ZSTD(1)',
    comment: 'log sequence of the input that caused the row',
  },
  { name: '_index', type: 'UInt32', codec: 'T64, ZSTD(1)', comment: 'position among the outputs of that input' },
];

const versionColumn: Column = {
  name: '_version',
  type: 'UInt64',
  codec: 'Delta, ZSTD(1)',
  comment: 'of rows with one sorting key the highest version stays',
};

/** Type of a value inside a column: of an array's elements, too. */
function valueType(type: FieldType): string {
  switch (type.kind) {
    case 'string':
    case 'record':
    case 'json':
      return 'String';
    case 'bool':
      return 'Bool';
    case 'int':
    case 'duration':
      return 'Int64';
    case 'float':
      return 'Float64';
    case 'timestamp':
      return "DateTime64(3, 'UTC')";
    case 'list':
      return `Array(${valueType(type.of)})`;
  }
}

/**
 * Type of a field's column. An absent list is an empty one: ClickHouse has no Nullable(Array).
 */
export function columnType(field: Field): string {
  const type = valueType(field.type);
  if (field.type.kind === 'list') return type;
  const nullable = field.nullable ? `Nullable(${type})` : type;
  const dictionary = field.type.kind === 'string' && (field.repeated || field.type.values !== undefined);
  return dictionary ? `LowCardinality(${nullable})` : nullable;
}

/** Timestamps and counters lie close to their neighbours, measurements seldom move far, text only compresses. */
function codecOf(field: Field): string {
  switch (field.type.kind) {
    case 'timestamp':
      return 'DoubleDelta, ZSTD(1)';
    case 'int':
    case 'duration':
      return 'T64, ZSTD(1)';
    case 'float':
      return 'Gorilla, ZSTD(1)';
    case 'string':
      return field.repeated || field.type.values ? '' : 'ZSTD(1)';
    case 'bool':
      return '';
    default:
      return 'ZSTD(1)';
  }
}

function commentOf(field: Field): string {
  const unit = field.unit === undefined ? '' : `[${field.unit}]`;
  return [field.description, unit].filter(Boolean).join(' ');
}

export function columnsOf(table: TableSpec): readonly Column[] {
  const columns = fieldNames(table.schema).map((name) => {
    const field = table.schema.fields[name] as Field;
    return { name, type: columnType(field), codec: codecOf(field), comment: commentOf(field) };
  });
  return [...columns, ...originColumns, ...(table.rows === 'latest' ? [versionColumn] : [])];
}

/** Throws MACH3104 when ClickHouse cannot have such a table. */
export function checkTable(table: TableSpec): void {
  const fail = (reason: string): never => {
    throw storeErrors.make('MACH3104', { table: table.name, reason });
  };
  const shape = 'a name is a letter or underscore, then letters, digits and underscores, 127 at most';
  if (!isName(table.name)) fail(`"${table.name}" is not a name of a table: ${shape}`);
  const reserved = new Set([...originColumns.map((column) => column.name), versionColumn.name]);
  for (const name of fieldNames(table.schema)) {
    if (!isName(name)) fail(`field "${name}" is not a name of a column: ${shape}`);
    if (reserved.has(name)) fail(`field "${name}" has the name of a column that every table has`);
  }
  if (fieldNames(table.schema).length === 0) fail('its schema has no fields');
  for (const name of table.orderBy) {
    const field = table.schema.fields[name];
    if (!field) fail(`sorting key "${name}" is not a field`);
    if (field && ['list', 'record', 'json'].includes(field.type.kind))
      fail(`sorting key "${name}" is a ${field.type.kind}`);
  }
  if (table.rows === 'latest' && table.orderBy.length === 0)
    fail('rows "latest" need a sorting key that says what replaces what');
  if (table.timeField === undefined) {
    if (table.keepMs !== undefined || table.partitionBy !== undefined) fail('keep and partition need a time field');
    return;
  }
  const time = table.schema.fields[table.timeField];
  if (time?.type.kind !== 'timestamp' || time.nullable)
    fail(`time field "${table.timeField}" is not a timestamp that is always there`);
  if (table.keepMs !== undefined && !(table.keepMs >= 1_000))
    fail(`rows cannot be kept for ${table.keepMs} ms: 1 s is the least`);
}

/** Dictionary types take and give the plain type's values. */
const plainType = (type: string) => type.replace(/LowCardinality\(((?:[^()]|\([^()]*\))*)\)/g, '$1');

/** Whether values of `wanted` can be written to a column of `actual`. */
export function takesType(actual: string, wanted: string): boolean {
  const [column, values] = [plainType(actual), plainType(wanted)];
  return column === values || column === `Nullable(${values})`;
}

export function columnDefinition(column: Column): string {
  const codec = column.codec === '' ? '' : ` CODEC(${column.codec})`;
  const comment = column.comment === '' ? '' : ` COMMENT ${quoteText(column.comment)}`;
  return `${quoteName(column.name)} ${column.type}${comment}${codec}`;
}

/** Seconds that rows are kept, whole. */
export function keepSeconds(table: TableSpec): number | undefined {
  return table.keepMs === undefined ? undefined : Math.ceil(table.keepMs / 1_000);
}

export function timeToLive(table: TableSpec): string {
  return `toDateTime(${quoteName(table.timeField ?? '')}) + toIntervalSecond(${keepSeconds(table)})`;
}

export function createTable(table: TableSpec): string {
  const time = quoteName(table.timeField ?? '');
  const partition = table.partitionBy === 'day' ? `toYYYYMMDD(${time})` : `toYYYYMM(${time})`;
  const nullableKey = table.orderBy.some((name) => table.schema.fields[name]?.nullable);
  const settings = [
    `non_replicated_deduplication_window = ${limits.insertDeduplicationWindow}`,
    // An insert that is answered has been synced, and a merge before the parts that it replaces go, for power cuts. Full disks: decision 0010.
    'fsync_after_insert = 1',
    'min_rows_to_fsync_after_merge = 1',
    'fsync_part_directory = 1',
    `replicated_deduplication_window = ${limits.insertDeduplicationWindow}`,
    ...(nullableKey ? ['allow_nullable_key = 1'] : []),
  ];
  return [
    `CREATE TABLE IF NOT EXISTS ${quoteName(table.name)} (`,
    columnsOf(table)
      .map((column) => `  ${columnDefinition(column)}`)
      .join(',\n'),
    `) ENGINE = ${table.rows === 'latest' ? 'ReplacingMergeTree(`_version`)' : 'MergeTree'}`,
    ...(table.partitionBy ? [`PARTITION BY ${partition}`] : []),
    `ORDER BY (${table.orderBy.map(quoteName).join(', ')})`,
    ...(table.keepMs === undefined ? [] : [`TTL ${timeToLive(table)}`]),
    `SETTINGS ${settings.join(', ')}`,
    ...(table.comment === undefined ? [] : [`COMMENT ${quoteText(table.comment)}`]),
  ].join('\n');
}
