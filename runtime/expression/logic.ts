/** Code of logic. Two-valued: null counts as false. */
import type { Write } from '../stream/code.ts';
import { type Expression, loose, strict } from './expression.ts';

export function and(operands: readonly Expression[]): Write {
  return (code) => `(${operands.map((operand) => `${loose(operand, code)} === true`).join(' && ')})`;
}

export function or(operands: readonly Expression[]): Write {
  return (code) => `(${operands.map((operand) => `${loose(operand, code)} === true`).join(' || ')})`;
}

export function not(operand: Expression): Write {
  return (code) => `(${loose(operand, code)} !== true)`;
}

export function choose(condition: Expression, then: Expression, otherwise: Expression): Write {
  return (code) => `(${loose(condition, code)} === true ? ${strict(then, code)} : ${strict(otherwise, code)})`;
}
