import { Readable } from 'node:stream';
import { MachError, messageOf } from '../../runtime/stream/index.ts';
import { fileDropErrors } from './errors.ts';
import { matchHeader } from './header.ts';
import { fileDropLimits } from './limits.ts';
import type { ReadOptions, ReadRow } from './rows.ts';
import { checkZip } from './zip.ts';

/** The value that a person sees in a cell. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  const cell = value as { richText?: { text: string }[]; result?: unknown; error?: string; text?: unknown };
  if (cell.richText) return cell.richText.map(({ text }) => text).join('');
  if (cell.error !== undefined) return cell.error;
  if ('result' in cell) return plain(cell.result);
  if ('text' in cell) return plain(cell.text);
  return 'formula' in cell || 'sharedFormula' in cell ? undefined : value;
}

const textOf = (value: unknown) => (typeof value === 'string' ? value.normalize('NFC') : value);

interface SheetRow {
  readonly number: number;
  readonly values: unknown;
}

async function* rowsOf(sheet: AsyncIterable<SheetRow>, { columns, hidesCells }: ReadOptions): AsyncGenerator<ReadRow> {
  let indexes: number[] | undefined;
  let header = '';
  for await (const { number, values } of sheet) {
    // The first place of exceljs' list is not used: columns count from 1.
    const cells = Array.from((values as unknown[]).slice(1, fileDropLimits.columnsMax + 1), (cell) =>
      textOf(plain(cell)),
    );
    if (cells.every((cell) => cell === undefined || cell === null || cell === '')) continue;
    if (!indexes) {
      const names = cells.map((cell) => String(cell ?? ''));
      indexes = matchHeader(names, columns, { format: 'xlsx', hidesCells });
      header = JSON.stringify(names);
      continue;
    }
    const at = indexes;
    yield { line: number, raw: JSON.stringify(cells), header, cell: (i) => cells[at[i] ?? -1] };
  }
  if (!indexes)
    throw fileDropErrors.make('MACH2206', { format: 'xlsx', reason: 'the sheet is empty: there is no header' });
}

/** Rows of the first sheet of a workbook, or of the one that is named. Dates are local time. */
export async function* readXlsx(content: Buffer, options: ReadOptions): AsyncGenerator<ReadRow> {
  await checkZip(content, { bytesMax: fileDropLimits.workbookBytesMax, partsMax: fileDropLimits.workbookPartsMax });
  const { default: exceljs } = await import('exceljs');
  const names: string[] = [];
  try {
    const reader = new exceljs.stream.xlsx.WorkbookReader(Readable.from([content]), {
      worksheets: 'emit',
      sharedStrings: 'cache',
      styles: 'cache',
      hyperlinks: 'ignore',
      entries: 'ignore',
    });
    for await (const sheet of reader) {
      const name = (sheet as unknown as { name?: string }).name ?? '';
      names.push(name);
      if (options.sheet !== undefined && name.normalize('NFC') !== options.sheet.normalize('NFC')) continue;
      yield* rowsOf(sheet as unknown as AsyncIterable<SheetRow>, options);
      return;
    }
  } catch (error) {
    if (error instanceof MachError) throw error;
    throw fileDropErrors.make('MACH2206', { format: 'xlsx', reason: messageOf(error) }, error);
  }
  throw fileDropErrors.make('MACH2209', { sheet: options.sheet ?? '', sheets: names.join(', ') });
}
