/** Finds the columns of a schema in a header. */
import { fileDropErrors } from './errors.ts';
import type { Column } from './row-schema.ts';

/** Edits between two words, given up beyond 3. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 3) return 4;
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}

function nearest(wanted: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.min(3, wanted.length >> 2)) + 1;
  for (const name of names) {
    const found = distance(wanted.toLowerCase(), name.toLowerCase());
    if (found < bestDistance) {
      best = name;
      bestDistance = found;
    }
  }
  return best;
}

function suggestDelimiter(names: readonly string[], delimiter: string | undefined): string {
  const [only] = names;
  if (delimiter === undefined || names.length !== 1 || only === undefined) return '';
  const other = [';', '\t', ',', '|'].find((mark) => mark !== delimiter && only.includes(mark));
  return other ? `: the header has no "${delimiter}" but ${JSON.stringify(other)} (option delimiter)` : '';
}

function suggest(column: string, names: readonly string[], delimiter: string | undefined): string {
  const marked = suggestDelimiter(names, delimiter);
  if (marked) return marked;
  const near = nearest(column, names);
  return near === undefined ? '' : `, did you mean "${near}"`;
}

/**
 * For each column of the schema its index in the header, or -1 for a nullable one that is not there. Throws MACH2205 for one
 * that is missing, MACH2206 for a name that is there twice.
 */
export function matchHeader(
  header: readonly string[],
  columns: readonly Column[],
  { format, delimiter, hidesCells = false }: { format: string; delimiter?: string; hidesCells?: boolean | undefined },
): number[] {
  const names = header.map((name) => name.trim().normalize('NFC'));
  const wanted = new Set(columns.map(({ column }) => column.normalize('NFC')));
  const twice = names.find((name, i) => wanted.has(name) && names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw fileDropErrors.make('MACH2206', { format, reason: `the column "${twice}" is there twice` });
  }
  return columns.map(({ column, nullable }) => {
    const index = names.indexOf(column.normalize('NFC'));
    if (index >= 0 || nullable) return index;
    // A file without a header begins with somebody's row.
    if (hidesCells && !names.some((name) => wanted.has(name))) {
      const suggestion = suggestDelimiter(names, delimiter);
      throw fileDropErrors.make('MACH2205', { column, suggestion, columns: `${names.length} other names` });
    }
    const unused = names.filter((name) => !wanted.has(name));
    const suggestion = suggest(column, unused, delimiter);
    const shown = names.slice(0, 50).join(', ');
    throw fileDropErrors.make('MACH2205', { column, suggestion, columns: shown });
  });
}
