/**
 * CSV as spreadsheets write it (RFC 4180, any one-character delimiter, CRLF or LF).
 *
 * Own code, because of what comes after a broken row: csv-parse takes everything up to the end of the file for part of a text
 * whose quotation mark is never closed. Here the row is refused and reading goes on in the line after its first.
 */
import { fileDropErrors } from './errors.ts';
import { matchHeader } from './header.ts';
import { fileDropLimits } from './limits.ts';
import type { ReadOptions, ReadRow } from './rows.ts';

interface Record {
  readonly cells: string[];
  /** Where the next record starts. */
  readonly next: number;
  /** Line breaks inside it, and the one that ends it. */
  readonly lines: number;
  readonly problem?: string;
}

const quote = 34;
const carriageReturn = 13;
const lineFeed = 10;

function endOfLine(text: string, from: number): number {
  const at = text.indexOf('\n', from);
  return at < 0 ? text.length : at;
}

/** Not by `indexOf`: in a file without delimiters that would look through all of it for every row. */
function endOfField(text: string, from: number, delimiter: number): number {
  let at = from;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === delimiter) return at;
    if (code === lineFeed) return at > from && text.charCodeAt(at - 1) === carriageReturn ? at - 1 : at;
  }
  return at > from && text.charCodeAt(at - 1) === carriageReturn ? at - 1 : at;
}

function countLines(text: string, from: number, to: number): number {
  let lines = 0;
  for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}

/** The text of a quoted field that starts at `from`, and where it ends; a problem when it never ends, or ends in a word. */
function readQuoted(
  text: string,
  from: number,
  delimiter: string,
): { cell: string; end: number } | { problem: string } {
  let cell = '';
  let start = from + 1;
  for (;;) {
    const close = text.indexOf('"', start);
    if (close < 0) return { problem: 'a quotation mark is not closed' };
    if (close - from > fileDropLimits.rowBytesMax) {
      return {
        problem: `a text has more than ${fileDropLimits.rowBytesMax} characters: a quotation mark that is not closed?`,
      };
    }
    cell += text.slice(start, close);
    const after = text.charCodeAt(close + 1);
    if (after === quote) {
      cell += '"';
      start = close + 2;
      continue;
    }
    const ends = Number.isNaN(after) || after === lineFeed || after === carriageReturn || text[close + 1] === delimiter;
    if (ends) return { cell, end: close + 1 };
    return {
      problem: `after a closing quotation mark stands ${JSON.stringify(text[close + 1])} instead of the delimiter`,
    };
  }
}

function readRecord(text: string, from: number, delimiter: string): Record {
  const cells: string[] = [];
  let at = from;
  const broken = (problem: string): Record => {
    // Whatever was quoted further on belongs to other rows.
    return { cells, next: endOfLine(text, from) + 1, lines: 1, problem };
  };
  for (;;) {
    if (cells.length >= fileDropLimits.columnsMax)
      return broken(`it has more than ${fileDropLimits.columnsMax} columns`);
    if (text.charCodeAt(at) === quote) {
      const read = readQuoted(text, at, delimiter);
      if ('problem' in read) return broken(read.problem);
      cells.push(read.cell);
      at = read.end;
    } else {
      const end = endOfField(text, at, delimiter.charCodeAt(0));
      cells.push(text.slice(at, end));
      at = end;
    }
    if (text[at] === delimiter) {
      at++;
      continue;
    }
    if (text.charCodeAt(at) === carriageReturn) at++;
    return { cells, next: at + 1, lines: countLines(text, from, at) + 1 };
  }
}

const isBlank = ({ cells }: Record) => cells.every((cell) => cell === '');

/** Rows of a CSV text whose first line is the header. Throws MACH2205 or MACH2206. */
export function* readCsv(text: string, { columns, delimiter, hidesCells }: ReadOptions): Generator<ReadRow> {
  let indexes: number[] | undefined;
  let header = '';
  let width = 0;
  let line = 1;
  for (let at = 0; at < text.length; ) {
    const record = readRecord(text, at, delimiter);
    const place = { line, raw: text.slice(at, record.next).replace(/\r?\n$/, ''), header };
    at = record.next;
    line += record.lines;
    if (record.problem === undefined && isBlank(record)) continue;
    if (!indexes) {
      const { problem } = record;
      if (problem) throw fileDropErrors.make('MACH2206', { format: 'csv', reason: `in the header ${problem}` });
      // Otherwise all of the file would be its header, and a file without rows is a good one.
      if (record.cells.some((cell) => /\r(?!\n)/.test(cell))) {
        throw fileDropErrors.make('MACH2206', { format: 'csv', reason: 'its lines end with CR alone, not LF or CRLF' });
      }
      indexes = matchHeader(record.cells, columns, { format: 'csv', delimiter, hidesCells });
      width = record.cells.length;
      header = place.raw;
    } else if (record.problem !== undefined) {
      yield { ...place, problem: { code: 'MACH2210', reason: record.problem } };
    } else if (record.cells.length !== width) {
      const reason = fileDropErrors.make('MACH2211', { found: record.cells.length, expected: width }).message;
      yield { ...place, problem: { code: 'MACH2211', reason } };
    } else {
      const present = indexes;
      yield { ...place, cell: (i) => record.cells[present[i] ?? -1] };
    }
  }
  if (!indexes) throw fileDropErrors.make('MACH2206', { format: 'csv', reason: 'it is empty: there is no header' });
}
