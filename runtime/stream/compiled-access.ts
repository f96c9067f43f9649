/**
 * Functions made for the names of the fields at hand. A function that is handed a name at run time (`event[name]`) sees events of every shape that
 * there is, and V8 looks each field up anew; one that has the name in its text sees few, and reads a field where it lies.
 */
import type { Event } from './schema.ts';

type Make<Result> = (...given: unknown[]) => Result;

/** `body` over `parameters`; whatever comes from outside stands in it as a JSON text only. */
function compile<Result>(parameters: readonly string[], body: string): Result {
  return new Function(...parameters, `'use strict'; ${body}`) as Make<Result> as Result;
}

/** As a key of an object literal: without brackets `__proto__` would be no field. */
const keyOf = (name: string) => (name === '__proto__' ? `[${JSON.stringify(name)}]` : JSON.stringify(name));

const readers = new Map<string, (event: Event) => unknown>();
const readersMax = 10_000;

/** The value of a field; null where it is absent. */
export function fieldReader(name: string): (event: Event) => unknown {
  const known = readers.get(name);
  if (known) return known;
  const made = compile<(event: Event) => unknown>(['event'], `return event[${JSON.stringify(name)}] ?? null;`);
  if (readers.size < readersMax) readers.set(name, made);
  return made;
}

export type ReadColumn = (events: readonly Event[]) => unknown[] | null;

/** The values of a field of many events, null where it is absent; null where every value is. */
export function columnReader(name: string): ReadColumn {
  return compile(
    ['events'],
    `const { length } = events;
    const values = new Array(length);
    let present = false;
    for (let index = 0; index < length; index++) {
      const value = events[index][${JSON.stringify(name)}];
      if (value === undefined || value === null) values[index] = null;
      else { values[index] = value; present = true; }
    }
    return present ? values : null;`,
  );
}

export type BuildEvents = (columns: readonly (readonly unknown[])[], count: number) => Event[];

/** Events of so many columns, all of one shape from the start: fields added one by one would make V8 grow, and in the end hash, each. */
export function eventsBuilder(names: readonly string[]): BuildEvents {
  const columns = names.map((_, at) => `const c${at} = columns[${at}];`).join(' ');
  const fields = names.map((name, at) => `${keyOf(name)}: c${at}[index]`).join(', ');
  return compile(
    ['columns', 'count'],
    `${columns}
    const events = new Array(count);
    for (let index = 0; index < count; index++) events[index] = { ${fields} };
    return events;`,
  );
}

export interface ComputedField {
  readonly name: string;
  evaluate(event: Event): unknown;
}

/** An event with fields of another and computed ones. */
export function eventMapper(kept: readonly string[], computed: readonly ComputedField[]): (event: Event) => Event {
  const evaluators = computed.map((_, at) => `e${at}`);
  const fields = [
    ...kept.map((name) => `${keyOf(name)}: event[${JSON.stringify(name)}]`),
    ...computed.map(({ name }, at) => `${keyOf(name)}: e${at}(event)`),
  ];
  const make = compile<Make<(event: Event) => Event>>(
    evaluators,
    `return function mapEvent(event) { return { ${fields.join(', ')} }; };`,
  );
  return make(...computed.map((field) => field.evaluate));
}
