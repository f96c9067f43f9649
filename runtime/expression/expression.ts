import type { Event, Field, Schema } from '../stream/schema.ts';
import type { ExpressionErrorCode, Problem } from './errors.ts';
import type { Type } from './types.ts';

export type Evaluate = (event: Event) => unknown;

/** An expression, or a part of one, that has been checked and compiled. */
export interface Expression {
  readonly type: Type;
  readonly nullable: boolean;
  /** Place in the source text. */
  readonly start: number;
  readonly end: number;
  readonly evaluate: Evaluate;
  /** Present when the value is known at check time. */
  readonly literal?: { readonly value: unknown };
  /** Name of the field, when the expression is nothing but a field of the event. Lets an operator on it read the field itself. */
  readonly field?: string;
}

export interface Place {
  readonly start: number;
  readonly end: number;
}

/** Holds the value of a variable while the expression that it is visible in is evaluated. Evaluation is synchronous and never re-enters. */
export interface Cell {
  value: unknown;
}

export interface Variable {
  readonly field: Field;
  readonly cell: Cell;
}

/** Steps of macros left in the current evaluation (`limits.expressionStepsMax`). */
export interface Steps {
  used: boolean;
  left: number;
}

export interface Scope {
  readonly source: string;
  readonly input: Schema;
  /** How the input is called in messages. */
  readonly inputName: string;
  readonly variables: ReadonlyMap<string, Variable>;
  readonly problems: Problem[];
  readonly fieldsRead: Set<string>;
  readonly variablesRead: Set<string>;
  readonly steps: Steps;
}

const evaluateNull: Evaluate = () => null;

/** Stands in for a part that has a problem; whatever is done with it is no further problem. */
export function unknown(place: Place): Expression {
  return { type: { kind: 'unknown' }, nullable: true, start: place.start, end: place.end, evaluate: evaluateNull };
}

export function literal(value: unknown, type: Type, place: Place): Expression {
  return {
    type,
    nullable: value === null,
    start: place.start,
    end: place.end,
    evaluate: () => value,
    literal: { value },
  };
}

/** Computes at once what depends on literals only, so that `4 * 60` costs nothing later. */
export function fold(expression: Expression, operands: readonly Expression[]): Expression {
  if (expression.type.kind === 'unknown' || !operands.every((operand) => operand.literal)) return expression;
  return literal(expression.evaluate({}), expression.type, expression);
}

export interface ProblemText {
  readonly code: ExpressionErrorCode;
  readonly message: string;
  readonly suggestion?: string | undefined;
}

/** Records a problem and gives what stands in for the part. */
export function report(scope: Scope, place: Place, text: ProblemText): Expression {
  scope.problems.push(makeProblem(scope.source, place, text));
  return unknown(place);
}

/** The place is moved inside the text, so that something can always be underlined. */
export function makeProblem(source: string, place: Place, { code, message, suggestion }: ProblemText): Problem {
  const offset = Math.max(0, Math.min(place.start, source.length - 1));
  const length = Math.max(1, Math.min(place.end, source.length) - offset);
  return { code, offset, length, message, ...(suggestion !== undefined && { suggestion }) };
}
