/**
 * Closures for comparisons. The shapes that filters are made of (a field with a constant, a field with a field) read the
 * field themselves, which saves a call for each side.
 */
import type { Event } from '../stream/schema.ts';
import type { Evaluate, Expression } from './expression.ts';

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
export function compare(operator: Comparison, left: Expression, right: Expression): Evaluate {
  if (left.literal && !right.literal) return compare(mirrored[operator], right, left);
  if (operator === '==' || operator === '!=') return equality(operator, left, right);
  if (isNumberLike(left) && isNumberLike(right)) return orderNumbers(operator, left, right);
  return orderAny(operator, left.evaluate, right.evaluate);
}

function isNumberLike({ type: { kind } }: Expression): boolean {
  return kind === 'int' || kind === 'float' || kind === 'timestamp' || kind === 'duration';
}

function equality(operator: '==' | '!=', left: Expression, right: Expression): Evaluate {
  if (right.type.kind === 'null') return isNull(operator, left);
  if (left.type.kind === 'null') return isNull(operator, right);
  if (!isScalar(left) || !isScalar(right)) return deepEquality(operator, left.evaluate, right.evaluate);
  if (left.field !== undefined && right.literal) return fieldEqualsConstant(operator, left.field, right.literal.value);
  const { evaluate: a } = left;
  const { evaluate: b } = right;
  if (operator === '==') {
    return (event) => {
      const value = a(event);
      return value != null && value === b(event);
    };
  }
  return (event) => {
    const value = a(event);
    if (value == null) return false;
    const other = b(event);
    return other != null && value !== other;
  };
}

function isScalar({ type: { kind } }: Expression): boolean {
  return kind !== 'json' && kind !== 'list' && kind !== 'record';
}

function isNull(operator: '==' | '!=', { field, evaluate }: Expression): Evaluate {
  if (field !== undefined) return operator === '==' ? (event) => event[field] == null : (event) => event[field] != null;
  return operator === '==' ? (event) => evaluate(event) == null : (event) => evaluate(event) != null;
}

function fieldEqualsConstant(operator: '==' | '!=', field: string, constant: unknown): Evaluate {
  if (constant == null) return () => false;
  if (operator === '==') return (event) => event[field] === constant;
  return (event) => {
    const value = event[field];
    return value != null && value !== constant;
  };
}

function deepEquality(operator: '==' | '!=', a: Evaluate, b: Evaluate): Evaluate {
  const wanted = operator === '==';
  return (event) => {
    const left = a(event);
    const right = b(event);
    return left != null && right != null && deepEquals(left, right) === wanted;
  };
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

function orderNumbers(operator: Comparison, left: Expression, right: Expression): Evaluate {
  if (left.field !== undefined && typeof right.literal?.value === 'number') {
    return fieldToConstant(operator, left.field, right.literal.value);
  }
  if (left.field !== undefined && right.field !== undefined) return fieldToField(operator, left.field, right.field);
  if (typeof right.literal?.value === 'number') return valueToConstant(operator, left.evaluate, right.literal.value);
  return valueToValue(operator, left.evaluate, right.evaluate);
}

// One closure for each operator, so that each has type feedback of its own. `null > -1` would be true in JavaScript, hence typeof.

function fieldToConstant(operator: Comparison, field: string, constant: number): Evaluate {
  const of: Partial<Record<Comparison, Evaluate>> = {
    '<': (event) => {
      const value = event[field];
      return typeof value === 'number' && value < constant;
    },
    '<=': (event) => {
      const value = event[field];
      return typeof value === 'number' && value <= constant;
    },
    '>': (event) => {
      const value = event[field];
      return typeof value === 'number' && value > constant;
    },
    '>=': (event) => {
      const value = event[field];
      return typeof value === 'number' && value >= constant;
    },
  };
  return of[operator] as Evaluate;
}

function fieldToField(operator: Comparison, left: string, right: string): Evaluate {
  const of: Partial<Record<Comparison, Evaluate>> = {
    '<': (event) => {
      const a = event[left];
      const b = event[right];
      return typeof a === 'number' && typeof b === 'number' && a < b;
    },
    '<=': (event) => {
      const a = event[left];
      const b = event[right];
      return typeof a === 'number' && typeof b === 'number' && a <= b;
    },
    '>': (event) => {
      const a = event[left];
      const b = event[right];
      return typeof a === 'number' && typeof b === 'number' && a > b;
    },
    '>=': (event) => {
      const a = event[left];
      const b = event[right];
      return typeof a === 'number' && typeof b === 'number' && a >= b;
    },
  };
  return of[operator] as Evaluate;
}

function valueToConstant(operator: Comparison, evaluate: Evaluate, constant: number): Evaluate {
  const of: Partial<Record<Comparison, Evaluate>> = {
    '<': (event) => {
      const value = evaluate(event);
      return typeof value === 'number' && value < constant;
    },
    '<=': (event) => {
      const value = evaluate(event);
      return typeof value === 'number' && value <= constant;
    },
    '>': (event) => {
      const value = evaluate(event);
      return typeof value === 'number' && value > constant;
    },
    '>=': (event) => {
      const value = evaluate(event);
      return typeof value === 'number' && value >= constant;
    },
  };
  return of[operator] as Evaluate;
}

function valueToValue(operator: Comparison, left: Evaluate, right: Evaluate): Evaluate {
  const of: Partial<Record<Comparison, Evaluate>> = {
    '<': (event) => {
      const a = left(event);
      const b = right(event);
      return typeof a === 'number' && typeof b === 'number' && a < b;
    },
    '<=': (event) => {
      const a = left(event);
      const b = right(event);
      return typeof a === 'number' && typeof b === 'number' && a <= b;
    },
    '>': (event) => {
      const a = left(event);
      const b = right(event);
      return typeof a === 'number' && typeof b === 'number' && a > b;
    },
    '>=': (event) => {
      const a = left(event);
      const b = right(event);
      return typeof a === 'number' && typeof b === 'number' && a >= b;
    },
  };
  return of[operator] as Evaluate;
}

/** Text, and JSON values of which only evaluation knows what they are: numbers with numbers, text with text. */
function orderAny(operator: Comparison, left: Evaluate, right: Evaluate): Evaluate {
  const holds = orders[operator];
  return (event) => {
    const a = left(event);
    const b = right(event);
    if (typeof a === 'number' && typeof b === 'number') return holds(a < b ? -1 : a > b ? 1 : 0);
    if (typeof a === 'string' && typeof b === 'string') return holds(a < b ? -1 : a > b ? 1 : 0);
    return false;
  };
}

const orders: Readonly<Record<Comparison, (order: number) => boolean>> = {
  '==': (order) => order === 0,
  '!=': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};
