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
/** Of a key: room for a few more characters costs less than to look how long each is. */
const lengthExpected = 16;
/** A length of one byte. */
const shortMax = 0xff;

export interface PackedKeys {
  readonly bytes: Uint8Array;
  /** Of each. */
  readonly lengths: Uint8Array | Uint32Array;
}

/** Undefined where they are few, or one is something else. */
export function packKeys(keys: readonly StateKey[]): PackedKeys | undefined {
  if (keys.length < packedMin) return undefined;
  const lengths = new Uint32Array(keys.length);
  let bytes: Uint8Array = new Uint8Array(keys.length * lengthExpected);
  let filled = 0;
  let longest = 0;
  for (let place = 0; place < keys.length; place++) {
    const key = keys[place];
    if (typeof key !== 'string') return undefined;
    const { length } = key;
    if (filled + length > charactersMax) return undefined;
    if (filled + length > bytes.length) bytes = larger(bytes, filled + length);
    // A loop takes less time than a call of the native writer for each, or than one text of them all.
    for (let at = 0; at < length; at++) {
      const code = key.charCodeAt(at);
      if (code > asciiMax) return undefined;
      bytes[filled++] = code;
    }
    lengths[place] = length;
    if (length > longest) longest = length;
  }
  return { bytes: bytes.slice(0, filled), lengths: longest <= shortMax ? new Uint8Array(lengths) : lengths };
}

function larger(bytes: Uint8Array, needed: number): Uint8Array {
  const room = new Uint8Array(Math.max(needed, bytes.length * 2));
  room.set(bytes);
  return room;
}

function endsOf(lengths: PackedKeys['lengths']): Uint32Array {
  const ends = new Uint32Array(lengths.length);
  let end = 0;
  for (let place = 0; place < lengths.length; place++) {
    end += lengths[place] as number;
    ends[place] = end;
  }
  return ends;
}

/** The same again, each read when it is wanted. */
export class KeyTexts {
  readonly count: number;
  private readonly text: string;
  /** Where each ends. */
  private readonly ends: Uint32Array;

  constructor({ bytes, lengths }: PackedKeys) {
    this.text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    this.ends = endsOf(lengths);
    this.count = lengths.length;
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
