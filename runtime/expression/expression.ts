import { type CodeWriter, EventCode, type Write } from '../stream/code.ts';
import { tagsWithin } from '../stream/privacy.ts';
import type { Event, Field, PrivacyTag, Schema } from '../stream/schema.ts';
import type { ExpressionErrorCode, Problem } from './errors.ts';
import { isFieldType, type Type } from './types.ts';

export type Evaluate = (event: Event) => unknown;

/** An expression, or a part of one, that has been checked and compiled. */
export interface Expression {
  readonly type: Type;
  readonly nullable: boolean;
  /** Place in the source text. */
  readonly start: number;
  readonly end: number;
  readonly evaluate: Evaluate;
  /** The same as code. Absent where only the closure knows it. */
  readonly write?: Write;
  /** Present when the value is known at check time. */
  readonly literal?: { readonly value: unknown };
  /** Name of the field, when the expression is nothing but a field of the event. */
  readonly field?: string;
  /** Of a list whose items can be had one by one: the code of the item at a place, which saves making the list. */
  readonly writeItem?: (place: Expression) => Write;
}

/** An expression that is known by its code; the function is made when somebody calls it. */
export function coded(
  { type, nullable, start, end }: Pick<Expression, 'type' | 'nullable' | 'start' | 'end'>,
  write: Write,
): Expression {
  return { type, nullable, start, end, write, evaluate: compiled(write) };
}

/** The function of a code, made when it is first called. */
export function compiled(write: Write): Evaluate {
  let made: Evaluate | undefined;
  return (event) => {
    made ??= new EventCode().compile(write);
    return made(event);
  };
}

/** The text of a part whose value may be null or undefined where it is absent. */
export function loose({ field, literal, write, evaluate }: Expression, code: CodeWriter): string {
  if (field !== undefined) return code.field(field);
  if (literal) return code.constant(literal.value);
  return write ? write(code) : code.call(evaluate);
}

/** The text of a part whose value is null where it is absent. */
export function strict(part: Expression, code: CodeWriter): string {
  return part.field === undefined ? loose(part, code) : `(${code.field(part.field)} ?? null)`;
}

/** A variable, and the text that gives it the value of a part. */
export function once(part: Expression, code: CodeWriter): readonly [variable: string, assignment: string] {
  const variable = code.temporary();
  return [variable, `${variable} = ${loose(part, code)}`];
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
  /** Tags of the fields read, those of records among them. */
  readonly tagsRead: Set<PrivacyTag | undefined>;
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
  readonly known?: readonly string[];
}

/** As JSON a record no longer says what points at a person in it: the whole then does. */
export function noteTagsLost(type: Type, parts: readonly Expression[], scope: Scope): void {
  if (type.kind === 'list') return noteTagsLost(type.of, parts, scope);
  if (type.kind !== 'json') return;
  for (const { type: part } of parts)
    if (isFieldType(part)) for (const tag of tagsWithin({ type: part })) scope.tagsRead.add(tag);
}

/** Records a problem and gives what stands in for the part. */
export function report(scope: Scope, place: Place, text: ProblemText): Expression {
  scope.problems.push(makeProblem(scope.source, place, text));
  return unknown(place);
}

/** The place is moved inside the text, so that something can always be underlined. */
export function makeProblem(source: string, place: Place, { code, message, suggestion, known }: ProblemText): Problem {
  const offset = Math.max(0, Math.min(place.start, source.length - 1));
  const length = Math.max(1, Math.min(place.end, source.length) - offset);
  return { code, offset, length, message, ...(suggestion === undefined ? known && { known } : { suggestion }) };
}
