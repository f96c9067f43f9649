import { jsonProblem } from '../../runtime/stream/index.ts';
import { fileDropErrors } from './errors.ts';
import { fileDropLimits } from './limits.ts';
import type { Column } from './row-schema.ts';
import type { ReadOptions, ReadRow } from './rows.ts';

function rowOf(value: unknown, columns: readonly Column[], { line, raw }: { line: number; raw: string }): ReadRow {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { line, raw, problem: { code: 'MACH2210', reason: 'it is not a JSON object' } };
  }
  const record = value as Record<string, unknown>;
  return {
    line,
    raw,
    typed: true,
    cell(i) {
      const name = columns[i]?.column ?? '';
      return Object.hasOwn(record, name) ? record[name] : undefined;
    },
  };
}

/** One JSON object on each line. */
export function* readNdjson(text: string, { columns }: ReadOptions): Generator<ReadRow> {
  let start = 0;
  for (let line = 1; start < text.length; line++) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const raw = text.slice(start, end).replace(/\r$/, '');
    start = end + 1;
    if (raw.trim() === '') continue;
    if (raw.length > fileDropLimits.rowBytesMax) {
      const reason = `it has ${raw.length} characters, more than the ${fileDropLimits.rowBytesMax} allowed`;
      yield { line, raw, problem: { code: 'MACH2210', reason } };
      continue;
    }
    let value: unknown;
    try {
      value = JSON.parse(raw);
    } catch (error) {
      yield { line, raw, problem: { code: 'MACH2210', reason: `it is not JSON: ${jsonProblem(error)}` } };
      continue;
    }
    yield rowOf(value, columns, { line, raw });
  }
}

/** A list of JSON objects, or one object. */
export function* readJson(text: string, { columns }: ReadOptions): Generator<ReadRow> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw fileDropErrors.make('MACH2206', { format: 'json', reason: jsonProblem(error) });
  }
  if (typeof value !== 'object' || value === null) {
    throw fileDropErrors.make('MACH2206', { format: 'json', reason: 'it is neither a list of objects nor an object' });
  }
  for (const [index, row] of (Array.isArray(value) ? value : [value]).entries()) {
    yield rowOf(row, columns, { line: index + 1, raw: JSON.stringify(row) });
  }
}
