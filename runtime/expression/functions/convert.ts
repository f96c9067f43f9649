/** Absent values, and conversions that are asked for by name. */
import { timestampMax } from '../../zone.ts';
import { toFloat, toInt } from '../arithmetic.ts';
import { type Expression, loose } from '../expression.ts';
import { bool, float, int, string, type Type, unify } from '../types.ts';
import { applyTo, bound, type FunctionDefinition, isUncertain, type Parameter } from './define.ts';

const coalesce: FunctionDefinition = {
  name: 'coalesce',
  signature: 'coalesce(a, b, ...)',
  parameters: ['any'],
  variadic: true,
  bind(args) {
    let type: Type | undefined = { kind: 'null' };
    for (const arg of args) type = type && unify(type, arg.type);
    if (!type) return { reason: 'they must be of one type' };
    const about = { type, nullable: args.every(({ nullable }) => nullable) };
    return bound(about, (code) => `(${args.map((arg) => loose(arg, code)).join(' ?? ')} ?? null)`);
  },
};

const has: FunctionDefinition = {
  name: 'has',
  signature: 'has(field)',
  parameters: ['any'],
  bind(args) {
    const [arg] = args as [Expression];
    return bound({ type: bool, nullable: false }, (code) => `(${loose(arg, code)} != null)`);
  },
};

/** A conversion; `kinds` are those that it takes, `certain` those of them that never fail. */
function conversion(
  signature: string,
  type: Type,
  kinds: readonly string[],
  certain: readonly string[],
  convert: (value: unknown, from: Type) => unknown,
): FunctionDefinition {
  const parameters: readonly Parameter[] = ['any'];
  const name = signature.slice(0, signature.indexOf('('));
  return {
    name,
    signature,
    parameters,
    bind(args) {
      const [arg] = args as [Expression];
      const { type: from } = arg;
      if (!kinds.includes(from.kind)) return { reason: `it takes ${kinds.join(', ')}`, argument: 0 };
      return {
        type,
        nullable: isUncertain(arg) || !certain.includes(from.kind),
        ...applyTo((value) => convert(value, from), parameters, args),
      };
    },
  };
}

function toNumber(value: unknown): number {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'string') return value.trim() === '' ? Number.NaN : Number(value);
  return typeof value === 'number' ? value : Number.NaN;
}

function toText(value: unknown, from: Type): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (from.kind === 'timestamp') return Math.abs(value) <= timestampMax ? new Date(value).toISOString() : null;
    return from.kind === 'duration' ? `${value / 1000}s` : String(value);
  }
  return JSON.stringify(value) ?? null;
}

function toWhole(value: unknown): number | null {
  const number = toNumber(value);
  // Text that is no number is absent; ±Infinity cannot be meant either.
  return Number.isFinite(number) ? toInt(Math.trunc(number)) : null;
}

function toReal(value: unknown): number | null {
  const number = toNumber(value);
  return Number.isFinite(number) ? toFloat(number) : null;
}

const numeric = ['int', 'float', 'timestamp', 'duration', 'bool'];
const readable = [...numeric, 'string', 'json'];

export const convertFunctions: readonly FunctionDefinition[] = [
  has,
  coalesce,
  conversion('string(value)', string, readable, ['int', 'float', 'timestamp', 'duration', 'bool', 'string'], toText),
  conversion('int(value)', int, readable, numeric, toWhole),
  conversion('float(value)', float, readable, numeric, toReal),
  conversion('double(value)', float, readable, numeric, toReal),
];
