/** A key of a node as people write it: `H1,ICU`, `hospital=H1,ward=ICU`, or a list of JSON where a value has a comma itself. */
import { counted } from '../../counted.ts';
import { didYouMean } from '../../did-you-mean.ts';
import { eventKey } from '../../stream/event-key.ts';
import type { StateKey } from '../../stream/operator-state.ts';
import type { BoundOperatorNode } from '../../topology/bound.ts';
import { whyErrors } from './errors.ts';
import { valueOf } from './find-result.ts';

export interface WrittenKey {
  /** What it may stand for, as states have it: the whole text, a number, the values of the fields. */
  readonly candidates: readonly StateKey[];
  readonly values: readonly string[];
}

export function readKey(node: BoundOperatorNode, text: string): WrittenKey {
  const fields = node.bound.key ?? [];
  const named = valuesByName(text, fields);
  const parts = partsOf(text);
  const read = [...(named ? [named] : []), parts].flatMap((values) => keysOf(node, fields, values));
  const isNumber = text !== '' && !Number.isNaN(Number(text));
  return { candidates: [text, ...(isNumber ? [Number(text)] : []), ...read], values: named ?? parts };
}

/** None where there are not as many values as fields. A text such as `null` may be the value of its type, or itself. */
function keysOf(node: BoundOperatorNode, fields: readonly string[], values: readonly string[]): StateKey[] {
  if (fields.length === 0 || values.length !== fields.length) return [];
  const schema = node.inputs[0]?.schema ?? { fields: {} };
  const read = fields.map((name, at) => ({ name, text: values[at] as string, field: schema.fields[name] }));
  const typed = read.map(({ name, text, field }) => [name, field ? valueOf(text, field) : text] as const);
  const plain = read.map(({ name, text, field }) => {
    const isText = field === undefined || field.type.kind === 'string';
    return [name, isText || Number.isNaN(Number(text)) ? text : Number(text)] as const;
  });
  const whole = [typed, plain].filter((one) => one.every(([, value]) => value !== undefined));
  return whole.map((one) => eventKey(fields)(Object.fromEntries(one)));
}

/** Throws MACH3266 or MACH3267 where the text cannot be a key of the node, whatever that keeps. */
export function checkKey({ id, bound }: BoundOperatorNode, text: string): void {
  const fields = bound.key ?? [];
  const named = namedParts(text, fields);
  const isBroken = fields.length > 0 && text.startsWith('[') && !listOf(text);
  const reason = isBroken ? `${text} is no list of JSON` : named && wrongNames(named, fields);
  if (reason !== undefined) throw whyErrors.make('MACH3267', { node: id, fields: fields.join(', '), reason });
  if (named) return;
  const given = partsOf(text).length;
  // A text alone is the value of one field with the commas that are in it.
  const isWhole = fields.length === 0 || (fields.length === 1 && !listOf(text));
  if (isWhole || given === fields.length) return;
  const values = counted(fields.length, 'value');
  throw whyErrors.make('MACH3266', { node: id, values, given, fields: fields.join(',') });
}

/** In the order of the fields; undefined where no or wrong names are given. */
function valuesByName(text: string, fields: readonly string[]): readonly string[] | undefined {
  const named = namedParts(text, fields);
  if (!named || wrongNames(named, fields) !== undefined) return undefined;
  return fields.flatMap((field) => named.filter(({ name }) => name === field).map(({ value }) => value));
}

interface NamedPart {
  /** Null where the part has no name. */
  readonly name: string | null;
  readonly value: string;
}

/** Undefined where the text has no names: a value may have an equals sign too. */
function namedParts(text: string, fields: readonly string[]): readonly NamedPart[] | undefined {
  if (fields.length === 0 || listOf(text)) return undefined;
  const parts = partsOf(text).map((part): NamedPart => {
    const at = part.indexOf('=');
    return at < 1 ? { name: null, value: part } : { name: part.slice(0, at).trim(), value: part.slice(at + 1).trim() };
  });
  const isNamed =
    parts.every(({ name }) => name !== null) || parts.some(({ name }) => name !== null && fields.includes(name));
  return isNamed ? parts : undefined;
}

/** Undefined where each field of the key is named once, and nothing else is. */
function wrongNames(parts: readonly NamedPart[], fields: readonly string[]): string | undefined {
  const names = parts.map(({ name }) => name);
  for (const { name, value } of parts) {
    if (name === null) return `"${value}" has no name`;
    const near = didYouMean(name, fields);
    if (!fields.includes(name)) return `it has no ${name}${near ? `; did you mean ${near}?` : ''}`;
    if (names.indexOf(name) !== names.lastIndexOf(name)) return `${name} stands there twice`;
  }
  const missing = fields.filter((field) => !names.includes(field));
  return missing.length === 0 ? undefined : `${missing.join(', ')} is missing`;
}

function partsOf(text: string): readonly string[] {
  return listOf(text)?.map(String) ?? text.split(',').map((part) => part.trim());
}

function listOf(text: string): readonly unknown[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
