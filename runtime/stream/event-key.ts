/** The key of an event, from one field or several, as one text or number that state can be kept by. */
import { fieldReader } from './compiled-access.ts';
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
  return keyOfSeveral(fields.map(fieldReader));
}

/** How many keys are remembered: a power of two. */
const recentKeys = 4_096;

/**
 * Events of a key mostly come near each other. To make its text, and then to compare it with one that is the same, takes longer than to look
 * for the text that the values gave last time.
 */
function keyOfSeveral(readers: readonly ((event: Event) => unknown)[]): (event: Event) => string {
  const count = readers.length;
  const keys: (string | undefined)[] = Array.from({ length: recentKeys });
  /** Of the keys, one after the other. */
  const values: unknown[] = Array.from({ length: recentKeys * count });
  const now: unknown[] = Array.from({ length: count });
  return (event) => {
    let hash = 0;
    for (let at = 0; at < count; at++) {
      const value = (readers[at] as (typeof readers)[number])(event);
      now[at] = value;
      hash = Math.imul(hash ^ roughHash(value), 0x9e3779b1);
    }
    const slot = (hash >>> 16) & (recentKeys - 1);
    const start = slot * count;
    let same = 0;
    while (same < count && values[start + same] === now[same]) same++;
    const known = keys[slot];
    if (same === count && known !== undefined) return known;
    let key = mark;
    for (let at = 0; at < count; at++) {
      key += partOf(now[at]);
      values[start + at] = now[at];
    }
    keys[slot] = key;
    return key;
  };
}

/** Of a text its length and its end, where most differ. */
function roughHash(value: unknown): number {
  if (typeof value === 'number') return value | 0;
  if (typeof value !== 'string') return 0;
  let hash = value.length;
  for (let at = Math.max(0, hash - 4); at < value.length; at++) hash = (hash << 7) ^ value.charCodeAt(at);
  return hash;
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
