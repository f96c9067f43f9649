/** What a function of the language is, and how its code is made. */
import type { Write } from '../../stream/code.ts';
import { compiled, type Expression, once } from '../expression.ts';
import { isNumber, isNumeric, type Type } from '../types.ts';

/** Kinds of arguments: `number` is a plain number, `numeric` also a timestamp or a duration. */
export type Parameter =
  | 'string'
  | 'bool'
  | 'number'
  | 'numeric'
  | 'timestamp'
  | 'duration'
  | 'list'
  | 'text or list'
  | 'any';

export type Bound = Pick<Expression, 'type' | 'nullable' | 'evaluate' | 'write' | 'writeItem'>;

export function bound(about: Pick<Bound, 'type' | 'nullable'>, write: Write): Bound {
  return { ...about, write, evaluate: compiled(write) };
}

/** Why the arguments do not fit; `argument` says which one to point at. */
export interface Misfit {
  readonly reason: string;
  readonly argument?: number;
  readonly code?: 'MACH1214';
  readonly suggestion?: string | undefined;
}

export interface FunctionDefinition {
  readonly name: string;
  /** As written in documentation and messages. */
  readonly signature: string;
  /** Parameters. A call may also be written `first.name(others)`. */
  readonly parameters: readonly Parameter[];
  /** How many of the last parameters may be left out. */
  readonly optional?: number;
  /** The last parameter may come any number of times. */
  readonly variadic?: boolean;
  bind(args: readonly Expression[]): Bound | Misfit;
}

/** Whether an argument fits, as far as the check knows; a JSON value may be anything, and evaluation looks. */
export function accepts(parameter: Parameter, type: Type): boolean {
  const { kind } = type;
  if (kind === 'json' || kind === 'unknown' || kind === 'null' || parameter === 'any') return true;
  if (parameter === 'number') return isNumber(type);
  if (parameter === 'numeric') return isNumeric(type);
  if (parameter === 'text or list') return kind === 'string' || kind === 'list';
  return kind === parameter;
}

interface Plain<A extends unknown[]> {
  readonly signature: string;
  readonly parameters: readonly Parameter[];
  readonly optional?: number;
  readonly variadic?: boolean;
  /** The type of the result, of the arguments' types or whatever they are. */
  readonly result: Type | ((args: readonly Expression[]) => Type | undefined);
  /** May give null although no argument is null. */
  readonly nullable?: boolean;
  apply(...args: A): unknown;
}

/** A function that is null when one of its arguments is, and otherwise depends on their values alone. */
export function plain<A extends unknown[]>(definition: Plain<A>): FunctionDefinition {
  const { signature, parameters, result, apply } = definition;
  return {
    ...definition,
    name: signature.slice(0, signature.indexOf('(')),
    bind(args) {
      const type = typeof result === 'function' ? result(args) : result;
      if (!type) return { reason: 'they must be of one type' };
      const nullable = definition.nullable === true || args.some(isUncertain);
      return { type, nullable, ...applyTo(apply as (...args: unknown[]) => unknown, parameters, args) };
    },
  };
}

export function isUncertain({ nullable, type }: Expression): boolean {
  return nullable || type.kind === 'json';
}

/** Whether a value is what the parameter takes, as code: what is not (null, or a JSON value of another kind) makes the result null. */
function holds(parameter: Parameter, value: string): string {
  switch (parameter) {
    case 'string':
      return `typeof ${value} === 'string'`;
    case 'bool':
      return `typeof ${value} === 'boolean'`;
    case 'number':
    case 'numeric':
    case 'timestamp':
    case 'duration':
      return `typeof ${value} === 'number'`;
    case 'list':
      return `Array.isArray(${value})`;
    case 'text or list':
      return `(typeof ${value} === 'string' || Array.isArray(${value}))`;
    default:
      return `${value} != null`;
  }
}

/** A function of the values of all arguments, null where one of them is not what its parameter takes. */
export function applyTo(
  apply: (...args: unknown[]) => unknown,
  parameters: readonly Parameter[],
  args: readonly Expression[],
): Pick<Bound, 'evaluate' | 'write'> {
  const write: Write = (code) => {
    const variables: string[] = [];
    const checks = args.map((arg, position) => {
      const [variable, assignment] = once(arg, code);
      variables.push(variable);
      const parameter = parameters[Math.min(position, parameters.length - 1)] as Parameter;
      return `(${assignment}, ${holds(parameter, variable)})`;
    });
    return code.shared(`(${checks.join(' && ')} ? ${code.given(apply)}(${variables.join(', ')}) : null)`);
  };
  return { write, evaluate: compiled(write) };
}
