/** Rows as lines of text. */
import { type Event, fieldReader, mapping, type Schema } from '../../runtime/stream/index.ts';
import { TextBuffer } from './text-buffer.ts';

export type FileFormat = 'csv' | 'ndjson';

/** The rows of a file as UTF-8, from its first line to its last line feed. Times are ISO 8601 in UTC. */
export function linesOf(events: readonly Event[], { format, fields, schema }: LineOptions): Uint8Array {
  const text = new TextBuffer();
  const columns = fields.map((name) => {
    const read = fieldReader(name);
    if (schema.fields[name]?.type.kind !== 'timestamp') return { name, read };
    return { name, read: timeReader(read) };
  });
  if (format === 'ndjson') {
    const asShown = mapping(
      [],
      columns.map(({ name, read }) => ({ name, evaluate: read })),
    );
    for (const event of events) text.add(`${JSON.stringify(asShown(event))}\n`);
    return text.bytes;
  }
  text.add(`${fields.map(cellOf).join(',')}\r\n`);
  for (const event of events) text.add(`${columns.map(({ read }) => cellOf(read(event))).join(',')}\r\n`);
  return text.bytes;
}

export interface LineOptions {
  readonly format: FileFormat;
  readonly fields: readonly string[];
  readonly schema: Schema;
}

/** Times as text; most are of the same second as the one before. */
function timeReader(read: (event: Event) => unknown): (event: Event) => unknown {
  let second = Number.NaN;
  let upToSecond = '';
  return (event) => {
    const given = read(event);
    if (typeof given !== 'number') return given;
    const time = Math.trunc(given);
    const whole = Math.floor(time / 1_000);
    if (whole !== second) {
      const date = new Date(time);
      if (Number.isNaN(date.getTime())) return null;
      second = whole;
      // Without `.123Z`.
      upToSecond = date.toISOString().slice(0, -5);
    }
    return `${upToSecond}.${String(time - whole * 1_000).padStart(3, '0')}Z`;
  };
}

/** As RFC 4180 has it; an absent value is an empty cell, and a text that is empty stands in quotes. */
function cellOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
