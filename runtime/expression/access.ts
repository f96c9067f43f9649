/** Names, fields of records, items of lists. */
import { didYouMean } from '../did-you-mean.ts';
import type { Write } from '../stream/code.ts';
import { fieldReader } from '../stream/compiled-access.ts';
import type { Event, Field, Fields } from '../stream/schema.ts';
import { coded, type Expression, fold, loose, type Place, report, type Scope, unknown } from './expression.ts';
import type { Syntax } from './parse.ts';
import { describe, isNumber, isUnknown, json } from './types.ts';

type Check = (syntax: Syntax, scope: Scope) => Expression;

/** The name under which the whole event is known. */
const eventName = 'event';

export function identifier(place: Place, name: string, scope: Scope): Expression {
  const variable = scope.variables.get(name);
  if (variable) {
    const { cell, field } = variable;
    scope.variablesRead.add(name);
    scope.tagsRead.add(field.privacy);
    return {
      ...typed(field),
      ...range(place),
      evaluate: () => cell.value ?? null,
      write: (code) => `(${code.given(cell)}.value ?? null)`,
    };
  }
  if (name === eventName) {
    for (const [each, { privacy }] of Object.entries(scope.input.fields)) {
      scope.fieldsRead.add(each);
      scope.tagsRead.add(privacy);
    }
    return {
      type: { kind: 'record', fields: scope.input.fields },
      nullable: false,
      ...range(place),
      evaluate: (event) => event,
    };
  }
  return fieldOfEvent(place, name, scope);
}

function fieldOfEvent(place: Place, name: string, scope: Scope): Expression {
  const found = own(scope.input.fields, name);
  if (!found) {
    const names = [...scope.variables.keys(), ...Object.keys(scope.input.fields)];
    return unknownField(place, name, scope.inputName, names, scope);
  }
  scope.fieldsRead.add(name);
  scope.tagsRead.add(found.privacy);
  return { ...typed(found), ...range(place), evaluate: fieldReader(name), field: name };
}

export function field(syntax: Extract<Syntax, { op: '.' }>, scope: Scope, check: Check): Expression {
  const [owner, name] = syntax.args;
  const place = { start: syntax.pos, end: syntax.end };
  if (isEvent(owner, scope)) return { ...fieldOfEvent(place, name, scope), start: syntax.start };
  return member(check(owner, scope), name, place, scope);
}

function isEvent(syntax: Syntax, scope: Scope): boolean {
  return syntax.op === 'id' && syntax.args === eventName && !scope.variables.has(eventName);
}

function member(owner: Expression, name: string, place: Place, scope: Scope): Expression {
  const whole = { start: owner.start, end: place.end };
  if (isUnknown(owner.type)) return unknown(whole);
  const memberOf = memberReader(name);
  const read: Write = (code) => `${code.given(memberOf)}(${loose(owner, code)})`;
  if (owner.type.kind === 'json') return coded({ type: json, nullable: true, ...whole }, read);
  if (owner.type.kind !== 'record') {
    return report(scope, place, {
      code: 'MACH1211',
      message: `${describe(owner.type)} has no fields, so ".${name}" names nothing`,
    });
  }
  const found = own(owner.type.fields, name);
  if (!found) return unknownField(place, name, 'the record', Object.keys(owner.type.fields), scope);
  scope.tagsRead.add(found.privacy);
  return coded({ type: found.type, nullable: owner.nullable || found.nullable === true, ...whole }, read);
}

export function index(syntax: Extract<Syntax, { op: '[]' }>, scope: Scope, check: Check): Expression {
  const [ownerSyntax, keySyntax] = syntax.args;
  const place = { start: keySyntax.start, end: keySyntax.end };
  const name = keySyntax.op === 'value' && typeof keySyntax.args === 'string' ? keySyntax.args : undefined;
  if (name !== undefined && isEvent(ownerSyntax, scope))
    return { ...fieldOfEvent(place, name, scope), ...range(syntax) };
  const owner = check(ownerSyntax, scope);
  if (name !== undefined && (owner.type.kind === 'record' || owner.type.kind === 'json')) {
    return { ...member(owner, name, place, scope), ...range(syntax) };
  }
  const key = check(keySyntax, scope);
  if (isUnknown(owner.type) || isUnknown(key.type)) return unknown(syntax);
  const read: Write = (code) => `${code.given(item)}(${loose(owner, code)}, ${loose(key, code)})`;
  if (owner.type.kind === 'json') return coded({ type: json, nullable: true, ...range(syntax) }, read);
  if (owner.type.kind !== 'list') {
    return report(scope, place, {
      code: 'MACH1211',
      message: `${describe(owner.type)} has no items; only lists do, and records with a name in quotes`,
    });
  }
  if (!isNumber(key.type) && key.type.kind !== 'json') {
    return report(scope, place, {
      code: 'MACH1211',
      message: `the place in a list is a whole number from 0, and this is ${describe(key.type)}`,
    });
  }
  const readItem = owner.writeItem?.(key) ?? read;
  return fold(coded({ type: owner.type.of, nullable: true, ...range(syntax) }, readItem), [owner, key]);
}

function item(list: unknown, key: unknown): unknown {
  if (typeof key === 'string') return property(list, key);
  return Array.isArray(list) && typeof key === 'number' ? (list[key] ?? null) : null;
}

/** As `property`, with a function made for the name. */
function memberReader(name: string): (owner: unknown) => unknown {
  // Names that every object has are looked up with care.
  if (name in Object.prototype) return (owner) => property(owner, name);
  const valueOf = fieldReader(name);
  return (owner) =>
    typeof owner === 'object' && owner !== null && !Array.isArray(owner) ? valueOf(owner as Event) : null;
}

/** Own properties only: a name such as `constructor` must not reach into JavaScript. */
export function property(owner: unknown, name: string): unknown {
  if (typeof owner !== 'object' || owner === null || Array.isArray(owner)) return null;
  return Object.hasOwn(owner, name) ? ((owner as Event)[name] ?? null) : null;
}

function own(fields: Fields, name: string): Field | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

function unknownField(place: Place, name: string, owner: string, names: readonly string[], scope: Scope): Expression {
  return report(scope, place, {
    code: 'MACH1203',
    message: `"${name}" is not a field of ${owner}`,
    suggestion: didYouMean(name, names),
    known: names,
  });
}

function typed({ type, nullable }: Field): Pick<Expression, 'type' | 'nullable'> {
  return { type, nullable: nullable === true };
}

function range({ start, end }: Place): Place {
  return { start, end };
}
