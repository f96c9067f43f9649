/** Code of comparisons. */
import type { Write } from '../stream/code.ts';
import type { Event } from '../stream/schema.ts';
import { type Expression, loose, once } from './expression.ts';

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';

const mirrored: Readonly<Record<Comparison, Comparison>> = {
  '==': '==',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

/** The comparison of two expressions whose types have been found comparable. False when a side is null, unless it is the literal null. */
export function compare(operator: Comparison, left: Expression, right: Expression): Write {
  if (left.literal && !right.literal) return compare(mirrored[operator], right, left);
  if (operator === '==' || operator === '!=') return equality(operator, left, right);
  if (isNumberLike(left) && isNumberLike(right)) return orderNumbers(operator, left, right);
  return orderAny(operator, left, right);
}

function isNumberLike({ type: { kind } }: Expression): boolean {
  return kind === 'int' || kind === 'float' || kind === 'timestamp' || kind === 'duration';
}

function equality(operator: '==' | '!=', left: Expression, right: Expression): Write {
  if (right.type.kind === 'null') return (code) => `(${loose(left, code)} ${operator} null)`;
  if (left.type.kind === 'null') return (code) => `(${loose(right, code)} ${operator} null)`;
  if (!isScalar(left) || !isScalar(right)) return deepEquality(operator, left, right);
  const same = operator === '==' ? '===' : '!==';
  const constant = right.literal?.value;
  if (right.literal && constant == null) return () => 'false';
  if (right.literal && operator === '==') return (code) => `(${loose(left, code)} === ${code.constant(constant)})`;
  return (code) => {
    const [a, first] = once(left, code);
    if (right.literal) return `(${first}, ${a} != null && ${a} ${same} ${code.constant(constant)})`;
    if (operator === '==') return `(${first}, ${a} != null && ${a} === ${loose(right, code)})`;
    const [b, second] = once(right, code);
    return `(${first}, ${a} != null && (${second}, ${b} != null && ${a} !== ${b}))`;
  };
}

function isScalar({ type: { kind } }: Expression): boolean {
  return kind !== 'json' && kind !== 'list' && kind !== 'record';
}

function deepEquality(operator: '==' | '!=', left: Expression, right: Expression): Write {
  const equal = operator === '==' ? areEqual : areDifferent;
  return (code) => `${code.given(equal)}(${loose(left, code)}, ${loose(right, code)})`;
}

function areEqual(left: unknown, right: unknown): boolean {
  return left != null && right != null && deepEquals(left, right);
}

function areDifferent(left: unknown, right: unknown): boolean {
  return left != null && right != null && !deepEquals(left, right);
}

/** JSON values nest at most as deep as JSON.parse reads; deeper than this they are taken as different. */
const depthMax = 100;

export function deepEquals(left: unknown, right: unknown, depth = 0): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (depth > depthMax || Array.isArray(left) !== Array.isArray(right)) return false;
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return false;
  return names.every(
    (name) => Object.hasOwn(right, name) && deepEquals((left as Event)[name], (right as Event)[name], depth + 1),
  );
}

/** `null > -1` would be true in JavaScript, hence typeof. */
function orderNumbers(operator: Comparison, left: Expression, right: Expression): Write {
  return (code) => {
    const [a, first] = once(left, code);
    const constant = right.literal?.value;
    if (typeof constant === 'number')
      return `(${first}, typeof ${a} === 'number' && ${a} ${operator} ${code.constant(constant)})`;
    const [b, second] = once(right, code);
    return `(${first}, ${second}, typeof ${a} === 'number' && typeof ${b} === 'number' && ${a} ${operator} ${b})`;
  };
}

/** Text, and JSON values of which only evaluation knows what they are: numbers with numbers, text with text. */
function orderAny(operator: Comparison, left: Expression, right: Expression): Write {
  return (code) => {
    const [a, first] = once(left, code);
    const [b, second] = once(right, code);
    const isEither = (type: string) => `typeof ${a} === '${type}' && typeof ${b} === '${type}'`;
    return `(${first}, ${second}, (${isEither('number')} || ${isEither('string')}) && ${a} ${operator} ${b})`;
  };
}
