/** From paths in a topology, and offsets in its texts, to places in the file. */
import type { Scalar } from 'yaml';
import { pointerOf } from './ir/options-node.ts';
import type { Span } from './ir/span.ts';

export type Path = readonly (string | number)[];

/** Where the problem is: at the key of a path, or at its value (or at a part of its text). */
export interface PlaceOptions {
  readonly at?: 'key' | 'value';
  /** Part of the text of a scalar, in UTF-16 units of its value as written (references not yet filled in). */
  readonly part?: { readonly offset: number; readonly length: number };
}

export interface Places {
  readonly file: string;
  /** Of the path, or of the nearest parent that is in the file. */
  find(path: Path, options?: PlaceOptions): Span;
  has(path: Path): boolean;
}

export interface ScalarPlace {
  readonly start: number;
  readonly end: number;
  readonly style: Scalar.Type | undefined;
  readonly value: string;
}

interface Entry {
  key?: { start: number; end: number };
  value?: { start: number; end: number };
  scalar?: ScalarPlace;
}

/** Places of a topology that was not read from a file: everything is at 1:1. */
export function noPlaces(file: string): Places {
  return { file, find: () => ({ line: 1, column: 1, length: 1 }), has: () => false };
}

export class FilePlaces implements Places {
  readonly file: string;
  readonly #text: string;
  readonly #lineStarts: readonly number[];
  readonly #entries = new Map<string, Entry>();

  constructor(file: string, text: string) {
    this.file = file;
    this.#text = text;
    const starts = [0];
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
    this.#lineStarts = starts;
  }

  record(path: Path, entry: Entry): void {
    const pointer = pointerOf(path);
    this.#entries.set(pointer, { ...this.#entries.get(pointer), ...entry });
  }

  has(path: Path): boolean {
    return this.#entries.has(pointerOf(path));
  }

  find(path: Path, { at = 'value', part }: PlaceOptions = {}): Span {
    const entry = this.#entries.get(pointerOf(path));
    if (!entry) return path.length === 0 ? this.span(0, 1) : this.find(path.slice(0, -1), { at: 'key' });
    if (part && entry.scalar) return this.#partSpan(entry.scalar, part);
    // An empty value (`from:`) has no extent of its own: its key is the better place.
    const empty = !entry.value || entry.value.end <= entry.value.start;
    const range = (at === 'key' || empty ? entry.key : entry.value) ?? entry.value ?? entry.key;
    return range ? this.span(range.start, range.end) : this.span(0, 1);
  }

  /** Cut at the end of the line that it starts in. */
  span(start: number, end: number): Span {
    const line = this.#lineOf(start);
    const column = start - (this.#lineStarts[line - 1] ?? 0) + 1;
    const lineEnd = this.#text.indexOf('\n', start);
    const last = Math.min(end, lineEnd === -1 ? this.#text.length : lineEnd);
    const length = this.#text.slice(start, last).trimEnd().length;
    return { line, column, length: Math.max(1, length) };
  }

  /** By bisection, from 1. (The YAML library's own counter misses line breaks in texts that it could not read.) */
  #lineOf(offset: number): number {
    let low = 0;
    let high = this.#lineStarts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  }

  #partSpan(scalar: ScalarPlace, { offset, length }: { offset: number; length: number }): Span {
    const map = mapScalar(this.#text, scalar);
    const start = map[Math.max(0, Math.min(offset, map.length - 1))] ?? scalar.start;
    const lastIndex = Math.max(offset, Math.min(offset + length - 1, map.length - 2));
    const last = length > 0 ? (map[lastIndex] ?? start) : start;
    return this.span(start, Math.max(last, start) + 1);
  }
}

const escapeLengths: Readonly<Record<string, number>> = { x: 4, u: 6, U: 10 };

/**
 * For each UTF-16 unit of a scalar's value (and for its end), the offset in the file where it is written. Line folding, the
 * indentation of block scalars, doubled quotes and escapes are followed.
 */
export function mapScalar(text: string, scalar: ScalarPlace): number[] {
  const { start, end, style, value } = scalar;
  if (style === 'QUOTE_DOUBLE') return mapDoubleQuoted(text, scalar);
  const map: number[] = [];
  let at = start;
  if (style === 'QUOTE_SINGLE') at++;
  if (style === 'BLOCK_LITERAL' || style === 'BLOCK_FOLDED') at = afterLine(text, start);
  for (let index = 0; index < value.length; index++) {
    const wanted = value[index] as string;
    at = seek(text, at, end, wanted);
    map.push(Math.min(at, end));
    at += style === 'QUOTE_SINGLE' && wanted === "'" ? 2 : 1;
  }
  map.push(Math.min(at, end));
  return map;
}

/** Reads the text as YAML does (sections 7.3.1 and 6.5 of YAML 1.2.2), and notes where each unit of the value came from. */
function mapDoubleQuoted(text: string, { start, end, value }: ScalarPlace): number[] {
  const map: number[] = [];
  let at = start + 1;
  while (at < end - 1 && map.length < value.length) {
    const run = /^[ \t]*\r?\n\s*/.exec(text.slice(at, end - 1))?.[0];
    const escapedBreak = run === undefined ? /^\\\r?\n\s*/.exec(text.slice(at, end - 1))?.[0] : undefined;
    if (run !== undefined || escapedBreak !== undefined) {
      const breaks = (run ?? escapedBreak ?? '').split('\n').length - 1;
      // One line break is a space, further ones are themselves; an escaped one is nothing.
      const units = breaks > 1 ? breaks - 1 : run === undefined ? 0 : 1;
      for (let unit = 0; unit < units; unit++) map.push(at);
      at += (run ?? escapedBreak ?? '').length;
      continue;
    }
    const width = text[at] === '\\' ? (escapeLengths[text[at + 1] ?? ''] ?? 2) : 1;
    // Both halves of a pair that was written as one escape lie at that escape.
    const isPair = width === 10 && /[\ud800-\udbff]/.test(value[map.length] ?? '');
    map.push(at);
    if (isPair) map.push(at);
    at += width;
  }
  while (map.length < value.length) map.push(Math.min(at, end));
  map.push(Math.min(at, end));
  return map;
}

/** The next place where the character is written; white space that folding or indentation took away is passed over. */
function seek(text: string, from: number, end: number, wanted: string): number {
  let at = from;
  if (wanted === ' ' && text[at] !== ' ') return at;
  if (wanted === '\n') {
    const found = text.indexOf('\n', at);
    return found === -1 || found >= end ? at : found;
  }
  while (at < end && text[at] !== wanted && /\s/.test(text[at] as string)) at++;
  return at;
}

function afterLine(text: string, from: number): number {
  const found = text.indexOf('\n', from);
  return found === -1 ? text.length : found + 1;
}
