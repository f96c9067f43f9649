/** One row that had been refused, read once more: with the header of the file that it stood in. */
import type { DecodeResult, KeptLetter } from '../../runtime/stream/index.ts';
import { fileDropErrors } from './errors.ts';
import { matchHeader } from './header.ts';
import { type ReadRow, readRows } from './rows.ts';
import { type Content, type TakeOptions, takeRow } from './take.ts';

/** Throws MACH2205 when a column that is needed now was not in the file, MACH2206 when the header was not kept. */
export async function redecodeRow(
  { raw, place, acceptedAt, now }: KeptLetter,
  { aheadMs, ...options }: TakeOptions & { readonly aheadMs: number },
): Promise<DecodeResult> {
  const content: Content = {
    name: String(place.file ?? ''),
    bytes: Buffer.from(raw),
    sha: '',
    // The time of the file itself is no longer known; the rows of it that were good have nearly the same.
    modifiedMs: acceptedAt,
  };
  for await (const row of rowsOf(content, place.header, options)) {
    const taken = takeRow({ ...row, line: Number(place.line ?? row.line) }, content, options, now + aheadMs);
    return taken.origin === null
      ? { events: [], deadLetters: [taken.dead] }
      : { events: [taken.event], deadLetters: [] };
  }
  return { events: [], deadLetters: [] };
}

function rowsOf(content: Content, header: unknown, options: TakeOptions): AsyncIterable<ReadRow> | Iterable<ReadRow> {
  const { format } = options;
  const text = content.bytes.toString();
  // What is kept of a row is text already, whatever the file was.
  if (format === 'json' || format === 'ndjson') return readRows(content.bytes, { ...options, encoding: 'utf-8' });
  if (typeof header !== 'string') {
    throw fileDropErrors.make('MACH2206', { format, reason: 'the header that the row stood under was not kept' });
  }
  if (format === 'csv') return readRows(Buffer.from(`${header}\n${text}`), { ...options, encoding: 'utf-8' });
  const cells = (JSON.parse(text) as unknown[]).map(dateOrSame);
  const at = matchHeader(JSON.parse(header) as string[], options.columns, { format });
  return [{ line: 1, raw: text, header, cell: (i) => cells[at[i] ?? -1] }];
}

/** A date cell, which became text when the row was kept. */
function dateOrSame(cell: unknown): unknown {
  const isDate = typeof cell === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(cell);
  return isDate ? new Date(cell) : cell;
}
