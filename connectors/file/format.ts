/** Rows as lines of text. The writer of a row is made once for the fields of a sink. */
import { type FieldVisit, type RowsVisitor, rowsVisitor, type Schema } from '../../runtime/stream/index.ts';
import { type ByteBuffer, characterSet } from './byte-buffer.ts';

export interface LineOptions {
  readonly format: 'csv' | 'ndjson';
  readonly fields: readonly string[];
  readonly schema: Schema;
  /** csv: the first line names the fields. */
  readonly header: boolean;
}

/** Adds rows as UTF-8, one line each. Times are ISO 8601 in UTC. */
export interface LineWriter {
  /** What a file begins with. */
  begin(lines: ByteBuffer): void;
  readonly add: RowsVisitor<ByteBuffer>;
}

type Write = (value: unknown, line: ByteBuffer) => void;

export function lineWriter({ format, fields, schema, header }: LineOptions): LineWriter {
  const isTime = (field: string) => schema.fields[field]?.type.kind === 'timestamp';
  const isCsv = format === 'csv';
  const visits = fields.map((field, at): FieldVisit<ByteBuffer> => {
    const write = isCsv ? writeCell : writeJson;
    const visit = isTime(field) ? timeWriter(write, isCsv ? '' : '"') : write;
    const separator = at === 0 ? (isCsv ? '' : '{') : ',';
    return {
      field,
      visit: afterBytes(Buffer.from(isCsv ? separator : `${separator}${JSON.stringify(field)}:`), visit),
    };
  });
  const end = Buffer.from(isCsv ? '\r\n' : '}\n');
  visits.push({ field: fields.at(-1) as string, visit: (_, line) => line.addBytes(end) });
  return {
    add: rowsVisitor(visits),
    begin(lines) {
      if (!isCsv || !header) return;
      for (const [at, field] of fields.entries()) {
        if (at > 0) lines.addText(',');
        writeCell(field, lines);
      }
      lines.addBytes(end);
    },
  };
}

/** Writes a value with these bytes before it. */
function afterBytes(before: Uint8Array, write: Write): Write {
  const [byte] = before;
  if (byte === undefined) return write;
  if (before.length > 1)
    return (value, line) => {
      line.addBytes(before);
      write(value, line);
    };
  return (value, line) => {
    line.addByte(byte);
    write(value, line);
  };
}

/** As RFC 4180 has it; an absent value is an empty cell, and a text that is empty stands in quotes. */
function writeCell(value: unknown, line: ByteBuffer): void {
  if (typeof value === 'number') line.addNumber(value);
  else if (value !== null && value !== undefined) {
    const text = typeof value === 'string' ? value : typeof value === 'object' ? JSON.stringify(value) : String(value);
    if (text === '' || !line.addTextWithout(quoted, text)) line.addText(`"${text.replaceAll('"', '""')}"`);
  }
}

const quoted = characterSet(['"', ',', '\r', '\n']);

function writeJson(value: unknown, line: ByteBuffer): void {
  if (typeof value === 'number' && Number.isFinite(value)) line.addNumber(value);
  else if (typeof value === 'string') {
    const start = line.length;
    line.addByte(quote);
    if (line.addTextWithout(escaped, value)) line.addByte(quote);
    else {
      line.length = start;
      line.addText(JSON.stringify(value));
    }
  } else line.addText(JSON.stringify(value ?? null));
}

const quote = 0x22;
/** What JSON.stringify writes otherwise than it is. */
const escaped = characterSet(/["\\\u0000-\u001f\ud800-\udfff]/);

const secondMs = 1_000;
const secondDigits = 3;

/** Times as text; most are of the same second as the one before. What is no time is written by `otherwise`. */
function timeWriter(otherwise: Write, quotes: string): Write {
  let second = Number.NaN;
  let upToSecond: Uint8Array = Buffer.of();
  const end = Buffer.from(`Z${quotes}`);
  return (value, line) => {
    if (typeof value !== 'number') return otherwise(value, line);
    const time = Math.trunc(value);
    const whole = Math.floor(time / secondMs);
    if (whole !== second) {
      const date = new Date(time);
      if (Number.isNaN(date.getTime())) return otherwise(null, line);
      second = whole;
      // Without `123Z`.
      upToSecond = Buffer.from(quotes + date.toISOString().slice(0, -secondDigits - 1));
    }
    line.addBytes(upToSecond);
    line.addDigits(time - whole * secondMs, secondDigits);
    line.addBytes(end);
  };
}
