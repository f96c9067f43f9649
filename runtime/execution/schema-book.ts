/**
 * Schemas by what they are. The columns of a log message have no names, so each message says which schema it was written with, and the
 * schemas are kept beside the checkpoints: what an earlier version of a topology wrote stays readable.
 */
import { createHash } from 'node:crypto';
import type { ObjectStore } from '../bus/log.ts';
import { limits } from '../limits.ts';
import { type Event, type Field, isAssignable, type Schema } from '../stream/schema.ts';
import type { BoundTopology } from '../topology/bound.ts';
import { executionErrors } from './errors.ts';

const folder = 'schemas/';
const ids = new WeakMap<Schema, string>();
/** By content, so that what one topology of a process brings can never be wrong for another. */
const known = new Map<string, Schema>();

/** Of the names and types of the fields, in their order: 16 hex digits. Makes the schema known. */
export function schemaId(schema: Schema): string {
  const found = ids.get(schema);
  if (found !== undefined) return found;
  const fields = Object.entries(schema.fields).map(([name, { type, nullable }]) => [name, type, nullable ?? false]);
  const id = createHash('sha256').update(JSON.stringify(fields)).digest('hex').slice(0, 16);
  ids.set(schema, id);
  if (known.size < limits.schemasKnownMax) known.set(id, schema);
  return id;
}

/** How the columns of a message are read, and made into events of the schema that is wanted. */
export interface Reading {
  readonly schema: Schema;
  /** Absent: they are events of the wanted schema. */
  readonly map?: (events: readonly Event[]) => Event[];
}

/**
 * Throws MACH3220 when the schema of the message is not known, MACH3221 when its events cannot be events of the wanted one. `id`
 * undefined: an early engine wrote it, with the schema of now. `fill`: a field that is absent and not nullable gets the empty value of its
 * type, as a new column of a table does for rows that are there already.
 */
export function readingOf(id: string | undefined, wanted: Schema, { fill }: { fill: boolean }): Reading {
  if (id === undefined || id === schemaId(wanted)) return { schema: wanted };
  const schema = known.get(id);
  if (!schema) throw executionErrors.make('MACH3220', { id });
  const columns = Object.entries(wanted.fields).map(([name, field]) => columnOf(name, field, schema, id, fill));
  return {
    schema,
    map: (events) =>
      events.map((event) => Object.fromEntries(columns.map(({ name, absent }) => [name, event[name] ?? absent]))),
  };
}

function columnOf(name: string, field: Field, from: Schema, id: string, fill: boolean) {
  const absent = field.nullable ? null : emptyOf(field);
  const given = from.fields[name];
  if (fill) return { name, absent };
  const problem = problemOf(field, given);
  if (problem) throw executionErrors.make('MACH3221', { id, field: name, problem });
  return { name, absent: null };
}

/** Why events with a field as `given` cannot be events with a field as `wanted`; undefined when they can. */
export function problemOf(wanted: Field, given: Field | undefined): string | undefined {
  if (!given) return wanted.nullable ? undefined : 'it is absent there, and always there here';
  if (!isAssignable(given.type, wanted.type)) return `it is a ${given.type.kind} there and a ${wanted.type.kind} here`;
  return given.nullable && !wanted.nullable ? 'it may be absent there, and is always there here' : undefined;
}

function emptyOf({ type }: Field): unknown {
  switch (type.kind) {
    case 'string':
      return '';
    case 'bool':
      return false;
    case 'list':
      return [];
    case 'record':
    case 'json':
      return {};
    default:
      return 0;
  }
}

/** Every schema that messages of this topology are written with is kept; those of earlier versions become known. */
export async function openSchemaBook(
  objects: ObjectStore,
  topology: BoundTopology,
  more: readonly Schema[] = [],
): Promise<void> {
  const names = new Set((await objects.list()).filter((name) => name.startsWith(folder)));
  for (const name of names) await learn(objects, name);
  for (const schema of [...schemasOf(topology), ...more]) {
    const name = `${folder}${schemaId(schema)}`;
    if (names.has(name)) continue;
    names.add(name);
    await objects.put(name, Buffer.from(JSON.stringify({ fields: Object.entries(schema.fields) })));
  }
}

/** For readers of a log that write nothing to it: schemas of earlier versions become known. */
export async function readSchemaBook(objects: ObjectStore): Promise<void> {
  for (const name of await objects.list()) if (name.startsWith(folder)) await learn(objects, name);
}

async function learn(objects: ObjectStore, name: string): Promise<void> {
  const id = name.slice(folder.length);
  if (known.has(id)) return;
  const data = await objects.get(name);
  if (!data) return;
  const { fields } = JSON.parse(Buffer.from(data).toString()) as { fields: [string, Field][] };
  // Under the name of what it is: what was damaged is never taken for what it was.
  schemaId({ fields: Object.fromEntries(fields) });
}

function schemasOf({ sources, sinks }: BoundTopology): Schema[] {
  return [
    ...sources.flatMap(({ bound }) => (bound.ports.out ? [bound.ports.out] : [])),
    ...sinks.flatMap(({ inputs }) => (inputs[0] ? [inputs[0].schema] : [])),
  ];
}
