/**
 * Closures for arithmetic. A result is always a number that can be stored, or null: what is larger than a number holds
 * stays at the largest, a division by zero is null.
 */
import { limits } from '../limits.ts';
import { timestampMax } from '../zone.ts';
import type { Evaluate } from './expression.ts';

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

export function arithmetic(
  operator: Arithmetic,
  left: Evaluate,
  right: Evaluate,
  toResult: (value: number) => number | null,
): Evaluate {
  const of: Record<Arithmetic, Evaluate> = {
    '+': (event) => {
      const a = left(event);
      const b = right(event);
      return typeof a === 'number' && typeof b === 'number' ? toResult(a + b) : null;
    },
    '-': (event) => {
      const a = left(event);
      const b = right(event);
      return typeof a === 'number' && typeof b === 'number' ? toResult(a - b) : null;
    },
    '*': (event) => {
      const a = left(event);
      const b = right(event);
      return typeof a === 'number' && typeof b === 'number' ? toResult(a * b) : null;
    },
    '/': (event) => {
      const a = left(event);
      const b = right(event);
      return typeof a === 'number' && typeof b === 'number' && b !== 0 ? toResult(a / b) : null;
    },
    '%': (event) => {
      const a = left(event);
      const b = right(event);
      return typeof a === 'number' && typeof b === 'number' && b !== 0 ? toResult(a % b) : null;
    },
  };
  return of[operator];
}

export function negate(of: Evaluate, toResult: (value: number) => number | null): Evaluate {
  return (event) => {
    const value = of(event);
    return typeof value === 'number' ? toResult(-value) : null;
  };
}

export function concatenate(left: Evaluate, right: Evaluate): Evaluate {
  return (event) => {
    const a = left(event);
    const b = right(event);
    if (typeof a !== 'string' || typeof b !== 'string') return null;
    return a.length + b.length <= limits.expressionTextLengthMax
      ? a + b
      : cut(a + b.slice(0, limits.expressionTextLengthMax));
  };
}

/** Cuts a text at the bound, never in the middle of a character. */
export function cut(text: string, lengthMax: number = limits.expressionTextLengthMax): string {
  if (text.length <= lengthMax) return text;
  const last = text.charCodeAt(lengthMax - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? lengthMax - 1 : lengthMax);
}
