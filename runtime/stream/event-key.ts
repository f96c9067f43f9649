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

/** The values that made a key of so many fields: what `eventKey` gave, read back. Undefined when it is no such key. */
export function valuesOfKey(key: StateKey, fields: number): unknown[] | undefined {
  if (fields === 0) return [];
  const isPlain = typeof key === 'number' || key.charCodeAt(0) !== 0;
  if (isPlain) return fields === 1 ? [key] : undefined;
  const values: unknown[] = [];
  let rest = String(key).slice(mark.length);
  while (rest !== '') {
    const part = readPart(rest);
    if (!part) return undefined;
    values.push(part.value);
    rest = rest.slice(part.length);
  }
  return values.length === fields ? values : undefined;
}

function readPart(text: string): { value: unknown; length: number } | undefined {
  if (text[0] === 's') {
    const colon = text.indexOf(':');
    const end = colon + 1 + Number(text.slice(1, colon));
    return colon > 0 && end <= text.length ? { value: text.slice(colon + 1, end), length: end } : undefined;
  }
  for (let end = text.indexOf(';'); end > 0; end = text.indexOf(';', end + 1)) {
    const inside = text.slice(1, end);
    if (text[0] === 'n') return { value: Number(inside), length: end + 1 };
    try {
      // No JSON but a number is the beginning of a longer one, and numbers are not kept so.
      return { value: JSON.parse(inside) as unknown, length: end + 1 };
    } catch {
      // The semicolon stood inside of it.
    }
  }
  return undefined;
}
