/** Functions of text. Lengths and places count characters (Unicode code points), as CEL has it. */
import { limits } from '../../limits.ts';
import type { Write } from '../../stream/code.ts';
import { cut } from '../arithmetic.ts';
import type { Expression } from '../expression.ts';
import { compilePattern, type PatternResult } from '../pattern.ts';
import { bool, int, string } from '../types.ts';
import { applyTo, type FunctionDefinition, isUncertain, plain } from './define.ts';

type CompiledPattern = Extract<PatternResult, { ok: true }>;

const surrogates = /[\ud800-\udfff]/;

function size(value: string | readonly unknown[]): number {
  if (typeof value !== 'string' || !surrogates.test(value)) return value.length;
  let count = 0;
  for (const _ of value) count++;
  return count;
}

function substring(text: string, start: number, end = Number.POSITIVE_INFINITY): string | null {
  if (!Number.isInteger(start) || start < 0 || end < start) return null;
  if (!surrogates.test(text)) return start > text.length ? null : text.slice(start, end);
  const characters = [...text];
  return start > characters.length ? null : characters.slice(start, end).join('');
}

function split(text: string, separator: string): readonly string[] {
  if (separator === '') return [...text];
  // The method of the language leaves JavaScript for each text, which takes longer than the search.
  const parts: string[] = [];
  let from = 0;
  for (let to = text.indexOf(separator); to >= 0; to = text.indexOf(separator, from)) {
    parts.push(text.slice(from, to));
    from = to + separator.length;
  }
  parts.push(text.slice(from));
  return parts;
}

/** The part that was found last: whoever wants the third part of a text mostly wants its fourth next. */
const lastPart = { text: '', separator: '', place: 0, to: 0 };

/** As `split` and then the item at the place, without the other parts; null where there is none. */
function partAt(text: string, separator: string, place: number): string | null {
  if (separator === '') return [...text][place] ?? null;
  if (!Number.isInteger(place) || place < 0) return null;
  const goesOn = text === lastPart.text && separator === lastPart.separator && place > lastPart.place;
  let at = goesOn ? lastPart.place + 1 : 0;
  let from = goesOn ? lastPart.to + separator.length : 0;
  let to = text.indexOf(separator, from);
  for (; at < place && to >= 0; at++) {
    from = to + separator.length;
    to = text.indexOf(separator, from);
  }
  if (at < place) return null;
  if (to < 0) return text.slice(from);
  lastPart.text = text;
  lastPart.separator = separator;
  lastPart.place = place;
  lastPart.to = to;
  return text.slice(from, to);
}

/** Replaces all; stops when the result has grown to the bound. */
function replace(text: string, from: string, to: string): string {
  if (from === '') return text;
  let result = '';
  let at = 0;
  for (let found = text.indexOf(from); found >= 0; found = text.indexOf(from, at)) {
    result += text.slice(at, found) + to;
    at = found + from.length;
    if (result.length > limits.expressionTextLengthMax) break;
  }
  return cut(result + text.slice(at));
}

/** A function of a text and of a pattern that is known before the first event. */
function ofPattern(
  name: 'matches' | 'extract',
  result: typeof bool,
  { mayBeAbsent, apply }: { mayBeAbsent: boolean; apply(compiled: CompiledPattern): (text: string) => unknown },
): FunctionDefinition {
  const bind: FunctionDefinition['bind'] = (args) => {
    const pattern = args[1]?.literal?.value;
    if (typeof pattern !== 'string')
      return { reason: 'the pattern must be a text in quotes, known before the first event', argument: 1 };
    const compiled = compilePattern(pattern);
    if (!compiled.ok) return { reason: compiled.reason, argument: 1, code: 'MACH1214' };
    const found = apply(compiled);
    const [text] = args as [Expression];
    const applied = applyTo((given) => found(given as string), ['string'], [text]);
    return { type: result, nullable: mayBeAbsent || isUncertain(text), ...applied };
  };
  return { name, signature: `${name}(text, "pattern")`, parameters: ['string', 'string'], bind };
}

const matches = ofPattern('matches', bool, { mayBeAbsent: false, apply: ({ test }) => test });
const extract = ofPattern('extract', string, { mayBeAbsent: true, apply: (compiled) => compiled.extract });

/** How often a part stands in a text, one behind the other. */
function occurrences(text: string, part: string): number | null {
  if (part === '') return null;
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) count++;
  return count;
}

/** Places count characters; -1 where the part does not stand. */
function indexOf(text: string, part: string, from = 0): number | null {
  if (!Number.isInteger(from) || from < 0 || from > size(text)) return null;
  if (!surrogates.test(text)) return text.indexOf(part, from);
  const found = text.indexOf(part, [...text].slice(0, from).join('').length);
  return found < 0 ? -1 : size(text.slice(0, found));
}

function lastIndexOf(text: string, part: string): number {
  const found = text.lastIndexOf(part);
  return found < 0 ? -1 : size(text.slice(0, found));
}

function join(list: readonly unknown[], separator = ''): string | null {
  return list.every((item) => typeof item === 'string') ? cut(list.join(separator)) : null;
}

const two = ['string', 'string'] as const;

const splitToList = plain({
  signature: 'split(text, separator)',
  parameters: two,
  result: { kind: 'list', of: string },
  apply: split,
});

const splitting: FunctionDefinition = {
  ...splitToList,
  bind(args) {
    const find = partAt as (...given: unknown[]) => unknown;
    const writeItem = (place: Expression) => applyTo(find, [...two, 'number'], [...args, place]).write as Write;
    return { ...splitToList.bind(args), writeItem };
  },
};

export const textFunctions: readonly FunctionDefinition[] = [
  plain({
    signature: 'startsWith(text, start)',
    parameters: two,
    result: bool,
    apply: (text: string, start: string) => text.startsWith(start),
  }),
  plain({
    signature: 'endsWith(text, end)',
    parameters: two,
    result: bool,
    apply: (text: string, end: string) => text.endsWith(end),
  }),
  plain({
    signature: 'contains(text, part)',
    parameters: two,
    result: bool,
    apply: (text: string, part: string) => text.includes(part),
  }),
  matches,
  extract,
  plain({ signature: 'occurrences(text, part)', parameters: two, result: int, nullable: true, apply: occurrences }),
  plain({
    signature: 'indexOf(text, part, from?)',
    parameters: ['string', 'string', 'number'],
    optional: 1,
    result: int,
    nullable: true,
    apply: indexOf,
  }),
  plain({ signature: 'lastIndexOf(text, part)', parameters: two, result: int, apply: lastIndexOf }),
  plain({
    signature: 'charAt(text, place)',
    parameters: ['string', 'number'],
    result: string,
    nullable: true,
    apply: (text: string, place: number) => substring(text, place, place + 1),
  }),
  plain({
    signature: 'join(list, separator?)',
    parameters: ['list', 'string'],
    optional: 1,
    result: string,
    nullable: true,
    apply: join,
  }),
  plain({
    signature: 'reverse(text)',
    parameters: ['string'],
    result: string,
    apply: (text: string) => [...text].reverse().join(''),
  }),
  plain({ signature: 'size(text or list)', parameters: ['text or list'], result: int, apply: size }),
  plain({
    signature: 'lowerAscii(text)',
    parameters: ['string'],
    result: string,
    apply: (text: string) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()),
  }),
  plain({
    signature: 'upperAscii(text)',
    parameters: ['string'],
    result: string,
    apply: (text: string) => text.replace(/[a-z]+/g, (letters) => letters.toUpperCase()),
  }),
  plain({
    signature: 'lower(text)',
    parameters: ['string'],
    result: string,
    apply: (text: string) => text.toLowerCase(),
  }),
  plain({
    signature: 'upper(text)',
    parameters: ['string'],
    result: string,
    apply: (text: string) => text.toUpperCase(),
  }),
  plain({ signature: 'trim(text)', parameters: ['string'], result: string, apply: (text: string) => text.trim() }),
  splitting,
  plain({
    signature: 'substring(text, start, end?)',
    parameters: ['string', 'number', 'number'],
    optional: 1,
    result: string,
    nullable: true,
    apply: substring,
  }),
  plain({
    signature: 'replace(text, from, to)',
    parameters: ['string', 'string', 'string'],
    result: string,
    apply: replace,
  }),
];
