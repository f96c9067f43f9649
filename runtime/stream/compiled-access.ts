/**
 * Functions made for the names of the fields at hand. A function that is handed a name at run time (`event[name]`) sees events of every shape that
 * there is, and V8 looks each field up anew; one that has the name in its text sees few, and reads a field where it lies.
 *
 * Text that comes from outside is never made into code (docs/decisions/0014): only a plain identifier is, everything else is read by closures.
 */
import type { Event } from './schema.ts';

const identifier = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/** Whether a name may stand in the text of a function. */
export function isPlain(name: string): boolean {
  return identifier.test(name) && name !== '__proto__';
}

/** The text is made of fixed pieces and of plain names alone. */
export function compile<Result>(parameters: readonly string[], body: string): Result {
  return new Function(...parameters, `'use strict'; ${body}`) as Result;
}

const readers = new Map<string, (event: Event) => unknown>();
const readersMax = 10_000;

/** The value of a field; null where it is absent. */
export function fieldReader(name: string): (event: Event) => unknown {
  if (!isPlain(name)) return (event) => event[name] ?? null;
  const known = readers.get(name);
  if (known) return known;
  const made = compile<(event: Event) => unknown>(['event'], `return event.${name} ?? null;`);
  if (readers.size < readersMax) readers.set(name, made);
  return made;
}

/** The values of fields, in order; null where one is absent. */
export function fieldsReader(names: readonly string[]): (event: Event) => unknown[] {
  if (!names.every(isPlain)) return (event) => names.map((name) => event[name] ?? null);
  return compile(['event'], `return [${names.map((name) => `event.${name} ?? null`).join(', ')}];`);
}

export type ReadColumn = (events: readonly Event[]) => unknown[] | null;

/** The values of a field of many events, null where it is absent; null where every value is. */
export function columnReader(name: string): ReadColumn {
  if (!isPlain(name)) return (events) => columnOf(events, fieldReader(name));
  return compile(
    ['events'],
    `const { length } = events;
    const values = new Array(length);
    let present = false;
    for (let index = 0; index < length; index++) {
      const value = events[index].${name};
      if (value === undefined || value === null) values[index] = null;
      else { values[index] = value; present = true; }
    }
    return present ? values : null;`,
  );
}

function columnOf(events: readonly Event[], read: (event: Event) => unknown): unknown[] | null {
  const values = events.map(read);
  return values.some((value) => value !== null) ? values : null;
}

/** Of each field the values of many events, null where one is absent. */
export function fieldColumns(names: readonly string[]): (events: readonly Event[]) => unknown[][] {
  if (!names.every(isPlain)) return (events) => names.map((name) => events.map((event) => event[name] ?? null));
  const columns = names.map((_, at) => `column${at}`);
  return compile(
    ['events'],
    `const { length } = events;
    ${columns.map((column) => `const ${column} = new Array(length);`).join(' ')}
    for (let index = 0; index < length; index++) {
      const event = events[index];
      ${columns.map((column, at) => `${column}[index] = event.${names[at]} ?? null;`).join(' ')}
    }
    return [${columns.join(', ')}];`,
  );
}

/** The values of some rows of a column. */
export type ChooseValues = (column: ArrayLike<unknown>, rows: Uint32Array) => unknown[];

/** Each call makes another function: one that sees columns of one kind alone copies them without asking for it. */
export function valueChooser(): ChooseValues {
  return compile(
    ['column', 'rows'],
    `const { length } = rows;
    const values = new Array(length);
    for (let at = 0; at < length; at++) values[at] = column[rows[at]];
    return values;`,
  );
}

/** How rows of columns become events, all of one shape from the start: fields added one by one would make V8 grow, and in the end hash, each. */
export interface ColumnAccess {
  /** Of the rows from a place to another. */
  build(columns: readonly ArrayLike<unknown>[], from: number, to: number): Event[];
  /** Of the first `count` of `rows`, each counted from `offset`. */
  pick(columns: readonly ArrayLike<unknown>[], offset: number, rows: ArrayLike<number>, count: number): Event[];
  /** Of each column. */
  readonly choosers: readonly ChooseValues[];
}

const accesses = new Map<string, ColumnAccess>();

/** The same again, for those who ask with the same list. */
const accessOfList = new WeakMap<readonly string[], ColumnAccess>();

/** For columns of these names, in this order. */
export function columnAccess(names: readonly string[]): ColumnAccess {
  const known = accessOfList.get(names) ?? accessOf(names);
  accessOfList.set(names, known);
  return known;
}

function accessOf(names: readonly string[]): ColumnAccess {
  const identity = JSON.stringify(names);
  const known = accesses.get(identity);
  if (known) return known;
  const made = {
    ...(names.every(isPlain) ? compileAccess(names) : plainAccess(names)),
    choosers: names.map(valueChooser),
  };
  if (accesses.size < readersMax) accesses.set(identity, made);
  return made;
}

type BuildAccess = Omit<ColumnAccess, 'choosers'>;

function plainAccess(names: readonly string[]): BuildAccess {
  const row = (columns: readonly ArrayLike<unknown>[], index: number) =>
    Object.fromEntries(names.map((name, at) => [name, columns[at]?.[index]]));
  return {
    build: (columns, from, to) => Array.from({ length: to - from }, (_, at) => row(columns, from + at)),
    pick: (columns, offset, rows, count) =>
      Array.from({ length: count }, (_, at) => row(columns, offset + (rows[at] as number))),
  };
}

function compileAccess(names: readonly string[]): BuildAccess {
  const opened = names.map((_, at) => `const c${at} = columns[${at}];`).join(' ');
  const fields = names.map((name, at) => `${name}: c${at}[index]`).join(', ');
  return compile<() => BuildAccess>(
    [],
    `return {
      build(columns, from, to) {
        ${opened}
        const events = new Array(to - from);
        for (let index = from; index < to; index++) events[index - from] = { ${fields} };
        return events;
      },
      pick(columns, offset, rows, count) {
        ${opened}
        const events = new Array(count);
        for (let at = 0; at < count; at++) { const index = rows[at] + offset; events[at] = { ${fields} }; }
        return events;
      },
    };`,
  )();
}

/** Events that have every field as they are; the others as copies in which the fields that they lack are null. */
export function eventCompleter(names: readonly string[]): (events: readonly Event[]) => readonly Event[] {
  const lacks = lackOf(names);
  const complete = (event: Event): Event => ({ ...nulls, ...defined(event) });
  const nulls = Object.fromEntries(names.map((name) => [name, null]));
  return (events) => (events.some(lacks) ? events.map((event) => (lacks(event) ? complete(event) : event)) : events);
}

/** Whether an event lacks one of the fields. */
function lackOf(names: readonly string[]): (event: Event) => boolean {
  if (!names.every(isPlain)) return (event) => names.some((name) => event[name] === undefined);
  return compile(['event'], `return ${names.map((name) => `event.${name} === undefined`).join(' || ') || 'false'};`);
}

function defined(event: Event): Event {
  return Object.fromEntries(Object.entries(event).filter(([, value]) => value !== undefined));
}

/** An event with fields of another, and others whose values are given in order; null where none are given. */
export function eventExtender(
  kept: readonly string[],
  added: readonly string[],
): (event: Event, values: readonly unknown[] | null) => Event {
  if (![...kept, ...added].every(isPlain)) {
    return (event, values) =>
      Object.fromEntries([
        ...kept.map((name) => [name, event[name]] as const),
        ...added.map((name, at) => [name, values === null ? null : values[at]] as const),
      ]);
  }
  const own = kept.map((name) => `${name}: event.${name}`);
  const given = added.map((name, at) => `${name}: values[${at}]`);
  const none = added.map((name) => `${name}: null`);
  return compile(
    ['event', 'values'],
    `return values === null ? { ${[...own, ...none].join(', ')} } : { ${[...own, ...given].join(', ')} };`,
  );
}

/** An event with fields of another under names of their own; null where there is no other, and where it lacks one. */
export function eventJoiner(
  kept: readonly string[],
  taken: readonly { readonly from: string; readonly to: string }[],
): (event: Event, other: Event | null) => Event {
  if (![...kept, ...taken.flatMap(({ from, to }) => [from, to])].every(isPlain)) {
    return (event, other) =>
      Object.fromEntries([
        ...kept.map((name) => [name, event[name]] as const),
        ...taken.map(({ from, to }) => [to, other?.[from] ?? null] as const),
      ]);
  }
  const own = kept.map((name) => `${name}: event.${name}`);
  const given = taken.map(({ from, to }) => `${to}: other.${from} ?? null`);
  const none = taken.map(({ to }) => `${to}: null`);
  return compile(
    ['event', 'other'],
    `return other === null ? { ${[...own, ...none].join(', ')} } : { ${[...own, ...given].join(', ')} };`,
  );
}
