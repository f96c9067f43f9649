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
export function mapScalar(text: string, { start, end, style, value }: ScalarPlace): number[] {
  const map: number[] = [];
  let at = start;
  if (style === 'QUOTE_DOUBLE' || style === 'QUOTE_SINGLE') at++;
  if (style === 'BLOCK_LITERAL' || style === 'BLOCK_FOLDED') at = afterLine(text, start);
  for (let index = 0; index < value.length; index++) {
    const wanted = value[index] as string;
    if (style === 'QUOTE_DOUBLE') at = skipToEscape(text, skipEscapedBreaks(text, at, end), wanted);
    const escaped = style === 'QUOTE_DOUBLE' && text[at] === '\\';
    if (!escaped) at = seek(text, at, end, wanted);
    map.push(Math.min(at, end));
    if (escaped) {
      // Both halves of a pair that was written as one escape lie at that escape.
      const width = escapeLengths[text[at + 1] ?? ''] ?? 2;
      const pair = width === 10 && /[\ud800-\udbff]/.test(wanted);
      if (pair && ++index < value.length) map.push(at);
      at += width;
    } else if (style === 'QUOTE_SINGLE' && wanted === "'") at += 2;
    else at++;
  }
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

/** White space that folding took away may stand before an escape; what is written plainly is left to `seek`. */
function skipToEscape(text: string, from: number, wanted: string): number {
  let at = from;
  let sawBreak = false;
  while (/\s/.test(text[at] ?? '')) {
    if (text[at] === '\n') sawBreak = true;
    at++;
  }
  const isPlain = (wanted === ' ' && at > from) || (wanted === '\n' && sawBreak);
  return text[at] === '\\' && !isPlain ? at : from;
}

function skipEscapedBreaks(text: string, from: number, end: number): number {
  let at = from;
  while (at < end) {
    const match = /^\\\r?\n[ \t]*/.exec(text.slice(at, Math.min(end, at + 256)));
    if (!match) return at;
    at += match[0].length;
  }
  return at;
}

function afterLine(text: string, from: number): number {
  const found = text.indexOf('\n', from);
  return found === -1 ? text.length : found + 1;
}
