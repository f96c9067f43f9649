/** Rows as lines of text. */
import type { Event, Schema } from '../../runtime/stream/index.ts';

export type FileFormat = 'csv' | 'ndjson';

/** Text of the rows of a file, from its first line to its last line feed. Times are ISO 8601 in UTC. */
export function linesOf(events: readonly Event[], { format, fields, schema }: LineOptions): string {
  const isTime = fields.map((name) => schema.fields[name]?.type.kind === 'timestamp');
  const valueOf = (event: Event, at: number) => {
    const value = event[fields[at] as string] ?? null;
    return isTime[at] && typeof value === 'number' ? timeText(value) : value;
  };
  if (format === 'ndjson') {
    return events
      .map((event) => `${JSON.stringify(Object.fromEntries(fields.map((name, at) => [name, valueOf(event, at)])))}\n`)
      .join('');
  }
  const lines = events.map((event) => fields.map((_, at) => cellOf(valueOf(event, at))).join(','));
  return `${[fields.map(cellOf).join(','), ...lines].join('\r\n')}\r\n`;
}

export interface LineOptions {
  readonly format: FileFormat;
  readonly fields: readonly string[];
  readonly schema: Schema;
}

function timeText(time: number): string | null {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

/** As RFC 4180 has it; an absent value is an empty cell, and a text that is empty stands in quotes. */
function cellOf(value: unknown): string {
  if (value === null) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
