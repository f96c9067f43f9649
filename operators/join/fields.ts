/** Fields of a join: which are compared, which come out, under which names. */
import {
  type BoundOperator,
  type Checker,
  describeType,
  type Event,
  eventExtender,
  eventJoiner,
  type Field,
  fieldNames,
  fieldsReader,
  isAssignable,
  type OptionPath,
  type Schema,
  type Spread,
  spreadByKey,
  strongestTag,
  tagged,
  tagOf,
} from '../../runtime/stream/index.ts';
import type { JoinOptions } from './options.ts';

export interface JoinFields {
  readonly leftKey: readonly string[];
  readonly rightKey: readonly string[];
  readonly left: Schema;
  readonly right: Schema;
  /** Left fields, then right fields under their new names. */
  readonly schema: Schema;
  /** Right fields that are taken, with their names in the output. */
  readonly taken: readonly { readonly from: string; readonly to: string }[];
  /** The left event with the values of a right one; null: there is none. */
  join(left: Event, right: Taken | null): Event;
  /** The values of a right event that come out. */
  take(right: Event): Taken;
  /** The same where right events wait as objects. */
  readonly waiting: WaitingRights;
}

/** Right events that wait: an object of the fields that come out is smaller than a list of their values, and made at once. */
export interface WaitingRights {
  /** What is kept of a right event: itself, where it has nothing else. */
  keep(right: Event): Event;
  /** The left event with a right one that was kept; null: there is none. */
  join(left: Event, kept: Event | null): Event;
  /** What was kept, from its values. */
  restore(values: Taken): Event;
}

/** Left and right events with equal keys must meet; the left's own fields come out as they are. */
export function spreadOfJoin({ leftKey, rightKey }: JoinFields, leftInput: string): Spread {
  return spreadByKey({ [leftInput]: leftKey, right: rightKey }, leftKey);
}

/** Fields of an input that are needed for these fields of the output. */
export function readsOfJoin({ taken }: JoinFields): NonNullable<BoundOperator['reads']> {
  return (wanted, input) =>
    input === 'right' ? taken.filter(({ to }) => wanted.has(to)).map(({ from }) => from) : wanted;
}

/** The values of a right event that come out, in the order of `taken`. */
export type Taken = readonly unknown[];

function namesAt(value: string | readonly string[], path: readonly (string | number)[]): [string, OptionPath][] {
  if (typeof value === 'string') return [[value, path]];
  return value.map((name, index) => [name, [...path, index]]);
}

function checkKeys(options: JoinOptions, left: Schema, right: Schema, check: Checker) {
  const { on } = options;
  const sides =
    typeof on === 'string' || Array.isArray(on) ? null : (on as { left: string | string[]; right: string | string[] });
  const leftNames = sides ? namesAt(sides.left, ['on', 'left']) : namesAt(on as string | string[], ['on']);
  const rightNames = sides ? namesAt(sides.right, ['on', 'right']) : namesAt(on as string | string[], ['on']);
  if (leftNames.length !== rightNames.length) {
    check.problem('on', `${leftNames.length} fields of the left cannot equal ${rightNames.length} of the right`);
  }
  const isKnown = ([name]: readonly [string, unknown], side: Schema) => Object.hasOwn(side.fields, name);
  for (const [, path] of leftNames) check.field(path, left);
  // A name that stands for both sides is told once.
  for (const [at, name] of rightNames.entries())
    if (sides || isKnown(leftNames[at] as (typeof leftNames)[number], left)) check.field(name[1], right);
  leftNames.forEach(([name, path], index) => {
    const a = left.fields[name]?.type;
    const b = right.fields[rightNames[index]?.[0] ?? '']?.type;
    if (!a || !b || isAssignable(a, b) || isAssignable(b, a)) return;
    check.problem(
      path,
      `left ${name} is ${describeType(a)} and right ${rightNames[index]?.[0]} is ${describeType(b)}: they are never equal`,
      'convert one with map',
    );
  });
  return {
    leftKey: leftNames.map(([name]) => name),
    rightKey: rightNames.map(([name]) => name),
    isWhole: rightNames.every((name) => isKnown(name, right)),
  };
}

/** `optional`: an event may come out without a right side, so that its fields may be null. */
export function bindFields(args: {
  options: JoinOptions;
  left: Schema;
  right: Schema;
  optional: boolean;
  check: Checker;
}): JoinFields {
  const { options, left, right, optional, check } = args;
  const { leftKey, rightKey, isWhole } = checkKeys(options, left, right, check);
  options.fields?.forEach((name, index, names) => {
    check.field(['fields', index], right);
    if (names.indexOf(name) < index) check.problem(['fields', index], `${name} is named twice`);
  });
  const wanted = options.fields ?? fieldNames(right).filter((name) => !rightKey.includes(name));
  const prefix = options.prefix ?? '';
  const taken = wanted
    .filter((name) => Object.hasOwn(right.fields, name))
    .map((from) => ({ from, to: `${prefix}${from}` }));
  const twice = taken.filter(({ to }) => Object.hasOwn(left.fields, to)).map(({ to }) => to);
  // A key that is spelt wrongly would be among them, and the advice wrong.
  if (twice.length > 0 && isWhole) {
    const problem = `both sides have ${twice.length === 1 ? 'a field' : 'fields'} ${twice.join(', ')}`;
    const other = prefix === '' ? 'right_' : `right_${prefix}`;
    check.problem(
      options.fields ? 'fields' : options.right === undefined ? 'table' : 'right',
      problem,
      `add \`prefix: ${other}\`, or name those wanted with \`fields\``,
    );
  }
  const fields: Record<string, Field> = { ...left.fields };
  // What equals a name is one.
  for (const [at, name] of leftKey.entries()) {
    const known = Object.hasOwn(fields, name) ? fields[name] : undefined;
    const other = rightKey[at] === undefined ? {} : tagOf([rightKey[at]], right);
    if (known) fields[name] = { ...known, ...tagged(strongestTag([known.privacy, other.privacy])) };
  }
  for (const { from, to } of taken) {
    const field = right.fields[from] as Field;
    fields[to] = optional ? { ...field, nullable: true } : field;
  }
  return {
    leftKey,
    rightKey,
    left,
    right,
    schema: { fields },
    taken,
    join: eventExtender(
      fieldNames(left),
      taken.map(({ to }) => to),
    ),
    take: fieldsReader(taken.map(({ from }) => from)),
    waiting: waitingRights({ left, right, rightKey, taken }),
  };
}

function waitingRights(args: {
  left: Schema;
  right: Schema;
  rightKey: readonly string[];
  taken: JoinFields['taken'];
}): WaitingRights {
  const { left, right, rightKey, taken } = args;
  const names = taken.map(({ from }) => from);
  // A key of one field is kept anyway.
  const [key] = rightKey;
  const isAll = rightKey.length === 1 && fieldNames(right).every((name) => name === key || names.includes(name));
  const pick = eventExtender(names, []);
  const make = eventExtender([], names);
  return {
    keep: isAll ? (event) => event : (event) => pick(event, null),
    join: eventJoiner(fieldNames(left), taken),
    restore: (values) => make(nothing, values),
  };
}

const nothing: Event = {};
