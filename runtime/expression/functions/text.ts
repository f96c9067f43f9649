/** Functions of text. Lengths and places count characters (Unicode code points), as CEL has it. */
import { limits } from '../../limits.ts';
import { cut } from '../arithmetic.ts';
import { compilePattern } from '../pattern.ts';
import { bool, int, string } from '../types.ts';
import { applyTo, type FunctionDefinition, isUncertain, plain } from './define.ts';

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

const matches: FunctionDefinition = {
  name: 'matches',
  signature: 'matches(text, "pattern")',
  parameters: ['string', 'string'],
  bind(args) {
    const pattern = args[1]?.literal?.value;
    if (typeof pattern !== 'string')
      return { reason: 'the pattern must be a text in quotes, known before the first event', argument: 1 };
    const compiled = compilePattern(pattern);
    if (!compiled.ok) return { reason: compiled.reason, argument: 1, code: 'MACH1214' };
    const { test } = compiled;
    const evaluate = applyTo((text) => test(text as string), ['string'], args.slice(0, 1));
    return { type: bool, nullable: args.slice(0, 1).some(isUncertain), evaluate };
  },
};

const two = ['string', 'string'] as const;

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
  plain({
    signature: 'split(text, separator)',
    parameters: two,
    result: { kind: 'list', of: string },
    apply: (text: string, separator: string) => (separator === '' ? [...text] : text.split(separator)),
  }),
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
