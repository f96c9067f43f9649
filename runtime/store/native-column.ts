/**
 * Values of one field as a column of ClickHouse's Native format (https://clickhouse.com/docs/interfaces/formats/Native): only the
 * handful of types that `columnType` makes. Text goes as plain String; the store turns it into its dictionary type.
 */
import type { Field, FieldType } from '../stream/schema.ts';
import type { ByteWriter } from './byte-writer.ts';

export interface NativeColumn {
  /** Type as written in the block. */
  readonly type: string;
  /** Writes the values of the events; a value that does not fit is given to `refuse`, and a stand-in is written. */
  write(events: readonly Readonly<Record<string, unknown>>[], writer: ByteWriter, refuse: Refuse): void;
}

export type Refuse = (row: number, reason: string) => void;

/** DateTime64(3) holds the years 1900 to 2299. */
const timeMsMin = -2_208_988_800_000;
const timeMsMax = 10_413_791_999_999;

interface Kind {
  readonly type: string;
  /** Whether the value fits; what it should have been is `wanted`. */
  fits(value: unknown): boolean;
  readonly wanted: string;
  put(writer: ByteWriter, value: never): void;
  putEmpty(writer: ByteWriter): void;
}

const integer: Kind = {
  type: 'Int64',
  fits: Number.isSafeInteger,
  wanted: 'a whole number',
  put: (writer, value) => writer.int64(value),
  putEmpty: (writer) => writer.int64(0),
};

const json: Kind = {
  type: 'String',
  fits: (value) =>
    value !== undefined && typeof value !== 'function' && typeof value !== 'symbol' && typeof value !== 'bigint',
  wanted: 'a JSON value',
  put: (writer, value) => writer.text(JSON.stringify(value)),
  putEmpty: (writer) => writer.text(''),
};

const kinds: Readonly<Record<Exclude<FieldType['kind'], 'list'>, Kind>> = {
  string: {
    type: 'String',
    fits: (value) => typeof value === 'string',
    wanted: 'text',
    put: (writer, value) => writer.text(value),
    putEmpty: (writer) => writer.text(''),
  },
  bool: {
    type: 'Bool',
    fits: (value) => typeof value === 'boolean',
    wanted: 'true or false',
    put: (writer, value) => writer.uint8(value ? 1 : 0),
    putEmpty: (writer) => writer.uint8(0),
  },
  int: integer,
  duration: { ...integer, wanted: 'a whole number of ms' },
  float: {
    type: 'Float64',
    fits: (value) => typeof value === 'number' && Number.isFinite(value),
    wanted: 'a finite number',
    put: (writer, value) => writer.float64(value),
    putEmpty: (writer) => writer.float64(0),
  },
  timestamp: {
    type: "DateTime64(3, 'UTC')",
    fits: (value) => typeof value === 'number' && value >= timeMsMin && value <= timeMsMax,
    wanted: 'a time in ms since the epoch, of the years 1900 to 2299',
    put: (writer, value) => writer.int64(Math.floor(value)),
    putEmpty: (writer) => writer.int64(0),
  },
  record: json,
  json,
};

function describe(value: unknown): string {
  if (typeof value === 'string')
    return `the text ${JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value)}`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return value === undefined ? 'absent' : String(value);
}

/** Numbers that are not numbers count as absent where a value may be absent. */
function isAbsent(value: unknown, isFloat: boolean): boolean {
  return value === null || value === undefined || (isFloat && typeof value === 'number' && !Number.isFinite(value));
}

function plainColumn(name: string, kind: Kind): NativeColumn {
  return {
    type: kind.type,
    write(events, writer, refuse) {
      for (let row = 0; row < events.length; row++) {
        const value = events[row]?.[name];
        if (kind.fits(value)) {
          kind.put(writer, value as never);
          continue;
        }
        refuse(row, `field ${name} is ${describe(value)}, not ${kind.wanted}`);
        kind.putEmpty(writer);
      }
    },
  };
}

function nullableColumn(name: string, kind: Kind): NativeColumn {
  const isFloat = kind === kinds.float;
  return {
    type: `Nullable(${kind.type})`,
    write(events, writer, refuse) {
      for (const event of events) writer.uint8(isAbsent(event[name], isFloat) ? 1 : 0);
      for (let row = 0; row < events.length; row++) {
        const value = events[row]?.[name];
        if (!isAbsent(value, isFloat) && kind.fits(value)) {
          kind.put(writer, value as never);
          continue;
        }
        if (!isAbsent(value, isFloat)) refuse(row, `field ${name} is ${describe(value)}, not ${kind.wanted}`);
        kind.putEmpty(writer);
      }
    },
  };
}

/** Arrays, of arrays if need be: per level the running ends of the lists, then the values of all of them in one row. */
function listColumn(name: string, of: FieldType, nullable: boolean): NativeColumn {
  let depth = 1;
  let inner = of;
  for (; inner.kind === 'list'; inner = inner.of) depth++;
  const kind = kinds[inner.kind];
  return {
    type: `${'Array('.repeat(depth)}${kind.type}${')'.repeat(depth)}`,
    write(events, writer, refuse) {
      let level = events.map((event): unknown => event[name] ?? (nullable ? [] : event[name]));
      let rows = events.map((_event, row) => row);
      for (let d = 0; d < depth; d++) {
        const next: unknown[] = [];
        const nextRows: number[] = [];
        level.forEach((value, position) => {
          const row = rows[position] ?? 0;
          if (!Array.isArray(value)) refuse(row, `field ${name} holds ${describe(value)} where a list belongs`);
          else for (const element of value) nextRows[next.push(element) - 1] = row;
          writer.int64(next.length);
        });
        level = next;
        rows = nextRows;
      }
      level.forEach((value, position) => {
        if (kind.fits(value)) {
          kind.put(writer, value as never);
          return;
        }
        refuse(rows[position] ?? 0, `field ${name} holds ${describe(value)} in its list, not ${kind.wanted}`);
        kind.putEmpty(writer);
      });
    },
  };
}

export function nativeColumn(name: string, field: Field): NativeColumn {
  if (field.type.kind === 'list') return listColumn(name, field.type.of, field.nullable === true);
  const kind = kinds[field.type.kind];
  return field.nullable ? nullableColumn(name, kind) : plainColumn(name, kind);
}
