/**
 * What a row takes on the log, told from the row alone: never from what stands beside it in a message, nor from how the message is encoded. So
 * whether a row is too large is the same in a replay, after a restart, and at any number of partitions.
 */
import { compile, isPlain } from './compiled-access.ts';
import type { EventColumns, WithColumns } from './event-columns.ts';
import { type Event, isText, type Schema } from './schema.ts';

/** Of a number or a bool, and of what stands before any value: no encoding of a column takes more. */
const valueBytes = 16;
/** As JSON, in UTF-8: a control character, and half a pair that stands alone, are written as `\u0000`. */
const characterBytesMax = 6;
/** What a number counts as among characters. */
const numberCharacters = 5;

/** Bytes that a row takes; a message that holds it alone has no more, but for its head. */
export function rowBytes({ fields }: Schema, event: Event): number {
  let bytes = 0;
  for (const [name, field] of Object.entries(fields)) {
    bytes += valueBytes;
    if (isText(field)) bytes += Buffer.byteLength(JSON.stringify(event[name] ?? null));
  }
  return bytes;
}

/** The places of rows that take more bytes than they may, with what they take; undefined where there are none. */
export type LargeRowFinder = (rows: WithColumns) => ReadonlyMap<number, number> | undefined;

export function largeRowFinder(schema: Schema, bytesMax: number): LargeRowFinder {
  const fields = Object.entries(schema.fields);
  const texts = fields.flatMap(([name, field]) => (isText(field) ? [name] : []));
  const longestTexts = longestReader(texts);
  return (rows) => {
    const { columns } = rows;
    const characters = columns ? longestInColumns(columns, texts) : longestTexts(charactersOf, rows.events);
    // Mostly nothing comes near it, and no row need be looked at by itself.
    if (fields.length * valueBytes + characters * characterBytesMax <= bytesMax) return undefined;
    const large = new Map<number, number>();
    for (const [at, event] of rows.events.entries()) {
      const bytes = rowBytes(schema, event);
      if (bytes > bytesMax) large.set(at, bytes);
    }
    return large.size > 0 ? large : undefined;
  };
}

/** At least what a value has as JSON, in characters that take `characterBytesMax` bytes each. */
export function charactersOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 1;
  if (typeof value !== 'object' || value === null) return numberCharacters;
  let characters = 1;
  if (Array.isArray(value)) for (const item of value) characters += charactersOf(item) + 1;
  else for (const [name, item] of Object.entries(value)) characters += name.length + 1 + charactersOf(item) + 1;
  return characters;
}

type Measure = (value: unknown) => number;

/** Of each field the longest value, together: no row has more. */
function longestReader(names: readonly string[]): (measure: Measure, events: readonly Event[]) => number {
  if (!names.every(isPlain)) {
    return (measure, events) =>
      names.reduce((sum, name) => sum + events.reduce((most, event) => Math.max(most, measure(event[name])), 0), 0);
  }
  const variables = names.map((_, at) => `most${at}`);
  return compile(
    ['measure', 'events'],
    `let length = 0; ${variables.map((most) => `let ${most} = 0;`).join(' ')}
    for (let at = 0; at < events.length; at++) {
      const event = events[at];
      ${names
        .map(
          (name, at) => `{
        const value = event.${name};
        length = typeof value === 'string' ? value.length + 1 : measure(value);
        if (length > most${at}) most${at} = length;
      }`,
        )
        .join(' ')}
    }
    return ${variables.join(' + ') || '0'};`,
  );
}

function longestInColumns(columns: EventColumns, names: readonly string[]): number {
  const { offset, length } = columns;
  let sum = 0;
  for (const column of columns.columnsOf(names)) sum += longestOf(column, offset, offset + length);
  return sum;
}

function longestOf(values: ArrayLike<unknown>, from: number, to: number): number {
  let most = 0;
  for (let at = from; at < to; at++) {
    const value = values[at];
    const length = typeof value === 'string' ? value.length + 1 : charactersOf(value);
    if (length > most) most = length;
  }
  return most;
}
