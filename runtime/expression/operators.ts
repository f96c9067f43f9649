/** Types of the operators, and what to say when they do not fit. */
import { didYouMean } from '../did-you-mean.ts';
import type { Write } from '../stream/code.ts';
import {
  type Arithmetic,
  arithmetic,
  concatenate,
  negate,
  toFloat,
  toInt,
  toTimestamp,
  toWholeMs,
} from './arithmetic.ts';
import { type Comparison, compare, deepEquals } from './compare.ts';
import { coded, type Expression, fold, loose, type Place, report, type Scope, unknown } from './expression.ts';
import { bool, describe, duration, float, int, isNumber, isUnknown, string, type Type, timestamp } from './types.ts';

export function checkComparison(
  { start, end }: Place,
  operator: Comparison,
  left: Expression,
  right: Expression,
  scope: Scope,
): Expression {
  if (isUnknown(left.type) || isUnknown(right.type)) return unknown({ start, end });
  const equality = operator === '==' || operator === '!=';
  if (!isComparable(left.type, right.type, equality)) {
    const message =
      equality || left.type.kind !== right.type.kind
        ? `${describe(left.type)} cannot be compared with ${describe(right.type)}`
        : `${describe(left.type)} has no order: only == and != compare it`;
    const [given, other] = right.literal ? [right, left] : [left, right];
    const suggestion = inTypeOf(given, other, scope);
    return report(scope, suggestion ? given : { start, end }, { code: 'MACH1211', message, suggestion });
  }
  if (equality && !(left.literal && right.literal)) {
    checkOccurs(left, right, scope);
    checkOccurs(right, left, scope);
  }
  return fold(coded({ type: bool, nullable: false, start, end }, compare(operator, left, right)), [left, right]);
}

function isComparable(left: Type, right: Type, equality: boolean): boolean {
  if (left.kind === 'null' || right.kind === 'null') return equality;
  if (left.kind === 'json' || right.kind === 'json') return equality || (isOrdered(left) && isOrdered(right));
  if (isNumber(left) && isNumber(right)) return true;
  if (left.kind !== right.kind) return false;
  return equality || isOrdered(left);
}

function isOrdered({ kind }: Type): boolean {
  return kind !== 'bool' && kind !== 'list' && kind !== 'record';
}

/** A literal of the wrong type, written as it should have been: `"240"` beside a number, `300` beside a duration. */
function inTypeOf(given: Expression, other: Expression, scope: Scope): string | undefined {
  if (!given.literal) return undefined;
  const text = scope.source.slice(given.start, given.end);
  const { value } = given.literal;
  if (other.type.kind === 'timestamp' && typeof value === 'string') return `timestamp(${text})`;
  if (other.type.kind === 'duration' && typeof value === 'string') return `duration(${text})`;
  if (other.type.kind === 'duration' && isNumber(given.type)) return `duration("${text}s")`;
  if (isNumber(other.type) && typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)))
    return value;
  if (other.type.kind === 'string' && isNumber(given.type)) return `"${text}"`;
  if (other.type.kind === 'bool' && (value === 'true' || value === 'false')) return value;
  return undefined;
}

/** A literal compared with a field that never takes it. */
function checkOccurs(given: Expression, other: Expression, scope: Scope): void {
  if (typeof given.literal?.value !== 'string' || other.type.kind !== 'string' || !other.type.values) return;
  if (!other.type.values.includes(given.literal.value)) neverOccurs(given, other, scope);
}

function neverOccurs(given: Expression, { type, field }: Expression, scope: Scope): void {
  const values = type.kind === 'string' ? (type.values ?? []) : [];
  const meant = didYouMean(String(given.literal?.value), values);
  report(scope, given, {
    code: 'MACH1215',
    message: `${field ?? 'the value'} is never ${JSON.stringify(given.literal?.value)}; it is one of ${values.join(', ')}`,
    suggestion: meant === undefined ? undefined : JSON.stringify(meant),
  });
}

export function checkIn({ start, end }: Place, item: Expression, list: Expression, scope: Scope): Expression {
  if (isUnknown(item.type) || isUnknown(list.type)) return unknown({ start, end });
  if (list.type.kind === 'record' && (item.type.kind === 'string' || item.type.kind === 'json')) {
    return coded({ type: bool, nullable: false, start, end }, isIn(item, list));
  }
  if (list.type.kind !== 'list' && list.type.kind !== 'json') {
    return report(scope, list, {
      code: 'MACH1211',
      message: `after "in" comes a list, and this is ${describe(list.type)}`,
    });
  }
  const empty = Array.isArray(list.literal?.value) && list.literal.value.length === 0;
  if (list.type.kind === 'list' && !empty && !isComparable(item.type, list.type.of, true)) {
    return report(
      scope,
      { start, end },
      { code: 'MACH1211', message: `${describe(item.type)} cannot be in ${describe(list.type)}` },
    );
  }
  if (list.literal && item.type.kind === 'string' && item.type.values && !item.literal)
    checkListOccurs(item, list, scope);
  return fold(coded({ type: bool, nullable: false, start, end }, isIn(item, list)), [item, list]);
}

function checkListOccurs(item: Expression, list: Expression, scope: Scope): void {
  const values = item.type.kind === 'string' ? (item.type.values ?? []) : [];
  const items = Array.isArray(list.literal?.value) ? (list.literal.value as unknown[]) : [];
  for (const value of items) {
    if (typeof value !== 'string' || values.includes(value)) continue;
    // The places of the items of a folded list are not kept; the text of a literal is found in it.
    const at = scope.source.slice(list.start, list.end).search(new RegExp(`["']${escapePattern(value)}["']`));
    const place = at < 0 ? list : { start: list.start + at, end: list.start + at + value.length + 2 };
    neverOccurs({ ...list, ...place, literal: { value } }, item, scope);
  }
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

function isIn(item: Expression, list: Expression): Write {
  const constants = list.literal?.value;
  if (Array.isArray(constants) && constants.every((value) => typeof value !== 'object')) {
    const set = new Set<unknown>(constants.filter((value) => value !== null));
    return (code) => `${code.given(set)}.has(${loose(item, code)})`;
  }
  return (code) => `${code.given(stands)}(${loose(item, code)}, ${loose(list, code)})`;
}

/** Whether a value stands in a list, or a name in a record. */
function stands(value: unknown, within: unknown): boolean {
  if (value == null || within == null) return false;
  if (Array.isArray(within)) return within.some((each) => deepEquals(each, value));
  return typeof within === 'object' && typeof value === 'string' && Object.hasOwn(within, value);
}

export function checkNegation({ start, end }: Place, operand: Expression, scope: Scope): Expression {
  const { type } = operand;
  if (isUnknown(type)) return unknown({ start, end });
  if (!isNumber(type) && type.kind !== 'duration' && type.kind !== 'json') {
    return report(
      scope,
      { start, end },
      { code: 'MACH1211', message: `- stands before a number or a duration, and this is ${describe(type)}` },
    );
  }
  const result = type.kind === 'json' ? float : type;
  const about = { type: result, nullable: operand.nullable || type.kind === 'json', start, end };
  return fold(coded(about, negate(operand, rounding(result))), [operand]);
}

export function checkArithmetic(
  { start, end }: Place,
  operator: Arithmetic,
  left: Expression,
  right: Expression,
  scope: Scope,
): Expression {
  if (isUnknown(left.type) || isUnknown(right.type)) return unknown({ start, end });
  const type = resultOf(operator, left.type, right.type);
  if (!type) {
    const message = `${describe(left.type)} ${operator} ${describe(right.type)} has no meaning`;
    return report(
      scope,
      { start, end },
      { code: 'MACH1211', message, suggestion: convertedText(operator, left, right, scope) },
    );
  }
  const write = type.kind === 'string' ? concatenate(left, right) : arithmetic(operator, left, right, rounding(type));
  const byZero =
    (operator === '/' || operator === '%') && !(typeof right.literal?.value === 'number' && right.literal.value !== 0);
  const nullable = left.nullable || right.nullable || byZero || left.type.kind === 'json' || right.type.kind === 'json';
  return fold(coded({ type, nullable, start, end }, write), [left, right]);
}

/** `"bed " + 4`: text made of something else is asked for by name. */
function convertedText(operator: Arithmetic, left: Expression, right: Expression, scope: Scope): string | undefined {
  if (operator !== '+' || (left.type.kind === 'string') === (right.type.kind === 'string')) return undefined;
  const text = ({ start, end }: Place) => scope.source.slice(start, end);
  return left.type.kind === 'string'
    ? `${text(left)} + string(${text(right)})`
    : `string(${text(left)}) + ${text(right)}`;
}

function rounding({ kind }: Type): (value: number) => number | null {
  if (kind === 'int') return toInt;
  if (kind === 'float') return toFloat;
  return kind === 'timestamp' ? toTimestamp : toWholeMs;
}

function resultOf(operator: Arithmetic, left: Type, right: Type): Type | undefined {
  if (left.kind === 'json' || right.kind === 'json') return resultOfJson(operator, left, right);
  if (isNumber(left) && isNumber(right)) {
    return operator !== '/' && left.kind === 'int' && right.kind === 'int' ? int : float;
  }
  switch (`${left.kind} ${operator} ${right.kind}`) {
    case 'string + string':
      return string;
    case 'timestamp - timestamp':
    case 'duration + duration':
    case 'duration - duration':
    case 'duration % duration':
      return duration;
    case 'timestamp + duration':
    case 'duration + timestamp':
    case 'timestamp - duration':
      return timestamp;
    case 'duration / duration':
      return float;
  }
  if (left.kind === 'duration' && isNumber(right) && (operator === '*' || operator === '/')) return duration;
  if (isNumber(left) && right.kind === 'duration' && operator === '*') return duration;
  return undefined;
}

/** A JSON value is taken as what goes with the other side: a number, or text where text is added. */
function resultOfJson(operator: Arithmetic, left: Type, right: Type): Type | undefined {
  const other = left.kind === 'json' ? right : left;
  if (other.kind === 'string') return operator === '+' ? string : undefined;
  return other.kind === 'json' || isNumber(other) ? float : undefined;
}
