/** Tags that say how closely a field points at a person, and what becomes of them when fields are put together. */
import { messageOf } from '../errors.ts';
import type { Checker, CompiledExpression } from './checker.ts';
import type { Field, FieldType, PrivacyTag, Schema } from './schema.ts';

/** What stands for a value that points at a person. */
export const hidden = '•••';

/** From the one that points most closely at a person on. */
const tags: readonly PrivacyTag[] = ['direct', 'quasi', 'health'];

/** Whether a field holds what points at a person: a direct identifier, or a quasi-identifier. */
export function isPersonal({ privacy }: Pick<Field, 'privacy'>): boolean {
  return privacy === 'direct' || privacy === 'quasi';
}

/** The same of a field by its name; there may be none. */
export function isPersonalIn({ fields }: Schema, name: string): boolean {
  return Object.hasOwn(fields, name) && isPersonal(fields[name] as Field);
}

/** Whether some field of a schema does, those of its records among them. */
export function hasPersonal({ fields }: Schema): boolean {
  return Object.values(fields).some((field) => isPersonal(field) || hasPersonalInside(field.type));
}

function hasPersonalInside(type: FieldType): boolean {
  if (type.kind === 'list') return hasPersonalInside(type.of);
  return type.kind === 'record' && hasPersonal(type);
}

/** Of several the one that points most closely at a person. */
export function strongestTag(found: Iterable<PrivacyTag | undefined>): PrivacyTag | undefined {
  const all = new Set(found);
  return tags.find((tag) => all.has(tag));
}

/** The tag of what is made of these fields. */
export function tagOf(names: Iterable<string>, { fields }: Schema): { privacy?: PrivacyTag } {
  return tagged(
    strongestTag([...names].flatMap((name) => (Object.hasOwn(fields, name) ? tagsWithin(fields[name] as Field) : []))),
  );
}

/** Of a field and of what its records hold. */
export function tagsWithin({ type, privacy }: Field): (PrivacyTag | undefined)[] {
  const inner = type.kind === 'list' ? type.of : type;
  if (inner.kind === 'list') return [privacy, ...tagsWithin({ type: inner })];
  return [privacy, ...(inner.kind === 'record' ? Object.values(inner.fields).flatMap(tagsWithin) : [])];
}

/** To be spread into a field. */
export function tagged(privacy: PrivacyTag | undefined): { privacy?: PrivacyTag } {
  return privacy === undefined ? {} : { privacy };
}

/** What is computed of fields that point at a person points at them too, but for the answer to a question. */
export function computedField({ type, nullable, privacy }: CompiledExpression): Field {
  return { type, ...(nullable && { nullable: true }), ...(type.kind !== 'bool' && tagged(privacy)) };
}

/** A schema for events of all of these, which have the fields of the first: what one of them tags is tagged. */
export function withTagsOfAll(schemas: readonly Schema[]): Schema {
  const [first = { fields: {} }, ...others] = schemas;
  const fields = Object.entries(first.fields).map(([name, field]): [string, Field] => {
    // Records that tag other parts than the first does point at a person as a whole.
    const own = ({ fields: theirs }: Schema): readonly (PrivacyTag | undefined)[] => {
      const other = Object.hasOwn(theirs, name) ? theirs[name] : undefined;
      if (!other) return [];
      return JSON.stringify(other.type) === JSON.stringify(field.type) ? [other.privacy] : tagsWithin(other);
    };
    const privacy = strongestTag([field.privacy, ...others.flatMap(own)]);
    return [name, privacy === field.privacy ? field : { ...field, ...tagged(privacy) }];
  });
  return fields.every(([name, field]) => field === first.fields[name]) ? first : { fields: Object.fromEntries(fields) };
}

/** What `JSON.parse` says of a text, without the piece of the text that it quotes: reasons are shown to everybody. */
export function jsonProblem(error: unknown): string {
  return messageOf(error).replace(/,? ?(?:\.\.\.)?"[^]*"(?:\.\.\.)? is not valid JSON$/, '') || 'no value of JSON';
}

/** Paths of files and subjects are seen, and written into logs, by more people than what they hold. */
export function refuseDirectIn(option: 'path' | 'subject', name: string, schema: Schema, check: Checker): void {
  if (Object.hasOwn(schema.fields, name) && tagOf([name], schema).privacy === 'direct')
    check.problem(
      option,
      `${name} names a person, and a ${option} is seen by more people than what it holds`,
      'use a pseudonym made with map',
    );
}

/** Who reports is named in the log, in metrics and to everybody who looks at the engine. */
export function refusePersonalOrigin(name: string, schema: Schema, check: Checker): void {
  if (isPersonalIn(schema, name))
    check.problem(
      'origin',
      `${name} points at a person, and origins are shown to everybody`,
      'name who reports: a hospital, a unit',
    );
}
