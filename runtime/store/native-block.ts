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

type WriteOrigins = (writer: ByteWriter, origins: readonly RowOrigin[]) => void;

/** One loop for each column: a call for each value of each row is what most of it would cost. */
const originWriters: readonly (readonly [name: string, type: string, write: WriteOrigins])[] = [
  ['_stage', 'LowCardinality(String)', writeStages],
  [
    '_partition',
    'UInt16',
    (writer, origins) => {
      for (const { partition } of origins) writer.uint16(partition);
    },
  ],
  [
    '_sequence',
    'UInt64',
    (writer, origins) => {
      for (const { sequence } of origins) writer.int64(sequence);
    },
  ],
  [
    '_index',
    'UInt32',
    (writer, origins) => {
      for (const { index } of origins) writer.uint32(index);
    },
  ],
];

/**
 * Dictionary and indexes, as the store keeps them: rows of one insert are of one stage, as a rule. The words are those of the serialization
 * of LowCardinality: a version, then flags of a dictionary that comes with the block, the width of its indexes among them.
 */
function writeStages(writer: ByteWriter, origins: readonly RowOrigin[]): void {
  const sharedDictionaries = 1;
  const additionalKeys = 0x200;
  const indexWidths = { uint8: 0, uint16: 1, uint32: 2 } as const;
  const places = new Map<string, number>();
  const indexes = new Uint32Array(origins.length);
  let last = '';
  let place = 0;
  let row = 0;
  for (const { stage } of origins) {
    if (stage !== last || row === 0) {
      last = stage;
      // The first word of a dictionary is the type's default.
      place = stage === '' ? 0 : (places.get(stage) ?? places.size + 1);
      if (place > 0) places.set(stage, place);
    }
    indexes[row++] = place;
  }
  const width = places.size < 0xff ? 'uint8' : places.size < 0xffff ? 'uint16' : 'uint32';
  writer.int64(sharedDictionaries);
  // A column without rows has no more than its version.
  if (origins.length === 0) return;
  writer.int64(additionalKeys + indexWidths[width]);
  writer.int64(places.size + 1);
  writer.text('');
  for (const stage of places.keys()) writer.text(stage);
  writer.int64(indexes.length);
  for (const index of indexes) writer[width](index);
}

const writeVersions: WriteOrigins = (writer, origins) => {
  for (const { sequence, index } of origins) {
    const low = (sequence % sequencesPerWord) * 2 ** indexBits + index;
    const high = Math.floor(sequence / sequencesPerWord) + Math.floor(low / 2 ** 32);
    writer.words64(low >>> 0, high | 0);
  }
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
  const latest = table.rows === 'latest' ? ([['_version', 'UInt64', writeVersions]] as const) : [];
  for (const [name, type, write] of [...originWriters, ...latest]) {
    writer.text(name);
    writer.text(type);
    write(writer, origins);
  }
  const refused = list();
  if (refused.length > 0) throw new RefusedRowsError(table.name, refused);
  return writer.finish();
}
