/** Rows as every sink writes them in JSON. */
import type { Event, Schema } from './schema.ts';

/** A row for `JSON.stringify`: times are ISO 8601 in UTC, as people and other programs read them; everything else is as it is. */
export function jsonRow(schema: Schema): (event: Event) => Event {
  const names = Object.keys(schema.fields);
  const times = names.filter((name) => schema.fields[name]?.type.kind === 'timestamp');
  if (times.length === 0) return (event) => event;
  return (event) => {
    const row = { ...event };
    for (const name of times) if (name in row) row[name] = isoTime(row[name]);
    return row;
  };
}

function isoTime(value: unknown): unknown {
  if (typeof value !== 'number') return value;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
