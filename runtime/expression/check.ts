/** Checks the syntax tree against the schema and compiles it on the way: each part becomes its type and its code. */
import type { FieldType } from '../stream/schema.ts';
import { field, identifier, index } from './access.ts';
import { checkCall } from './call.ts';
import { coded, type Expression, fold, literal, noteTagsLost, report, type Scope, unknown } from './expression.ts';
import { and, choose, not, or } from './logic.ts';
import { checkArithmetic, checkComparison, checkIn, checkNegation } from './operators.ts';
import { chainOf, type Syntax } from './parse.ts';
import { bool, describe, float, int, isFieldType, isUnknown, string, type Type, toFieldType, unify } from './types.ts';

export function check(syntax: Syntax, scope: Scope): Expression {
  switch (syntax.op) {
    case 'value':
      return checkLiteral(syntax, syntax.args, scope);
    case 'id':
      return identifier(syntax, syntax.args, scope);
    case '.':
      return field(syntax, scope, check);
    case '[]':
      return index(syntax, scope, check);
    case 'call':
    case 'rcall':
      return checkCall(syntax, scope, check);
    case 'list':
      return checkList(syntax, syntax.args, scope);
    case 'map':
      return checkRecord(syntax, syntax.args, scope);
    case '?:':
      return checkChoice(syntax, syntax.args, scope);
    case '&&':
    case '||':
      return checkLogic(syntax, syntax.op, scope);
    case '!_':
      return checkNot(syntax, syntax.args, scope);
    case '-_':
      return checkNegation(syntax, check(syntax.args, scope), scope);
    case 'in':
      return checkIn(syntax, check(syntax.args[0], scope), check(syntax.args[1], scope), scope);
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return checkComparison(syntax, syntax.op, check(syntax.args[0], scope), check(syntax.args[1], scope), scope);
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return checkArithmetic(syntax, syntax.op, check(syntax.args[0], scope), check(syntax.args[1], scope), scope);
    default:
      return report(scope, syntax, {
        code: 'MACH1210',
        message: `the expression cannot be read: "${syntax.op}" is not part of the language`,
      });
  }
}

function checkLiteral(syntax: Syntax, value: unknown, scope: Scope): Expression {
  if (value === null) return literal(null, { kind: 'null' }, syntax);
  if (typeof value === 'boolean') return literal(value, bool, syntax);
  if (typeof value === 'number') return literal(value, float, syntax);
  if (typeof value === 'string') return literal(value, { kind: 'string', values: [value] }, syntax);
  if (value instanceof Uint8Array) {
    return report(scope, syntax, {
      code: 'MACH1210',
      message: 'the expression cannot be read: there are no bytes, only text: leave out the b before the quotes',
    });
  }
  const whole = Number(value);
  if (Number.isSafeInteger(whole)) return literal(whole, int, syntax);
  return report(scope, syntax, {
    code: 'MACH1211',
    message: `the number ${String(value)} is too large: whole numbers go up to 9007199254740991`,
  });
}

/** A part that must be a condition. */
function checkCondition(syntax: Syntax, scope: Scope, role: string): Expression {
  const condition = check(syntax, scope);
  if (isCondition(condition.type)) return condition;
  return report(scope, syntax, {
    code: 'MACH1211',
    message: `${role} must be a condition, and this is ${describe(condition.type)}`,
  });
}

function isCondition({ kind }: Type): boolean {
  return kind === 'bool' || kind === 'json' || kind === 'unknown' || kind === 'null';
}

function checkLogic(syntax: Syntax, operator: '&&' | '||', scope: Scope): Expression {
  const operands = chainOf(syntax).map((part) => checkCondition(part, scope, `each side of ${operator}`));
  const about = { type: bool, nullable: false, start: syntax.start, end: syntax.end };
  return fold(coded(about, operator === '&&' ? and(operands) : or(operands)), operands);
}

function checkNot(syntax: Syntax, part: Syntax, scope: Scope): Expression {
  const operand = checkCondition(part, scope, 'what stands after !');
  return fold(coded({ type: bool, nullable: false, start: syntax.start, end: syntax.end }, not(operand)), [operand]);
}

function checkChoice(
  syntax: Syntax,
  [first, second, third]: readonly [Syntax, Syntax, Syntax],
  scope: Scope,
): Expression {
  const condition = checkCondition(first, scope, 'what stands before ?');
  const then = check(second, scope);
  const otherwise = check(third, scope);
  const type = unify(then.type, otherwise.type);
  if (!type) {
    return report(scope, syntax, {
      code: 'MACH1211',
      message: `both results of a choice must have one type, and these are ${describe(then.type)} and ${describe(otherwise.type)}`,
    });
  }
  noteTagsLost(type, [then, otherwise], scope);
  const about = { type, nullable: then.nullable || otherwise.nullable, start: syntax.start, end: syntax.end };
  return fold(coded(about, choose(condition, then, otherwise)), [condition, then, otherwise]);
}

function checkList(syntax: Syntax, parts: readonly Syntax[], scope: Scope): Expression {
  const items = parts.map((part) => check(part, scope));
  let of: Type = { kind: 'unknown' };
  for (const [position, item] of items.entries()) {
    const both: Type | undefined = position === 0 ? item.type : unify(of, item.type);
    if (!both) {
      return report(scope, item, {
        code: 'MACH1211',
        message: `the items of a list must have one type, and here come ${describe(of)} and ${describe(item.type)}`,
      });
    }
    of = both;
  }
  if (items.some(({ type }) => isUnknown(type))) return unknown(syntax);
  noteTagsLost(of, items, scope);
  // An empty list goes with any other.
  const type: FieldType = { kind: 'list', of: items.length === 0 ? string : toFieldType(of) };
  const evaluates = items.map(({ evaluate }) => evaluate);
  const list: Expression = {
    type,
    nullable: false,
    start: syntax.start,
    end: syntax.end,
    evaluate: (event) => evaluates.map((evaluate) => evaluate(event)),
  };
  return fold(list, items);
}

function checkRecord(syntax: Syntax, entries: readonly (readonly [Syntax, Syntax])[], scope: Scope): Expression {
  const names: string[] = [];
  const values: Expression[] = [];
  for (const [name, value] of entries) {
    values.push(check(value, scope));
    if (name.op === 'value' && typeof name.args === 'string' && name.args !== '__proto__' && !names.includes(name.args))
      names.push(name.args);
    else
      report(scope, name, {
        code: 'MACH1210',
        message: 'the expression cannot be read: the names in a record are different texts in quotes',
      });
  }
  if (names.length < values.length || values.some(({ type }) => isUnknown(type))) return unknown(syntax);
  const fields = Object.fromEntries(
    values.map(({ type, nullable }, position) => [
      names[position] as string,
      { type: isFieldType(type) ? type : toFieldType(type), ...(nullable && { nullable: true }) },
    ]),
  );
  return {
    type: { kind: 'record', fields },
    nullable: false,
    start: syntax.start,
    end: syntax.end,
    evaluate: (event) => {
      const record: Record<string, unknown> = {};
      for (const [position, { evaluate }] of values.entries()) record[names[position] as string] = evaluate(event);
      return record;
    },
  };
}
