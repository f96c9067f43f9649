/**
 * Rows as one block of ClickHouse's Native format. One block becomes one part for each partition, which is what a deduplication token
 * counts by; and it costs the store a third of what the same rows cost as JSON.
 */
import { type Field, fieldNames } from '../stream/schema.ts';
import { ByteWriter } from './byte-writer.ts';
import { type RefusedRow, RefusedRowsError, storeErrors } from './errors.ts';
import { storeLimits } from './limits.ts';
import { nativeColumn } from './native-column.ts';
import type { RowOrigin, Rows, TableSpec } from './store.ts';

/** `_version` is `_sequence * 2^20 + _index`. */
const indexBits = 20;
const sequencesPerWord = 2 ** (32 - indexBits);

type WriteOrigin = (writer: ByteWriter, origin: RowOrigin) => void;

const originWriters: readonly (readonly [name: string, type: string, write: WriteOrigin])[] = [
  ['_stage', 'String', (writer, origin) => writer.text(origin.stage)],
  ['_partition', 'UInt16', (writer, origin) => writer.uint16(origin.partition)],
  ['_sequence', 'UInt64', (writer, origin) => writer.int64(origin.sequence)],
  ['_index', 'UInt32', (writer, origin) => writer.uint32(origin.index)],
];

const writeVersion: WriteOrigin = (writer, { sequence, index }) => {
  const low = (sequence % sequencesPerWord) * 2 ** indexBits + index;
  const high = Math.floor(sequence / sequencesPerWord) + Math.floor(low / 2 ** 32);
  writer.words64(low >>> 0, high | 0);
};

/** Rows at fault, the first reason of each, as many as one refusal lists. */
function refusals() {
  const reasons = new Map<number, string>();
  return {
    refuse(row: number, reason: string): void {
      if (!reasons.has(row) && reasons.size < storeLimits.refusedRowsMax) reasons.set(row, reason);
    },
    list: (): RefusedRow[] =>
      [...reasons].map(([index, reason]) => ({ index, reason })).sort((a, b) => a.index - b.index),
  };
}

/** Names of the columns, in the order of the block. */
export function blockColumns(table: TableSpec): string[] {
  const origins = originWriters.map(([name]) => name);
  return [...fieldNames(table.schema), ...origins, ...(table.rows === 'latest' ? ['_version'] : [])];
}

/** Throws `RefusedRowsError` (MACH3102) when rows do not fit the columns. */
export function nativeBlock(table: TableSpec, rows: Rows): Buffer {
  const { events, origins } = rows;
  if (events.length !== origins.length) {
    const reason = `${events.length} events came with ${origins.length} origins`;
    throw storeErrors.make('MACH3102', { table: table.name, reason });
  }
  const writer = new ByteWriter(events.length * (24 + 10 * fieldNames(table.schema).length));
  const { refuse, list } = refusals();
  writer.size(blockColumns(table).length);
  writer.size(events.length);
  for (const name of fieldNames(table.schema)) {
    const column = nativeColumn(name, table.schema.fields[name] as Field);
    writer.text(name);
    writer.text(column.type);
    column.write(events, writer, refuse);
  }
  const latest = table.rows === 'latest' ? ([['_version', 'UInt64', writeVersion]] as const) : [];
  for (const [name, type, write] of [...originWriters, ...latest]) {
    writer.text(name);
    writer.text(type);
    for (const origin of origins) write(writer, origin);
  }
  const refused = list();
  if (refused.length > 0) throw new RefusedRowsError(table.name, refused);
  return writer.finish();
}
