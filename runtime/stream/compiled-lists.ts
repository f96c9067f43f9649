/**
 * Functions made for lists of so many slots, each with a function of its own. A loop over functions calls another one at each turn, which V8 does
 * not see through; where each call stands for itself, it does.
 */
import { compile, isPlain } from './compiled-access.ts';
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

/** Calls each of them, in order, with the value of its field. */
export function fieldsVisitor<Target>(visits: readonly FieldVisit<Target>[]): (event: Event, target: Target) => void {
  if (!visits.every(({ field }) => isPlain(field))) {
    return (event, target) => {
      for (const { field, visit } of visits) visit(event[field], target);
    };
  }
  const calls = (names: readonly string[]) =>
    names.map((name, at) => `${name}(event.${(visits[at] as FieldVisit<Target>).field}, target);`);
  return made(
    visits.map(({ visit }) => visit),
    (names) => `function visitFields(event, target) { ${calls(names).join(' ')} }`,
  );
}
