/** The key of an event, from one field or several, as one text or number that state can be kept by. */
import { fieldReader } from './compiled-access.ts';
import { PieceHash } from './hash.ts';
import { hashOf, recallHash } from './key-hash.ts';
import type { StateKey } from './operator-state.ts';
import type { Event } from './schema.ts';

/** Begins every key that is not a plain text or number, so that none is taken for another. */
const mark = '\u0000';

function partOf(value: unknown): string {
  if (typeof value === 'string') return `s${value.length}:${value}`;
  if (typeof value === 'number') return `n${value};`;
  return `j${JSON.stringify(value ?? null)};`;
}

/** A text or a number is its own key; null is a key too. -0 is 0, as it is in a checkpoint. */
export function keyOfValue(value: unknown): StateKey {
  if (typeof value === 'string') return value.charCodeAt(0) === 0 ? mark + partOf(value) : value;
  return typeof value === 'number' ? value + 0 : mark + partOf(value);
}

/** The same of several values. */
export function keyOfValues(values: readonly unknown[]): string {
  let key = mark;
  for (const value of values) key += partOf(value);
  return key;
}

/** The first half of `hashText` for the text of a key, which is not made: whatever is spread by keys needs it of every event. */
export function hashOfKey(values: readonly unknown[]): number {
  const [only] = values;
  if (values.length === 1 && typeof only === 'number') pieces.number(only);
  else if (values.length === 1 && typeof only === 'string' && only.charCodeAt(0) !== 0) pieces.text(only);
  else {
    if (values.length > 0) pieces.text(mark);
    for (const value of values) addPart(value);
  }
  return pieces.take();
}

const pieces = new PieceHash();

/** As `partOf` writes it. */
function addPart(value: unknown): void {
  if (typeof value === 'string') {
    pieces.text('s');
    pieces.number(value.length);
    pieces.text(':');
    pieces.text(value);
  } else if (typeof value === 'number') {
    pieces.text('n');
    pieces.number(value);
    pieces.text(';');
  } else pieces.text(partOf(value));
}

/** Without fields all events have one key. */
export function eventKey(fields: readonly string[]): (event: Event) => StateKey {
  const readers = fields.map(fieldReader);
  const [only] = readers;
  if (!only) return () => '';
  return readers.length === 1 ? (event) => keyOfValue(only(event)) : recentKeys(readers);
}

/** Keys of several fields that are kept at hand, a power of two. */
const recentKeysMax = 4_096;

type Read = (event: Event) => unknown;

/** Of several fields. Keys come again and again, and their texts are dear to make and to hash: one that was made lately is given again with its hash. */
function recentKeys(readers: readonly Read[]): (event: Event) => StateKey {
  const count = readers.length;
  const keys = new Array<string>(recentKeysMax).fill('');
  const hashes = new Int32Array(recentKeysMax);
  /** Of each key the values that it was made of. */
  const kept = new Array<unknown>(recentKeysMax * count).fill(undefined);
  const values = new Array<unknown>(count).fill(undefined);
  return (event) => {
    let mixed = 0;
    for (let at = 0; at < count; at++) {
      const value = (readers[at] as Read)(event);
      values[at] = value;
      mixed = Math.imul(mixed ^ traitOf(value), 0x9e3779b1);
    }
    const place = (mixed >>> 16) & (recentKeysMax - 1);
    const first = place * count;
    let isKept = true;
    for (let at = 0; at < count; at++) isKept &&= kept[first + at] === values[at];
    if (isKept) {
      recallHash(keys[place] as string, hashes[place] as number);
      return keys[place] as string;
    }
    for (let at = 0; at < count; at++) kept[first + at] = values[at];
    const key = keyOfValues(values);
    keys[place] = key;
    hashes[place] = hashOf(key);
    return key;
  };
}

/** Tells many values from each other, and costs little: of a text its length and its end, where most differ. */
function traitOf(value: unknown): number {
  if (typeof value === 'number') return value | 0;
  if (typeof value !== 'string') return 0;
  let trait = value.length;
  for (let at = Math.max(0, value.length - 4); at < value.length; at++) trait = (trait << 7) ^ value.charCodeAt(at);
  return trait;
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
