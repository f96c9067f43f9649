/**
 * Functions made for lists of so many slots, each with a function of its own. A loop over functions calls another one at each turn, which V8 does
 * not see through; where each call stands for itself, it does.
 */
import { ColumnCode, EventCode } from './code.ts';
import { compile, isPlain } from './compiled-access.ts';
import { EventColumns } from './event-columns.ts';
import type { EventRows } from './row-loops.ts';
import type { Event } from './schema.ts';

/** `f0`, `f1` and so on: the names that the functions have in the text. */
function made<Result>(functions: readonly unknown[], body: (names: readonly string[]) => string): Result {
  const names = functions.map((_, at) => `f${at}`);
  return compile<(...given: unknown[]) => Result>(names, `return ${body(names)};`)(...functions);
}

/** A list of what each function gives. */
export function listMaker(functions: readonly (() => unknown)[]): () => unknown[] {
  return made(functions, (names) => `function makeList() { return [${names.map((name) => `${name}()`).join(', ')}]; }`);
}

/** A list of what each function makes of its slot. */
export function listMapper(
  functions: readonly ((value: unknown) => unknown)[],
): (list: readonly unknown[]) => unknown[] {
  const slots = (names: readonly string[]) => names.map((name, at) => `${name}(list[${at}])`).join(', ');
  return made(functions, (names) => `function mapList(list) { return [${slots(names)}]; }`);
}

export type SlotUpdate = (value: unknown, event: Event, time: number) => unknown;

/** Puts into each slot what its function makes of it and an event. */
export function listUpdater(updates: readonly SlotUpdate[]): (list: unknown[], event: Event, time: number) => void {
  const slots = (names: readonly string[]) =>
    names.map((name, at) => `list[${at}] = ${name}(list[${at}], event, time);`);
  return made(updates, (names) => `function updateList(list, event, time) { ${slots(names).join(' ')} }`);
}

/** An event made of lists of values, whose names are given for each in its order. What a list has beyond them is not taken. */
export function eventComposer(
  names: readonly (readonly string[])[],
): (...lists: readonly (readonly unknown[])[]) => Event {
  if (!names.flat().every(isPlain)) {
    return (...lists) =>
      Object.fromEntries(names.flatMap((own, at) => own.map((name, slot) => [name, lists[at]?.[slot]] as const)));
  }
  const fields = names.flatMap((own, at) => own.map((name, slot) => `${name}: l${at}[${slot}]`));
  return compile(
    names.map((_, at) => `l${at}`),
    `return { ${fields.join(', ')} };`,
  );
}

export interface FieldVisit<Target> {
  readonly field: string;
  /** `value`: null or undefined where the field is absent. */
  visit(value: unknown, target: Target): void;
}

/** Of some rows, in the order of their places: calls each of them, in order, with the value of its field. */
export type RowsVisitor<Target> = (events: EventRows, places: ArrayLike<number>, target: Target) => void;

type Visit<Target> = (
  from: readonly unknown[],
  offset: number,
  rows: ArrayLike<number>,
  count: number,
  target: Target,
) => void;

export function rowsVisitor<Target>(visits: readonly FieldVisit<Target>[]): RowsVisitor<Target> {
  const loopOf = (code: EventCode | ColumnCode) => {
    const calls = visits.map(({ field, visit }) => `${code.given(visit)}(${code.field(field)}, target);`);
    return code.compileLoop<Visit<Target>>(', target', { before: '', body: calls.join(' '), after: '' });
  };
  const overEvents = loopOf(new EventCode());
  const columnCode = new ColumnCode();
  const overColumns = loopOf(columnCode);
  return (events, places, target) => {
    const { length: count } = places;
    if (!(events instanceof EventColumns)) overEvents(events, 0, places, count, target);
    else overColumns(events.columnsOf(columnCode.names), events.offset, places, count, target);
  };
}
