import { defineErrors } from '../../runtime/stream/index.ts';

export const fileDropErrors = defineErrors({
  MACH2201: {
    message: 'the folder {folder} cannot be used: {reason}',
    help: 'The watched folder, and its processed and failed folders, must exist or be creatable, be readable and writable by the engine, and lie on one file system (files are moved by renaming). Check the path, relative to the topology file, and the permissions; move away a file that is in the place of a folder.',
  },
  MACH2202: {
    message: 'the row schema {file} is not usable: {reason}',
    help: 'A row schema maps names of fields to types: `hospital: string`, or `{ type: int, unit: beds, nullable: true }`. As a file it is YAML with `fields:` at the top. Types: string, bool, int, float, timestamp, duration, json.',
  },
  MACH2203: {
    message: 'the file has {bytes} bytes, more than the {bytes_max} allowed (option file_size)',
    help: 'The file stays in the failed folder. Split it, or raise `file_size` if such files are expected; the bound keeps one wrong file from filling the memory.',
  },
  MACH2204: {
    message: 'the file has more than {rows_max} rows (option rows)',
    help: 'No row of it was taken; the file goes to the failed folder. Split the file, or raise `rows`.',
  },
  MACH2205: {
    message: 'the header has no column "{column}"{suggestion}; it has: {columns}',
    help: 'Every field of the schema that is not nullable needs its column in the first line. Compare the header with the schema: spelling, delimiter (option `delimiter`), encoding (option `encoding`). A field can be read from a column of another name: `{ type: int, column: "Số giường" }`.',
  },
  MACH2206: {
    message: 'the content is not {format}: {reason}',
    help: 'The file could not be read as a whole, so no row of it was taken. Repair it and drop it again; it counts as new, because its content differs.',
  },
  MACH2207: {
    message: 'the text is not valid {encoding}, near byte {byte}',
    help: 'Exports of older systems are often in Windows-1258: set `encoding: windows-1258`. A zero byte near the beginning is UTF-16 without a byte order mark: `encoding: utf-16le`.',
  },
  MACH2208: {
    message: 'the workbook is refused: {reason}',
    help: 'An XLSX file is a zip. It is refused when it unpacks to more than the bound, when its parts overlap or lie about their sizes, or when it has too many parts: such a file is damaged or made to harm. Save it again from the spreadsheet program, or as CSV.',
  },
  MACH2209: {
    message: 'the workbook has no sheet "{sheet}"; it has: {sheets}',
    help: 'Option `sheet` names the sheet to read; the first one is read without it.',
  },
  MACH2210: {
    message: 'row refused: {reason}',
    help: 'The row became a dead letter with its line, its column and its text; the other rows of the file were kept. Correct the row and drop it in a new file, or send the dead letter again after the schema is corrected.',
  },
  MACH2211: {
    message: 'the row has {found} columns where the header has {expected}',
    help: 'A delimiter inside a text that is not quoted, or a line that was cut. Quote texts that hold the delimiter or a line break.',
  },
  MACH2213: {
    message: 'the file {file} cannot be taken now: {reason}',
    help: 'Its rows could not be stored, or it could not be read or moved. It stays where it is and is tried again; rows that were stored are not stored twice.',
  },
  MACH2212: {
    message: 'the ledger {file} cannot be read at line {line}: {reason}',
    help: 'The ledger in the processed folder remembers which contents were taken. A last line that was cut by a crash is repaired; anything else means that someone edited it. Restore it from a backup, or move it away: then a content that was dropped before counts as new when dropped again.',
  },
});
