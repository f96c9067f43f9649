/** Calls of functions and of the list macros. */
import { didYouMean } from '../did-you-mean.ts';
import { type Expression, fold, noteTagsLost, type Place, report, type Scope, unknown } from './expression.ts';
import type { FunctionDefinition, Misfit } from './functions/define.ts';
import { accepts } from './functions/define.ts';
import { functions } from './functions/index.ts';
import { checkMacro, isMacro, macroNames } from './macros.ts';
import { partsOf, type Syntax } from './parse.ts';
import { describe, isUnknown } from './types.ts';

type Call = Extract<Syntax, { op: 'call' | 'rcall' }>;

export function checkCall(syntax: Call, scope: Scope, check: (syntax: Syntax, scope: Scope) => Expression): Expression {
  const name = syntax.args[0];
  if (syntax.op === 'rcall' && isMacro(name)) return checkMacro(syntax, scope, check);
  const definition = functions.get(name);
  // The arguments are checked all the same: their problems should come at once with this one.
  const args = partsOf(syntax).map((part) => check(part, scope));
  const place = placeOfName(syntax);
  if (!definition) return unknownFunction(name, place, scope);
  const count = countProblem(definition, args.length);
  if (count) return misfit(definition, { reason: count }, args, place, scope);
  for (const [position, arg] of args.entries()) {
    const parameter = definition.parameters[Math.min(position, definition.parameters.length - 1)];
    if (parameter === undefined || accepts(parameter, arg.type)) continue;
    const reason = `the ${ordinal(position)} must be ${parameter}, and this is ${describe(arg.type)}`;
    return misfit(definition, { reason, argument: position }, args, place, scope);
  }
  if (args.some(({ type }) => isUnknown(type))) return unknown(syntax);
  const bound = definition.bind(args);
  if ('reason' in bound) return misfit(definition, bound, args, place, scope);
  noteTagsLost(bound.type, args, scope);
  return fold({ ...bound, start: syntax.start, end: syntax.end }, args);
}

/** Where the name of the function stands. */
export function placeOfName(syntax: Call): Place {
  const name = syntax.args[0];
  const from = syntax.op === 'rcall' ? syntax.args[1].end : syntax.start;
  const start = syntax.input.indexOf(name, from);
  return { start, end: start + name.length };
}

function unknownFunction(name: string, place: Place, scope: Scope): Expression {
  const suggestion = didYouMean(name, [...functions.keys(), ...macroNames]);
  return report(scope, place, { code: 'MACH1212', message: `"${name}" is not a function`, suggestion });
}

function countProblem({ parameters, optional = 0, variadic }: FunctionDefinition, given: number): string | undefined {
  const least = parameters.length - optional;
  if (given >= least && (variadic || given <= parameters.length)) return undefined;
  const wanted = variadic ? `at least ${least}` : optional > 0 ? `${least} or ${parameters.length}` : `${least}`;
  return `it takes ${wanted}, and here are ${given}`;
}

function misfit(
  { name, signature }: FunctionDefinition,
  { reason, argument, code, suggestion }: Misfit,
  args: readonly Expression[],
  place: Place,
  scope: Scope,
): Expression {
  const at = (argument === undefined ? undefined : args[argument]) ?? place;
  if (code === 'MACH1214')
    return report(scope, at, { code, message: `the pattern of ${name}() cannot be used: ${reason}` });
  return report(scope, at, {
    code: 'MACH1216',
    message: `the arguments of ${name} do not fit: ${reason}. It is ${signature}`,
    suggestion,
  });
}

function ordinal(position: number): string {
  return ['first', 'second', 'third', 'fourth'][position] ?? `${position + 1}th`;
}
