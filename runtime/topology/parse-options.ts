/** A node's options through its definition's schema. An option that is wrong does not hide what is wrong elsewhere. */
import type { z } from 'zod';
import { didYouMean } from '../did-you-mean.ts';
import { type Diagnostic, makeDiagnostic } from './diagnostic.ts';
import { type Entry, optionsPath } from './entry.ts';
import { pointerOf, type RawValue } from './ir/options-node.ts';
import { describeIssues, type OptionProblem, unknownOption, valueAt } from './option-problems.ts';
import { findSecrets, isWritten, type JsonSchema, optionSchema, propertyNames, schemasAt } from './option-schema.ts';
import type { Path } from './places.ts';
import { type ReferenceContext, type Resolved, resolveReferences } from './references.ts';
import { sourceKeys } from './source-settings.ts';

export interface ParsedOptions {
  readonly resolved: Resolved;
  /** Absent when the options are so wrong that nothing can be said about what the node produces. */
  readonly options?: unknown;
  /** Options that were put right by a stand-in, so that the check could go on. Nothing may start. */
  readonly ignored: readonly Path[];
}

/** Wrong values are replaced and parsed again at most this many times: a replacement can uncover the next mistake. */
const repairsMax = 4;

export function parseOptions(entry: Entry, context: ReferenceContext): ParsedOptions {
  const base = optionsPath(entry);
  const raw = entry.node.options.value as RawValue;
  const schema = optionSchema(entry.definition.options);
  const resolved = resolveReferences(raw, base, context);
  for (const text of findSecrets(schema, raw)) context.secrets.add(text, '(secret)');
  const ignored: Path[] = [...resolved.unresolved].map(pathOfPointer);
  const report = (problem: OptionProblem) => {
    if ([...ignored, ...renamed].some((path) => isWithin(problem.path, path))) return;
    context.report(toDiagnostic(problem, base, context));
  };
  const problemContext = { definition: entry.definition.name, schema, options: raw };
  const renamed: Path[] = [];
  let current = coerceReferences(resolved, raw, entry.definition.options);
  for (const name of unknownNames(raw, schema)) {
    const problem = unknownOption([name], problemContext);
    report(misplaced(entry, name) ? { ...problem, suggestion: misplaced(entry, name) as string } : problem);
    ignored.push([name]);
    const meant = didYouMean(name, propertyNames(schema, []));
    const given = valueAt(current, [name]);
    current = remove(current, [name]);
    // What was meant is taken as given, or it would be reported as missing as well.
    if (meant && given !== undefined && valueAt(current, [meant]) === undefined) {
      current = replace(current, [meant], given);
      renamed.push([meant]);
    }
  }
  for (let attempt = 0; attempt <= repairsMax; attempt++) {
    const parsed = safeParse(entry.definition.options, current);
    if (parsed.success) return { resolved: { ...resolved, value: current }, options: parsed.data, ignored };
    const problems = describeIssues(parsed.error.issues, problemContext);
    for (const problem of problems) if (!isExplained(problem, problems)) report(problem);
    const repaired = problems.reduce<RawValue | undefined>(
      (value, problem) => value && repair(value, problem, schema),
      current,
    );
    ignored.push(...problems.map(({ path }) => path));
    if (repaired === undefined) break;
    current = repaired;
  }
  return { resolved: { ...resolved, value: current }, ignored };
}

/** A definition's own refinement may throw where it meets what it did not expect. */
function safeParse(schema: z.ZodType, value: RawValue): z.ZodSafeParseResult<unknown> {
  return schema.safeParse(value);
}

/** What is missing because its name was mistyped is one mistake, not two. */
function isExplained({ fault, path }: OptionProblem, problems: readonly OptionProblem[]): boolean {
  if (fault !== 'missing') return false;
  const parent = pointerOf(path.slice(0, -1));
  const meant = `did you mean ${path.at(-1)}?`;
  return problems.some(
    (other) => other.fault === 'unknown' && other.suggestion === meant && pointerOf(other.path.slice(0, -1)) === parent,
  );
}

function toDiagnostic(problem: OptionProblem, base: Path, { places }: ReferenceContext): Diagnostic {
  const path = [...base, ...problem.path];
  // What is missing has no place of its own: it is missing in the nearest thing that is there.
  const at = problem.at === 'key' || !places.has(path) ? 'key' : 'value';
  const span = places.find(path, { at });
  return makeDiagnostic(problem.code, { file: places.file, span, data: problem.data, suggestion: problem.suggestion });
}

function unknownNames(options: RawValue, schema: JsonSchema): string[] {
  if (options === null || typeof options !== 'object') return [];
  const open = schemasAt(schema, []).some(
    (one) => one.additionalProperties !== undefined && one.additionalProperties !== false,
  );
  const names = new Set(propertyNames(schema, []));
  return open ? [] : Object.keys(options).filter((name) => !names.has(name));
}

function misplaced(entry: Entry, name: string): string | undefined {
  const shared = entry.kind === 'source' ? [...sourceKeys, 'description'] : ['description'];
  return shared.includes(name) ? `${name} stands beside ${entry.definition.name}, not below it` : undefined;
}

/** A reference that is a whole value may stand for a number or for true and false: then it is taken as one. */
function coerceReferences(resolved: Resolved, raw: RawValue, schema: z.ZodType): RawValue {
  let value = resolved.value;
  if (resolved.substitutions.size === 0) return value;
  const parsed = safeParse(schema, value);
  if (parsed.success) return value;
  for (const { path } of parsed.error.issues) {
    const [substitution] = resolved.substitutions.get(pointerOf(path as Path)) ?? [];
    if (!substitution || valueAt(raw, path as Path) !== substitution.reference) continue;
    const plain = toPlain(substitution.value);
    if (plain !== undefined) value = replace(value, path as Path, plain);
  }
  return value;
}

function toPlain(text: string): number | boolean | undefined {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(text.trim()) ? Number(text) : undefined;
}

/** The options with a stand-in for what is wrong; undefined when what the node produces may depend on it. */
function repair(options: RawValue, { path, fault }: OptionProblem, root: JsonSchema): RawValue | undefined {
  if (fault === 'unknown') return remove(options, path);
  for (const schema of schemasAt(root, path)) {
    if (isWritten(schema)) return replace(options, path, 'null');
    if (schema.mach === 'duration') return replace(options, path, '1m');
    if (schema.mach === 'size') return replace(options, path, '1MiB');
    if (schema.enum && fault === 'wrong') {
      const meant = didYouMean(String(valueAt(options, path)), schema.enum.map(String)) ?? schema.default;
      if (meant !== undefined) return replace(options, path, meant as RawValue);
    }
    if (schema.type === 'integer' || schema.type === 'number') {
      return replace(options, path, (schema.default as number) ?? Math.max(1, schema.minimum ?? 1));
    }
    if (schema.type === 'boolean') return replace(options, path, (schema.default as boolean) ?? false);
  }
  return undefined;
}

function replace(value: RawValue, path: Path, replacement: RawValue): RawValue {
  const [step, ...rest] = path;
  if (step === undefined) return replacement;
  if (Array.isArray(value)) {
    return value.map((item: RawValue, index) => (index === step ? replace(item, rest, replacement) : item));
  }
  const mapping = (value !== null && typeof value === 'object' ? value : {}) as Readonly<Record<string, RawValue>>;
  return { ...mapping, [step]: replace(mapping[step] ?? null, rest, replacement) };
}

function remove(value: RawValue, path: Path): RawValue {
  const [step, ...rest] = path;
  if (step === undefined || value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((item: RawValue, index) => (index === step ? remove(item, rest) : item));
  const mapping = value as Readonly<Record<string, RawValue>>;
  if (rest.length > 0) return { ...mapping, [step]: remove(mapping[step] ?? null, rest) };
  return Object.fromEntries(Object.entries(mapping).filter(([name]) => name !== step));
}

function isWithin(path: Path, outer: Path): boolean {
  return outer.every((step, index) => path[index] === step);
}

function pathOfPointer(pointer: string): Path {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}
