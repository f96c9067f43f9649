/** The values of `aggregate`: one call over the events of a window. */
import { didYouMean } from '../did-you-mean.ts';
import { tagged } from '../stream/privacy.ts';
import type { FieldType, PrivacyTag, Schema } from '../stream/schema.ts';
import { placeOfName } from './call.ts';
import { check } from './check.ts';
import { type Compiled, type CompileOptions, type Failed, finish, inOrder, openScope } from './compile.ts';
import { type Expression, type Place, report, type Scope } from './expression.ts';
import { parse, type Syntax } from './parse.ts';
import { describe, duration, float, int, isNumber, isNumeric, isUnknown, type Type, toFieldType } from './types.ts';

export type AggregateName =
  | 'count'
  | 'sum'
  | 'mean'
  | 'min'
  | 'max'
  | 'quantile'
  | 'distinct'
  | 'approx_distinct'
  | 'first'
  | 'last';

export interface AggregateCall {
  readonly call: AggregateName;
  /** What is aggregated; absent for `count`. Null values are not counted in. */
  readonly argument?: Compiled;
  /** Only the events for which this is true are counted in. */
  readonly condition?: Compiled;
  /** Of `quantile`: 0 to 1. */
  readonly quantile?: number;
}

export interface CompiledAggregate extends AggregateCall {
  readonly ok: true;
  /** The type of the result. Null when a window has no value: not for `count`, `distinct`, `approx_distinct`, `sum` (0). */
  readonly type: FieldType;
  readonly nullable: boolean;
  readonly fields: string[];
  /** Where one event's value passes through it unchanged: the tag of that. */
  readonly privacy?: PrivacyTag;
  /** It is in the place of one that is wrong, of which nothing more is to be said. */
  readonly standsIn?: true;
}

interface Definition {
  readonly signature: string;
  /** The result's type, or undefined when the argument does not fit. */
  readonly result: (argument: Type) => FieldType | undefined;
  readonly takes: string;
  /** The result when nothing was counted in is 0, not null. */
  readonly zero?: boolean;
  /** The result is the value of one event. */
  readonly keeps?: boolean;
}

const measures = (type: Type) => isNumber(type) || type.kind === 'duration' || type.kind === 'json';
const averageOf = (type: Type) => (measures(type) ? (type.kind === 'duration' ? duration : float) : undefined);
const extremeOf = (type: Type) => {
  if (type.kind === 'json') return float;
  return isNumeric(type) || type.kind === 'string' ? toFieldType(type) : undefined;
};
const sumOf = (type: Type) => {
  if (!measures(type)) return undefined;
  return type.kind === 'json' ? float : toFieldType(type);
};

const definitions: Readonly<Record<AggregateName, Definition>> = {
  count: { signature: 'count() or count(condition)', takes: 'a condition', result: () => int, zero: true },
  sum: { signature: 'sum(x)', takes: 'a number or a duration', result: sumOf, zero: true },
  mean: { signature: 'mean(x)', takes: 'a number or a duration', result: averageOf },
  min: { signature: 'min(x)', takes: 'a number, a timestamp, a duration or a text', result: extremeOf, keeps: true },
  max: { signature: 'max(x)', takes: 'a number, a timestamp, a duration or a text', result: extremeOf, keeps: true },
  quantile: { signature: 'quantile(x, 0.9)', takes: 'a number or a duration', result: averageOf },
  distinct: { signature: 'distinct(x)', takes: 'any value', result: () => int, zero: true },
  approx_distinct: { signature: 'approx_distinct(x)', takes: 'any value', result: () => int, zero: true },
  first: { signature: 'first(x)', takes: 'any value', result: toFieldType, keeps: true },
  last: { signature: 'last(x)', takes: 'any value', result: toFieldType, keeps: true },
};

const names = Object.keys(definitions);

function isAggregate(name: string): name is AggregateName {
  return Object.hasOwn(definitions, name);
}

/** Every call takes one more argument, a condition: `max(minutes, department == "ED")`. */
export function compileAggregateExpression(
  source: string,
  input: Schema,
  options: Pick<CompileOptions, 'inputName'> = {},
): CompiledAggregate | Failed {
  const parsed = parse(source);
  if (!parsed.ok) return { ok: false, problems: [parsed.problem] };
  const { scope } = openScope(source, input, options);
  const compiled = compileCall(parsed.syntax, scope);
  if (scope.problems.length > 0 || !compiled) return { ok: false, problems: inOrder(scope.problems) };
  return compiled;
}

function compileCall(syntax: Syntax, scope: Scope): CompiledAggregate | undefined {
  if (syntax.op !== 'call') {
    complain(scope, syntax, `it must be one call, such as ${suggestedCall(syntax, scope)}`);
    return undefined;
  }
  const [name, args] = syntax.args;
  if (!isAggregate(name)) {
    complain(scope, placeOfName(syntax), `"${name}" is none of ${names.join(', ')}`, didYouMean(name, names));
    return undefined;
  }
  return name === 'count' ? compileCount(syntax, args, scope) : compileOver(name, syntax, args, scope);
}

/** `minutes` alone, or arithmetic on it: shown with a call around it. */
function suggestedCall(syntax: Syntax, scope: Scope): string {
  return syntax.op === 'id' && Object.hasOwn(scope.input.fields, syntax.args)
    ? `max(${syntax.args})`
    : 'count() or max(minutes)';
}

function complain(scope: Scope, place: Place, reason: string, suggestion?: string): void {
  report(scope, place, { code: 'MACH1217', message: `the expression is not an aggregate: ${reason}`, suggestion });
}

function compileCount(syntax: Syntax, args: readonly Syntax[], scope: Scope): CompiledAggregate | undefined {
  if (args.length > 1) {
    complain(scope, syntax, `count takes a condition at most: ${definitions.count.signature}`);
    return undefined;
  }
  const condition = args[0] && compileCondition(args[0], scope, 'count');
  return {
    ok: true,
    call: 'count',
    ...(condition && { condition }),
    type: int,
    nullable: false,
    fields: condition?.fields ?? [],
  };
}

function compileOver(
  name: AggregateName,
  syntax: Syntax,
  args: readonly Syntax[],
  scope: Scope,
): CompiledAggregate | undefined {
  const { signature, result, takes, zero, keeps } = definitions[name];
  const own = name === 'quantile' ? 2 : 1;
  if (args.length < own || args.length > own + 1) {
    complain(
      scope,
      syntax,
      `${name} is ${signature}, and may have a condition after it, and here are ${args.length} arguments`,
    );
    return undefined;
  }
  const argument = check(args[0] as Syntax, scope);
  const quantile = name === 'quantile' ? quantileOf(check(args[1] as Syntax, scope), scope) : undefined;
  const condition = args[own] && compileCondition(args[own], scope, name);
  if (isUnknown(argument.type)) return undefined;
  const type = argument.type.kind === 'null' ? undefined : result(argument.type);
  if (!type) {
    complain(scope, argument, `${name} takes ${takes}, and this is ${describe(argument.type)}`);
    return undefined;
  }
  const compiled = finish(
    argument,
    argument.type.kind === 'json' && type === float ? 'number' : 'any',
    scope,
    new Map(),
  );
  return {
    ok: true,
    call: name,
    argument: compiled,
    ...(condition && { condition }),
    ...(quantile !== undefined && { quantile }),
    type,
    nullable: !zero && (compiled.nullable || condition !== undefined),
    fields: Object.keys(scope.input.fields).filter((field) => scope.fieldsRead.has(field)),
    ...(keeps && tagged(compiled.privacy)),
  };
}

function compileCondition(syntax: Syntax, scope: Scope, name: string): Compiled | undefined {
  const condition = check(syntax, scope);
  if (isUnknown(condition.type)) return undefined;
  if (condition.type.kind === 'bool' || condition.type.kind === 'json')
    return finish(condition, 'bool', scope, new Map());
  complain(scope, syntax, `the condition of ${name} must be a condition, and this is ${describe(condition.type)}`);
  return undefined;
}

function quantileOf(level: Expression, scope: Scope): number | undefined {
  const value = level.literal?.value;
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  if (!isUnknown(level.type)) complain(scope, level, 'the level of a quantile is a number from 0 to 1, such as 0.9');
  return undefined;
}
