/** `list.exists(x, condition)`, `all`, `exists_one`, `filter`, `map`: bounded by `limits.expressionStepsMax`. */
import type { Field } from '../stream/schema.ts';
import {
  type Cell,
  type Evaluate,
  type Expression,
  type Place,
  report,
  type Scope,
  type Steps,
  unknown,
} from './expression.ts';
import type { Syntax } from './parse.ts';
import { bool, describe, isUnknown, json, toFieldType } from './types.ts';

type Check = (syntax: Syntax, scope: Scope) => Expression;
type MacroName = 'exists' | 'all' | 'exists_one' | 'filter' | 'map';

export const macroNames: readonly MacroName[] = ['exists', 'all', 'exists_one', 'filter', 'map'];

export function isMacro(name: string): name is MacroName {
  return (macroNames as readonly string[]).includes(name);
}

export function checkMacro(syntax: Extract<Syntax, { op: 'call' | 'rcall' }>, scope: Scope, check: Check): Expression {
  const name = syntax.args[0] as MacroName;
  const [ownerSyntax, ...rest] = syntax.op === 'rcall' ? [syntax.args[1], ...syntax.args[2]] : syntax.args[1];
  const owner = check(ownerSyntax as Syntax, scope);
  const [variable, ...bodies] = rest;
  if (variable?.op !== 'id' || bodies.length < 1 || bodies.length > (name === 'map' ? 2 : 1)) {
    const form = name === 'map' ? 'list.map(x, value) or list.map(x, condition, value)' : `list.${name}(x, condition)`;
    return report(scope, syntax, { code: 'MACH1216', message: `the arguments of ${name} do not fit: it is ${form}` });
  }
  if (isUnknown(owner.type)) return unknown(syntax);
  if (owner.type.kind !== 'list' && owner.type.kind !== 'json') {
    return report(scope, owner, {
      code: 'MACH1216',
      message: `${name} goes over a list, and this is ${describe(owner.type)}`,
    });
  }
  const field: Field =
    owner.type.kind === 'list' ? { type: owner.type.of, nullable: true } : { type: json, nullable: true };
  const cell: Cell = { value: null };
  const inner: Scope = { ...scope, variables: new Map([...scope.variables, [variable.args, { field, cell }]]) };
  scope.steps.used = true;
  const checked = bodies.map((body) => check(body, inner));
  const value = checked.at(-1) as Expression;
  const condition = name === 'map' ? (checked.length === 2 ? checked[0] : undefined) : value;
  if (condition && !['bool', 'json', 'unknown'].includes(condition.type.kind)) {
    return report(scope, condition, {
      code: 'MACH1211',
      message: `the condition of ${name} must be a condition, and this is ${describe(condition.type)}`,
    });
  }
  if (checked.some(({ type }) => isUnknown(type))) return unknown(syntax);
  const loop = {
    list: owner.evaluate,
    cell,
    steps: scope.steps,
    condition: condition?.evaluate,
    value: value.evaluate,
  };
  return macro(name, loop, owner, value, syntax);
}

interface Loop {
  readonly list: Evaluate;
  readonly cell: Cell;
  readonly steps: Steps;
  readonly condition: Evaluate | undefined;
  readonly value: Evaluate;
}

function macro(name: MacroName, loop: Loop, owner: Expression, value: Expression, { start, end }: Place): Expression {
  // Null when the list is null, or when the steps are used up.
  const common = { nullable: true, start, end };
  switch (name) {
    case 'exists':
      return { ...common, type: bool, evaluate: until(loop, true) };
    case 'all':
      return { ...common, type: bool, evaluate: until(loop, false) };
    case 'exists_one':
      return { ...common, type: bool, evaluate: exactlyOne(loop) };
    case 'filter':
      return { ...common, type: owner.type, evaluate: collect(loop, (_, item) => item) };
    case 'map':
      return { ...common, type: { kind: 'list', of: toFieldType(value.type) }, evaluate: collect(loop, loop.value) };
  }
}

/** Looks for the first item whose condition is (`exists`) or is not (`all`) true. */
function until({ list, cell, steps, value }: Loop, wanted: boolean): Evaluate {
  return (event) => {
    const items = list(event);
    if (!Array.isArray(items)) return null;
    for (const item of items) {
      if (steps.left-- <= 0) return null;
      cell.value = item;
      if ((value(event) === true) === wanted) return wanted;
    }
    return !wanted;
  };
}

function exactlyOne({ list, cell, steps, value }: Loop): Evaluate {
  return (event) => {
    const items = list(event);
    if (!Array.isArray(items)) return null;
    let count = 0;
    for (const item of items) {
      if (steps.left-- <= 0) return null;
      cell.value = item;
      if (value(event) === true) count++;
    }
    return count === 1;
  };
}

function collect(
  { list, cell, steps, condition }: Loop,
  produce: (event: Parameters<Evaluate>[0], item: unknown) => unknown,
): Evaluate {
  return (event) => {
    const items = list(event);
    if (!Array.isArray(items)) return null;
    const collected: unknown[] = [];
    for (const item of items) {
      if (steps.left-- <= 0) return null;
      cell.value = item;
      if (!condition || condition(event) === true) collected.push(produce(event, item));
    }
    return collected;
  };
}
