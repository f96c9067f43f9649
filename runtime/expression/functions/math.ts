/** Functions of numbers. */
import { toFloat, toInt } from '../arithmetic.ts';
import type { Expression } from '../expression.ts';
import { duration, float, int, isNumeric, type Type, unify } from '../types.ts';
import { applyTo, type FunctionDefinition, isUncertain, plain } from './define.ts';

/** Half away from zero, as CEL and most people have it (`Math.round` takes -2.5 to -2). */
function roundHalfAway(value: number): number {
  return Math.sign(value) * Math.round(Math.abs(value));
}

/** Digits after the point that a double can mean. */
const digitsMax = 15;

function round(value: number, digits?: number): number | null {
  if (digits === undefined) return toInt(roundHalfAway(value));
  if (!Number.isInteger(digits) || digits < 0 || digits > digitsMax) return null;
  const factor = 10 ** digits;
  const scaled = value * factor;
  return Number.isFinite(scaled) ? toFloat(roundHalfAway(scaled) / factor) : value;
}

/** The type of one, of several, or of the items of a list. */
function common(args: readonly Expression[]): Type | undefined {
  const [first] = args;
  if (args.length === 1 && first?.type.kind === 'list') return isNumeric(first.type.of) ? first.type.of : undefined;
  let type: Type | undefined = { kind: 'null' };
  for (const arg of args) type = type && unify(type, arg.type);
  return type?.kind === 'json' ? float : type;
}

function extreme(name: 'min' | 'max'): FunctionDefinition {
  const better = name === 'min' ? (a: number, b: number) => a < b : (a: number, b: number) => a > b;
  const ofMany = (values: readonly unknown[]) => {
    let best: number | null = null;
    for (const value of values) {
      if (typeof value === 'number' && (best === null || better(value, best))) best = value;
    }
    return best;
  };
  return {
    name,
    signature: `${name}(a, b, ...) or ${name}(list)`,
    parameters: ['any'],
    variadic: true,
    bind(args) {
      const type = common(args);
      if (!type || !isNumeric(type))
        return { reason: 'they must be numbers, timestamps or durations, all of one kind' };
      const [only] = args;
      if (args.length === 1 && only && (only.type.kind === 'list' || only.type.kind === 'json')) {
        const ofOne = (value: unknown) => {
          if (Array.isArray(value)) return ofMany(value);
          return typeof value === 'number' ? value : null;
        };
        return { type, nullable: true, ...applyTo(ofOne, ['any'], args) };
      }
      return { type, nullable: args.some(isUncertain), ...applyTo((...values) => ofMany(values), ['numeric'], args) };
    },
  };
}

export const mathFunctions: readonly FunctionDefinition[] = [
  plain({
    signature: 'abs(number or duration)',
    parameters: ['numeric'],
    result: ([value]) =>
      value?.type.kind === 'int'
        ? int
        : value?.type.kind === 'duration'
          ? duration
          : value?.type.kind === 'timestamp'
            ? undefined
            : float,
    apply: (value: number) => Math.abs(value),
  }),
  extreme('min'),
  extreme('max'),
  plain({
    signature: 'sign(number)',
    parameters: ['number'],
    result: int,
    apply: (value: number) => (value > 0 ? 1 : value < 0 ? -1 : 0),
  }),
  plain({
    signature: 'trunc(number)',
    parameters: ['number'],
    result: int,
    apply: (value: number) => toInt(Math.trunc(value)),
  }),
  plain({
    signature: 'div(a, b)',
    parameters: ['number', 'number'],
    result: int,
    nullable: true,
    apply: (a: number, b: number) => (b === 0 ? null : toInt(Math.trunc(a / b))),
  }),
  plain({
    signature: 'floor(number)',
    parameters: ['number'],
    result: int,
    apply: (value: number) => toInt(Math.floor(value)),
  }),
  plain({
    signature: 'ceil(number)',
    parameters: ['number'],
    result: int,
    apply: (value: number) => toInt(Math.ceil(value)),
  }),
  plain({
    signature: 'round(number, digits?)',
    parameters: ['number', 'number'],
    optional: 1,
    nullable: false,
    result: (args) => (args.length === 1 ? int : float),
    apply: round,
  }),
];
