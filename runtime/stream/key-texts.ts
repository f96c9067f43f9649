/**
 * Keys of a state where all are texts of ASCII, as checkpoints keep them: one behind the other. To read a million texts takes as long as to read
 * all else of a checkpoint, and the collector of garbage moves each of them twice; most are not looked at again before the next checkpoint.
 */

import { hashOfPart } from './key-hash.ts';
import type { StateKey } from './operator-state.ts';
import type { StateColumns } from './state-columns.ts';

/** Fewer are read in no time. */
const packedMin = 16;
/** No text of the language is longer. */
const charactersMax = 2 ** 29 - 24;

const asciiMax = 0x7f;

export interface PackedKeys {
  readonly bytes: Uint8Array;
  /** Where each ends. */
  readonly ends: Uint32Array;
}

/** Undefined where they are few, or one is something else. */
export function packKeys(keys: readonly StateKey[]): PackedKeys | undefined {
  const ends = keys.length >= packedMin ? endsOf(keys) : undefined;
  if (!ends) return undefined;
  const bytes = new Uint8Array(ends.at(-1) as number);
  let filled = 0;
  for (const key of keys as readonly string[]) {
    // A loop takes less time than a call of the native writer for each, or than one text of them all.
    for (let at = 0; at < key.length; at++) {
      const code = key.charCodeAt(at);
      if (code > asciiMax) return undefined;
      bytes[filled++] = code;
    }
  }
  return { bytes, ends };
}

/** Undefined where one is no text. */
function endsOf(keys: readonly StateKey[]): Uint32Array | undefined {
  const ends = new Uint32Array(keys.length);
  let end = 0;
  for (let place = 0; place < keys.length; place++) {
    const key = keys[place];
    if (typeof key !== 'string') return undefined;
    end += key.length;
    if (end > charactersMax) return undefined;
    ends[place] = end;
  }
  return ends;
}

/** The same again, each read when it is wanted. */
export class KeyTexts {
  readonly count: number;
  private readonly text: string;
  private readonly ends: Uint32Array;

  constructor({ bytes, ends }: PackedKeys) {
    this.text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    this.ends = ends;
    this.count = ends.length;
  }

  at(place: number): string {
    return this.text.substring(this.startOf(place), this.ends[place]);
  }

  /** What `hashOf` gives for it. */
  hashAt(place: number): number {
    return hashOfPart(this.text, this.startOf(place), this.ends[place] as number);
  }

  all(): string[] {
    return Array.from(this.ends, (_, place) => this.at(place));
  }

  private startOf(place: number): number {
    return place === 0 ? 0 : (this.ends[place - 1] as number);
  }
}

const unread = new WeakMap<StateColumns, KeyTexts>();

/** Columns whose keys are read when somebody asks for them. */
export function withPackedKeys<Rest extends object>(packed: PackedKeys, rest: Rest): Rest & Pick<StateColumns, 'keys'> {
  const texts = new KeyTexts(packed);
  let keys: readonly StateKey[] | undefined;
  const columns = {
    ...rest,
    get keys() {
      keys ??= texts.all();
      return keys;
    },
  };
  unread.set(columns as StateColumns & Rest, texts);
  return columns;
}

/** Undefined where the keys have been read already. Copies of the columns have read them. */
export function unreadKeysOf(columns: StateColumns): KeyTexts | undefined {
  return unread.get(columns);
}
