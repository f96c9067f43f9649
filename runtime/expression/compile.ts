/** From the text of an expression to what an operator runs. */
import { didYouMean } from '../did-you-mean.ts';
import { limits } from '../limits.ts';
import { EventCode, type Write } from '../stream/code.ts';
import { fieldReader } from '../stream/compiled-access.ts';
import { strongestTag, tagged } from '../stream/privacy.ts';
import type { Event, Field, FieldKind, FieldType, PrivacyTag, Schema } from '../stream/schema.ts';
import { check } from './check.ts';
import type { Problem } from './errors.ts';
import { type Cell, coded, type Expression, loose, once, report, type Scope, strict } from './expression.ts';
import { parse } from './parse.ts';
import { describe, isNumber, isNumeric, isUnknown, type Type, toFieldType } from './types.ts';

export type Wanted = FieldKind | 'number' | 'any';

export interface CompileOptions {
  /** The type that the expression must have. A float takes an int, `number` every kind of number, json anything. */
  readonly wanted?: Wanted;
  /** Names beside the fields; they hide fields of the same name. Their values come with each evaluation. */
  readonly variables?: Readonly<Record<string, Field>>;
  /** How the input is called in messages: the id of the node that it comes from. */
  readonly inputName?: string;
}

export interface Compiled {
  readonly ok: true;
  readonly type: FieldType;
  readonly nullable: boolean;
  /**
   * Pure, and never throws. Null for what is absent or cannot be computed; with `wanted: 'bool'` false instead of null.
   * `variables` are needed only when the expression was compiled with some.
   */
  evaluate(event: Event, variables?: Readonly<Record<string, unknown>>): unknown;
  /** The same as code, where it hangs on the fields alone. */
  readonly write?: Write;
  /** Fields of the input that it reads, in the order of the schema. */
  readonly fields: string[];
  /** The strongest tag of what it reads, fields of records and of variables among them. */
  readonly privacy?: PrivacyTag;
}

export interface Failed {
  readonly ok: false;
  readonly problems: Problem[];
}

export function compileExpression(source: string, input: Schema, options: CompileOptions = {}): Compiled | Failed {
  const parsed = parse(source);
  if (!parsed.ok) return { ok: false, problems: [parsed.problem] };
  const { scope, cells } = openScope(source, input, options);
  const expression = checkWanted(check(parsed.syntax, scope), options.wanted ?? 'any', scope);
  if (scope.problems.length > 0) return { ok: false, problems: inOrder(scope.problems) };
  return finish(expression, options.wanted ?? 'any', scope, cells);
}

export function openScope(source: string, input: Schema, { variables = {}, inputName = 'the input' }: CompileOptions) {
  const cells = new Map<string, Cell>();
  for (const name of Object.keys(variables)) cells.set(name, { value: null });
  const scope: Scope = {
    source,
    input,
    inputName,
    variables: new Map([...cells].map(([name, cell]) => [name, { cell, field: variables[name] as Field }])),
    problems: [],
    fieldsRead: new Set(),
    tagsRead: new Set(),
    variablesRead: new Set(),
    steps: { used: false, left: 0 },
  };
  return { scope, cells };
}

export function inOrder(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) => a.offset - b.offset);
}

/** Checks the type of the whole against what the option asks for. */
function checkWanted(expression: Expression, wanted: Wanted, scope: Scope): Expression {
  if (isUnknown(expression.type) || fits(expression.type, wanted)) return expression;
  const { source } = scope;
  const whole = { start: source.length - source.trimStart().length, end: source.trimEnd().length };
  return report(scope, whole, {
    code: 'MACH1211',
    message: `${article(wanted)} is needed here, and this is ${describe(expression.type)}`,
    suggestion: quoted(expression, wanted, source),
  });
}

function fits(type: Type, wanted: Wanted): boolean {
  if (wanted === 'any' || wanted === 'json' || type.kind === 'null' || type.kind === 'json') return true;
  if (wanted === 'number') return isNumeric(type);
  return wanted === 'float' ? isNumber(type) : type.kind === wanted;
}

function article(wanted: Wanted): string {
  if (wanted === 'bool') return 'a condition';
  return wanted === 'int' ? 'an int' : `a ${wanted}`;
}

/** `duration` as an option is often written without its call: `"5m"`. */
function quoted({ literal }: Expression, wanted: Wanted, source: string): string | undefined {
  if (typeof literal?.value !== 'string') return undefined;
  if (wanted === 'duration' || wanted === 'timestamp') return `${wanted}(${source.trim()})`;
  const meant = wanted === 'bool' ? didYouMean(literal.value, ['true', 'false']) : undefined;
  return wanted === 'bool' && (literal.value === 'true' || literal.value === 'false') ? literal.value : meant;
}

/** What evaluation must look at in a JSON value, whose type only evaluation knows. */
function guardOf(wanted: Wanted): ((value: unknown) => boolean) | undefined {
  switch (wanted) {
    case 'string':
      return (value) => typeof value === 'string';
    case 'int':
      return (value) => Number.isSafeInteger(value);
    case 'float':
    case 'number':
    case 'timestamp':
    case 'duration':
      return (value) => typeof value === 'number';
    case 'list':
      return Array.isArray;
    case 'record':
      return (value) => typeof value === 'object' && !Array.isArray(value);
    default:
      return undefined;
  }
}

type Result = Pick<Compiled, 'type' | 'nullable'> & { readonly whole: Expression };

function resultOf(expression: Expression, wanted: Wanted): Result {
  const { type, nullable } = expression;
  if (wanted === 'bool') {
    const isCertain = type.kind === 'bool' && !nullable;
    const whole = isCertain ? expression : coded(expression, (code) => `(${loose(expression, code)} === true)`);
    return { type: { kind: 'bool' }, nullable: false, whole };
  }
  if (wanted === 'float') return { ...guarded(expression, wanted), type: { kind: 'float' } };
  if (type.kind === 'json' || type.kind === 'null') {
    const isNamed = wanted !== 'any' && wanted !== 'number' && wanted !== 'list' && wanted !== 'record';
    const named = isNamed
      ? ({ kind: wanted } as FieldType)
      : wanted === 'number'
        ? ({ kind: 'float' } as const)
        : toFieldType(type);
    return { ...guarded(expression, wanted), type: named };
  }
  return { type: toFieldType(type), nullable, whole: expression };
}

function guarded(expression: Expression, wanted: Wanted): Omit<Result, 'type'> {
  const { type, nullable } = expression;
  const guard = type.kind === 'json' ? guardOf(wanted) : undefined;
  if (!guard) return { nullable, whole: expression };
  const { start, end } = expression;
  const whole = coded({ type, nullable: true, start, end }, (code) => {
    const [value, assignment] = once(expression, code);
    return `(${assignment}, ${value} != null && ${code.given(guard)}(${value}) ? ${value} : null)`;
  });
  return { nullable: true, whole };
}

const noVariables: Readonly<Record<string, unknown>> = {};

/** Adds to the function only what this expression needs, so that a plain condition is called as it is. */
export function finish(
  expression: Expression,
  wanted: Wanted,
  scope: Scope,
  cells: ReadonlyMap<string, Cell>,
): Compiled {
  const { type, nullable, whole } = resultOf(expression, wanted);
  const { steps, input, fieldsRead, variablesRead, tagsRead } = scope;
  const fields = Object.keys(input.fields).filter((name) => fieldsRead.has(name));
  const told = { type, nullable, fields, ...tagged(strongestTag(tagsRead)) };
  const given = [...cells].flatMap(([name, cell]) =>
    variablesRead.has(name) ? [{ cell, valueOf: fieldReader(name) }] : [],
  );
  const write: Write = (code) => strict(whole, code);
  // One function for the whole, not one shared by all expressions: V8 sees through the calls of it.
  const evaluate = whole.write || whole.field !== undefined ? new EventCode().compile(write) : whole.evaluate;
  if (!steps.used && given.length === 0) return { ok: true, ...told, evaluate, write };
  const run: Compiled['evaluate'] = (event, variables = noVariables) => {
    steps.left = limits.expressionStepsMax;
    for (let at = 0; at < given.length; at++) {
      const { cell, valueOf } = given[at] as (typeof given)[number];
      cell.value = valueOf(variables);
    }
    return evaluate(event);
  };
  return { ok: true, ...told, evaluate: run };
}
