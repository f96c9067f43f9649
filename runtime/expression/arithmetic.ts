/**
 * Code of arithmetic. A result is always a number that can be stored, or null: what is larger than a number holds
 * stays at the largest, a division by zero is null.
 */
import { limits } from '../limits.ts';
import type { Write } from '../stream/code.ts';
import { timestampMax } from '../zone.ts';
import { type Expression, loose, once } from './expression.ts';

export type Arithmetic = '+' | '-' | '*' | '/' | '%';

/** Whole numbers stay exact: beyond ±(2^53 - 1) they stop there. */
export function toInt(value: number): number | null {
  if (value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) return value === 0 ? 0 : value;
  if (value > 0) return Number.MAX_SAFE_INTEGER;
  return value < 0 ? Number.MIN_SAFE_INTEGER : null;
}

export function toFloat(value: number): number | null {
  if (value >= -Number.MAX_VALUE && value <= Number.MAX_VALUE) return value;
  if (value > 0) return Number.MAX_VALUE;
  return value < 0 ? -Number.MAX_VALUE : null;
}

/** Rounds a duration to whole ms. */
export function toWholeMs(value: number): number | null {
  return toInt(Math.round(value));
}

/** Timestamps stop at the ends of the calendar. */
export function toTimestamp(value: number): number | null {
  const whole = toWholeMs(value);
  return whole === null ? null : Math.max(-timestampMax, Math.min(timestampMax, whole));
}

type Round = (value: number) => number | null;

export function arithmetic(operator: Arithmetic, left: Expression, right: Expression, round: Round): Write {
  const isDivision = operator === '/' || operator === '%';
  return (code) => {
    const [a, first] = once(left, code);
    const [b, second] = once(right, code);
    const isFit = `typeof ${a} === 'number' && typeof ${b} === 'number'${isDivision ? ` && ${b} !== 0` : ''}`;
    return `(${first}, ${second}, ${isFit} ? ${code.given(round)}(${a} ${operator} ${b}) : null)`;
  };
}

export function negate(operand: Expression, round: Round): Write {
  return (code) => {
    const [value, assignment] = once(operand, code);
    return `(${assignment}, typeof ${value} === 'number' ? ${code.given(round)}(-${value}) : null)`;
  };
}

export function concatenate(left: Expression, right: Expression): Write {
  return (code) => `${code.given(together)}(${loose(left, code)}, ${loose(right, code)})`;
}

function together(a: unknown, b: unknown): string | null {
  if (typeof a !== 'string' || typeof b !== 'string') return null;
  return a.length + b.length <= limits.expressionTextLengthMax
    ? a + b
    : cut(a + b.slice(0, limits.expressionTextLengthMax));
}

/** Cuts a text at the bound, never in the middle of a character. */
export function cut(text: string, lengthMax: number = limits.expressionTextLengthMax): string {
  if (text.length <= lengthMax) return text;
  const last = text.charCodeAt(lengthMax - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? lengthMax - 1 : lengthMax);
}
