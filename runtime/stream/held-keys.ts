/**
 * The keys of events as state holds them while it runs. A key of several fields is a text that is dear to make, to hash and to keep, one for each
 * event; most are made of small whole numbers and of texts that come again and again. Such a key is held as one number, and is its text again
 * wherever it is written or looked up from outside.
 */
import { compile, fieldReader, isPlain } from './compiled-access.ts';
import type { EventColumns } from './event-columns.ts';
import { eventKey, keyOfValue, keyOfValues, valuesOfKey } from './event-key.ts';
import type { StateKey } from './operator-state.ts';
import type { Event } from './schema.ts';

export interface HeldKeys {
  /** Of an event. */
  of(event: Event): StateKey;
  /** Of each of many. */
  ofAll(events: EventColumns): StateKey[];
  /** What `eventKey` gives for the same event. */
  written(held: StateKey): StateKey;
  held(written: StateKey): StateKey;
  /** The values of the fields, in their order; null where one was absent. */
  values(held: StateKey): readonly unknown[];
}

/** Bits of a whole number that a double holds, but for its sign. */
const keyBits = 52;
/** With more there is too little room for each. */
const fieldsMax = 4;
/** Of each field so many texts have a number; further ones stay texts. */
const fieldTextsMax = 32_768;
const none = -1;

export function heldKeys(fields: readonly string[]): HeldKeys {
  const textOf = eventKey(fields);
  if (fields.length < 2 || fields.length > fieldsMax) {
    const same = (key: StateKey) => key;
    const ofAll = (events: EventColumns) => {
      if (fields.length === 0) return new Array<StateKey>(events.length).fill(textOf({}));
      return fields.length === 1 ? keysOfColumn(events, fields) : events.events.map(textOf);
    };
    return { of: textOf, ofAll, written: same, held: same, values: (key) => valuesOfText(key, fields) };
  }
  const space = 2 ** Math.floor(keyBits / fields.length);
  const parts = fields.map(() => new FieldParts(space));
  return {
    of: keyReader(fields, parts, { space, textOf }),
    ofAll: (events) => keysOfColumns(events, { fields, parts, space, textOf }),
    written: (held) => (typeof held === 'number' ? keyOfValues(valuesOfParts(held, parts, space)) : held),
    held(written) {
      const values = valuesOfKey(written, fields.length);
      if (!values) return written;
      let key = 0;
      for (const [at, value] of values.entries()) {
        const part = (parts[at] as FieldParts).partOf(value);
        if (part === none) return written;
        key = key * space + part;
      }
      return key;
    },
    values: (held) => (typeof held === 'number' ? valuesOfParts(held, parts, space) : valuesOfText(held, fields)),
  };
}

function keysOfColumn(events: EventColumns, fields: readonly string[]): StateKey[] {
  const [column] = events.columnsOf(fields) as [ArrayLike<unknown>];
  const { offset, length } = events;
  const keys = new Array<StateKey>(length);
  for (let row = 0; row < length; row++) keys[row] = keyOfValue(column[offset + row]);
  return keys;
}

function keysOfColumns(
  events: EventColumns,
  {
    fields,
    parts,
    space,
    textOf,
  }: Form & { readonly fields: readonly string[]; readonly parts: readonly FieldParts[] },
): StateKey[] {
  const columns = events.columnsOf(fields);
  const { offset, length } = events;
  const keys = new Array<StateKey>(length);
  for (let row = 0; row < length; row++) {
    let key = 0;
    for (let at = 0; at < columns.length && key !== none; at++) {
      const part = (parts[at] as FieldParts).partOf((columns[at] as ArrayLike<unknown>)[offset + row]);
      key = part === none ? none : key * space + part;
    }
    keys[row] = key === none ? textOf(events.pick([row], 1)[0] as Event) : key;
  }
  return keys;
}

function valuesOfText(key: StateKey, { length }: readonly string[]): readonly unknown[] {
  const values = valuesOfKey(key, length);
  if (!values) throw new Error(`invariant broken: a key that was not made of ${length} fields`);
  return values;
}

type Form = { readonly space: number; textOf(event: Event): StateKey };

/** Made for the names of the fields: a loop over them would look each up anew. */
function keyReader(fields: readonly string[], parts: readonly FieldParts[], form: Form): (event: Event) => StateKey {
  const readers = fields.map(fieldReader);
  const value = (name: string, at: number) => (isPlain(name) ? `event.${name}` : `readers[${at}](event)`);
  const steps = fields.map(
    (name, at) => `const part${at} = parts[${at}].partOf(${value(name, at)}); if (part${at} < 0) return textOf(event);`,
  );
  const key = fields.map((_, at) => `part${at}`).reduce((before, part) => `(${before}) * ${form.space} + ${part}`);
  const open = compile<(...given: unknown[]) => (event: Event) => StateKey>(
    ['parts', 'readers', 'textOf'],
    `return function heldKey(event) { ${steps.join(' ')} return ${key}; };`,
  );
  return open(parts, readers, form.textOf);
}

function valuesOfParts(held: number, parts: readonly FieldParts[], space: number): unknown[] {
  const values = new Array<unknown>(parts.length);
  let rest = held;
  for (let at = parts.length - 1; at >= 0; at--) {
    // The remainder of doubles is slow; what is divided by a power of two is exact.
    const above = Math.floor(rest / space);
    values[at] = (parts[at] as FieldParts).valueOf(rest - above * space);
    rest = above;
  }
  return values;
}

/** What one field may have in a key: a small whole number for itself, a text by the order in which texts came. */
class FieldParts {
  /** Numbers from here on are texts. */
  private readonly textsFrom: number;
  private readonly textsMax: number;
  private readonly places = new Map<string, number>();
  private readonly texts: string[] = [];
  private newest: string | undefined;
  private newestPart = none;

  constructor(space: number) {
    this.textsMax = Math.min(fieldTextsMax, space / 2);
    this.textsFrom = space - this.textsMax;
  }

  /** -1: there is none. */
  partOf(value: unknown): number {
    if (typeof value === 'number') {
      // -0 is 0.
      const whole = value | 0;
      return whole === value && whole >= 0 && whole < this.textsFrom ? whole : none;
    }
    if (typeof value !== 'string') return none;
    if (value !== this.newest) {
      this.newestPart = this.partOfText(value);
      this.newest = value;
    }
    return this.newestPart;
  }

  valueOf(part: number): number | string {
    return part < this.textsFrom ? part : (this.texts[part - this.textsFrom] as string);
  }

  private partOfText(text: string): number {
    const known = this.places.get(text);
    if (known !== undefined) return known;
    // What has none now never gets one: a key is always held in one form.
    if (this.texts.length >= this.textsMax) return none;
    const part = this.textsFrom + this.texts.length;
    this.texts.push(text);
    this.places.set(text, part);
    return part;
  }
}
