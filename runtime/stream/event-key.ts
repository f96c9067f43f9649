/** The key of an event, from one field or several, as one text or number that state can be kept by. */
import type { StateKey } from './definition.ts';
import type { Event } from './schema.ts';

/** Begins every key that is not a plain text or number, so that none is taken for another. */
const mark = '\u0000';

function partOf(value: unknown): string {
  if (typeof value === 'string') return `s${value.length}:${value}`;
  if (typeof value === 'number') return `n${value};`;
  return `j${JSON.stringify(value ?? null)};`;
}

/** A text or a number is its own key; null is a key too. */
export function keyOfValue(value: unknown): StateKey {
  if (typeof value === 'string') return value.charCodeAt(0) === 0 ? mark + partOf(value) : value;
  return typeof value === 'number' ? value : mark + partOf(value);
}

/** Without fields all events have one key. */
export function eventKey(fields: readonly string[]): (event: Event) => StateKey {
  const [first] = fields;
  if (first === undefined) return () => '';
  if (fields.length === 1) return (event) => keyOfValue(event[first]);
  return (event) => {
    let key = mark;
    for (const field of fields) key += partOf(event[field]);
    return key;
  };
}
