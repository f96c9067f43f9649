/** What the readers of all formats give: rows with their place, one by one. */
import { readCsv } from './csv.ts';
import { readJson, readNdjson } from './json.ts';
import type { Column } from './row-schema.ts';
import { decodeText, type Encoding } from './text.ts';
import { readXlsx } from './xlsx.ts';

export type Format = 'csv' | 'ndjson' | 'json' | 'xlsx';

/** A row that could be told apart from its neighbours. `cell(i)`: the cell of column i of the schema. */
export interface ReadRow {
  /** Line of the file where it starts, or its number in a JSON list. From 1. */
  readonly line: number;
  readonly raw: string;
  /** The names of the columns as they stand in the file, where they do: without them a row alone says nothing. */
  readonly header?: string;
  readonly cell?: (index: number) => unknown;
  /** The cells are values of JSON: a text among them is a text, and an empty one is not absent. */
  readonly typed?: true;
  /** What is wrong with the row as a whole; `cell` is absent then. */
  readonly problem?: { readonly code: 'MACH2210' | 'MACH2211'; readonly reason: string };
}

export interface ReadOptions {
  readonly format: Format;
  readonly columns: readonly Column[];
  readonly encoding: Encoding;
  readonly delimiter: string;
  readonly sheet?: string | undefined;
  /** See `RowSchema`. */
  readonly hidesCells?: boolean | undefined;
}

/**
 * Rows of a content, in order. Throws a coded error (MACH2205 to MACH2209) when the content cannot be read as a whole; a bad
 * row is given with its problem.
 */
export function readRows(content: Buffer, options: ReadOptions): AsyncIterable<ReadRow> | Iterable<ReadRow> {
  if (options.format === 'xlsx') return readXlsx(content, options);
  const text = decodeText(content, options.encoding);
  if (options.format === 'csv') return readCsv(text, options);
  return options.format === 'json' ? readJson(text, options) : readNdjson(text, options);
}
