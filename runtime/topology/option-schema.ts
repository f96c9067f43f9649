/** What a definition's options are, read from the JSON Schema that zod makes of them. */
import { z } from 'zod';
import type { RawValue } from './ir/options-node.ts';
import type { Path } from './places.ts';

export interface JsonSchema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema | boolean;
  readonly prefixItems?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  /** What the option means to the loader (`runtime/stream/options.ts`). */
  readonly mach?: string;
  /** It decides what comes out, so `why` names it, although it is no expression. */
  readonly decides?: boolean;
}

/** Whether an option is written in the language of expressions. */
export function isWritten({ mach }: JsonSchema): boolean {
  return mach === 'expression' || mach === 'aggregation';
}

const cache = new WeakMap<z.ZodType, JsonSchema>();

export function optionSchema(options: z.ZodType): JsonSchema {
  const known = cache.get(options);
  if (known) return known;
  const { $schema: _, ...schema } = z.toJSONSchema(options, { io: 'input', unrepresentable: 'any' });
  cache.set(options, schema as JsonSchema);
  return schema as JsonSchema;
}

/** The alternatives of a schema: itself, or the branches of its unions. Those with a meaning to the loader stay whole. */
export function alternatives(schema: JsonSchema, root: JsonSchema): JsonSchema[] {
  if (schema.$ref) {
    const name = /^#\/\$defs\/(.+)$/.exec(schema.$ref)?.[1];
    const target = name ? root.$defs?.[name] : schema.$ref === '#' ? root : undefined;
    return target ? alternatives(target, root) : [];
  }
  const branches = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  if (branches.length === 0 || schema.mach) return [schema];
  return branches.flatMap((branch) => alternatives(branch, root));
}

/** The schemas that may hold at a path. */
export function schemasAt(root: JsonSchema, path: Path): JsonSchema[] {
  let current = alternatives(root, root);
  for (const step of path)
    current = current.flatMap((schema) => stepInto(schema, step)).flatMap((s) => alternatives(s, root));
  return current;
}

function stepInto(schema: JsonSchema, step: string | number): JsonSchema[] {
  if (typeof step === 'number') {
    const item = schema.prefixItems?.[step] ?? schema.items;
    const inUnion = schema.mach ? (schema.anyOf ?? []).flatMap((branch) => stepInto(branch, step)) : [];
    return typeof item === 'object' ? [item, ...inUnion] : inUnion;
  }
  const property = schema.properties && Object.hasOwn(schema.properties, step) ? schema.properties[step] : undefined;
  if (property) return [property];
  return typeof schema.additionalProperties === 'object' ? [schema.additionalProperties] : [];
}

/** Names that may stand in a mapping at a path; none where any name may. */
export function propertyNames(root: JsonSchema, path: Path): string[] {
  const names = schemasAt(root, path).flatMap((schema) => [
    ...Object.keys(schema.properties ?? {}),
    ...(schema.propertyNames?.enum ?? []).map(String),
  ]);
  return [...new Set(names)];
}

export interface InputOption {
  /** `from`, `left`; `from.1`, ... for the others of a list. */
  readonly input: string;
  readonly path: Path;
  readonly text: string;
}

/** The inputs that the options name, in the order in which they are written. */
export function findInputs(root: JsonSchema, options: RawValue): InputOption[] {
  const found: InputOption[] = [];
  const walk = (schemas: readonly JsonSchema[], value: RawValue, path: Path): void => {
    const list = Array.isArray(value) ? (value as readonly RawValue[]) : undefined;
    if (schemas.some(({ mach }) => mach === 'input' || mach === 'inputs')) {
      const texts = typeof value === 'string' ? [value] : (list ?? []);
      texts.forEach((text, index) => {
        if (typeof text !== 'string' || text === '') return;
        const name = path.join('.');
        found.push({ input: index === 0 ? name : `${name}.${index}`, path: list ? [...path, index] : path, text });
      });
      return;
    }
    const entries: readonly (readonly [string | number, RawValue])[] =
      list?.map((item, index) => [index, item] as const) ??
      (value !== null && typeof value === 'object' ? (Object.entries(value) as [string, RawValue][]) : []);
    for (const [key, item] of entries) {
      const inner = schemas.flatMap((schema) => stepInto(schema, key)).flatMap((schema) => alternatives(schema, root));
      if (inner.length > 0) walk(inner, item, [...path, key]);
    }
  };
  walk(alternatives(root, root), options, []);
  return found;
}

/** Texts of options that are secrets by their meaning, written out in the file. References in them are no secrets. */
export function findSecrets(root: JsonSchema, options: RawValue, path: Path = []): string[] {
  if (typeof options === 'string') {
    const isSecret = !options.includes('${') && schemasAt(root, path).some(({ mach }) => mach === 'secret');
    return isSecret ? [options] : [];
  }
  if (options === null || typeof options !== 'object') return [];
  const entries = Array.isArray(options)
    ? options.map((item, index) => [index, item] as const)
    : Object.entries(options);
  return entries.flatMap(([key, item]) => findSecrets(root, item as RawValue, [...path, key]));
}

/** What a value should have been, in words. */
export function describeWanted(schemas: readonly JsonSchema[]): string {
  // Where YAML's null stands for the text, both are written `null`.
  const hasNullText = schemas.some((schema) => schema.enum?.includes('null'));
  const shown = schemas.filter(({ type }) => !(hasNullText && type === 'null'));
  const words = [...new Set(shown.flatMap(describeOne))];
  if (words.length === 0) return 'another value';
  return words.length === 1 ? (words[0] as string) : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

const meanings: Readonly<Record<string, string>> = {
  input: 'the id of a node',
  inputs: 'the id of a node or a list of ids',
  expression: 'an expression',
  aggregation: 'a function of events, such as count()',
  field: 'the name of a field',
  key: 'the name of a field or a list of names',
  duration: 'a duration such as 30s or 5m',
  size: 'a size such as 16MiB',
};

const typeWords: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  null: 'null',
};

function describeOne(schema: JsonSchema): string[] {
  if (schema.mach && meanings[schema.mach]) return [meanings[schema.mach] as string];
  if (schema.const !== undefined) return [JSON.stringify(schema.const)];
  if (schema.enum) return [`one of ${schema.enum.join(', ')}`];
  return [schema.type].flat().map((type) => typeWords[String(type)] ?? 'another value');
}
