/** What zod found wrong in a node's options, in words, each at the key or value that is to be changed. */
import type { z } from 'zod';
import { didYouMean } from '../did-you-mean.ts';
import { formatDuration, parseDuration } from '../stream/options.ts';
import type { TopologyErrorCode } from './errors.ts';
import type { RawValue } from './ir/options-node.ts';
import { topologyLimits } from './limits.ts';
import { alternatives, describeWanted, type JsonSchema, propertyNames, schemasAt } from './option-schema.ts';
import type { Path } from './places.ts';

export interface OptionProblem {
  readonly code: TopologyErrorCode;
  readonly path: Path;
  readonly at: 'key' | 'value';
  readonly data: Readonly<Record<string, string>>;
  readonly suggestion?: string;
  /** The value is there, but is wrong; or it is absent; or it should not be there. */
  readonly fault: 'wrong' | 'missing' | 'unknown';
}

type Issue = z.core.$ZodIssue;

export interface ProblemContext {
  /** Name of the definition. */
  readonly definition: string;
  readonly schema: JsonSchema;
  /** The options that were parsed. */
  readonly options: RawValue;
}

export function describeIssues(issues: readonly Issue[], context: ProblemContext): OptionProblem[] {
  return issues.flatMap((issue) => describeIssue(issue, issue.path as Path, context));
}

function describeIssue(issue: Issue, path: Path, context: ProblemContext): OptionProblem[] {
  const { options, schema, definition } = context;
  const value = valueAt(options, path);
  if (issue.code === 'unrecognized_keys')
    return exclusion(path, context) ?? issue.keys.map((key) => unknownOption([...path, key], context));
  if (
    value === undefined &&
    (issue.code === 'invalid_type' || issue.code === 'invalid_value' || issue.code === 'invalid_union')
  ) {
    const wanted = describeWanted(schemasAt(schema, path));
    const data = { option: path.join('.') || 'value', definition };
    return [{ code: 'MACH1016', path, at: 'key', data, suggestion: `it is ${wanted}`, fault: 'missing' }];
  }
  if (issue.code === 'invalid_union') return describeUnion(issue, path, context);
  if (issue.code === 'invalid_key' || issue.code === 'invalid_element') {
    const inner = issue.issues[0];
    if (!inner) return [];
    return [wrongValue(path, customMessage(inner) ?? 'this name is not allowed', brokenCall(path), 'key')];
  }
  const schemas = schemasAt(schema, path);
  const meant = meantText(value, schemas);
  if (meant && issue.code !== 'invalid_value')
    return [wrongValue(path, `${describeValue(value)} is not ${describeWanted(schemas)}`, `did you mean ${meant}?`)];
  const meaning = schemas.find(({ mach }) => mach === 'duration' || mach === 'size')?.mach;
  if (meaning) return [unitProblem(path, value as RawValue, meaning as 'duration' | 'size', customMessage(issue))];
  if (issue.code === 'invalid_value') return [noneOf(path, value as RawValue, issue.values.map(String))];
  return [wrongValue(path, describeMessage(issue, value as RawValue, schemas))];
}

/** Of the texts that may stand here, beside other kinds of values as well, the one that a wrong text is near to. */
function meantText(value: RawValue | undefined, schemas: readonly JsonSchema[]): string | undefined {
  if (typeof value !== 'string') return undefined;
  const texts = schemas.flatMap((schema) => schema.enum ?? [schema.const]).filter((one) => typeof one === 'string');
  return texts.includes(value) ? undefined : didYouMean(value, texts);
}

/** In braces and brackets a comma ends a text, in the middle of a call too. */
function brokenCall(path: Path): string | undefined {
  const name = String(path.at(-1));
  const isEnd = name.includes(')') && !name.includes('(');
  return isEnd ? 'put an expression that holds a comma in quotes: "quantile(x, 0.9)"' : undefined;
}

function describeMessage(issue: Issue, value: RawValue, schemas: readonly JsonSchema[]): string {
  const custom = customMessage(issue);
  if (custom) return custom;
  if (issue.code === 'invalid_type') return `${describeValue(value)} is not ${describeWanted(schemas)}`;
  if (issue.code === 'too_small' || issue.code === 'too_big') {
    const bound = issue.code === 'too_small' ? issue.minimum : issue.maximum;
    const side =
      issue.code === 'too_small'
        ? issue.inclusive
          ? 'at least'
          : 'more than'
        : issue.inclusive
          ? 'at most'
          : 'less than';
    const unit =
      issue.origin === 'array' || issue.origin === 'set' ? ' items' : issue.origin === 'string' ? ' characters' : '';
    return `${describeValue(value)} must ${unit ? 'have' : 'be'} ${side} ${bound}${unit}`;
  }
  if (issue.code === 'invalid_format') {
    const wanted = issue.format === 'regex' ? `a text like ${issue.pattern}` : `${issue.format}`;
    return `${describeValue(value)} is not ${wanted}`;
  }
  return issue.message;
}

/** The message that a definition gave itself; undefined for zod's own. */
function customMessage(issue: Issue): string | undefined {
  return /^(?:Invalid|Too |Unrecognized)/.test(issue.message) ? undefined : issue.message;
}

/** Of the branches of a union, the one that was most likely meant; when none fits the kind of value, what all of them want. */
function describeUnion(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: Path,
  context: ProblemContext,
): OptionProblem[] {
  const discriminated = issue as { discriminator?: string; options?: readonly unknown[] };
  const value = valueAt(context.options, path) as RawValue;
  if (discriminated.discriminator && discriminated.options)
    return [noneOf(path, value, discriminated.options.map(String))];
  const schemas = schemasAt(context.schema, path);
  const meaning = schemas.find(({ mach }) => mach === 'duration' || mach === 'size')?.mach;
  const excluded = exclusion(path, context);
  if (excluded) return excluded;
  const wrong = `${describeValue(value)} is not ${describeWanted(schemas)}`;
  const meant = meantText(value, schemas);
  if (meant) return [wrongValue(path, wrong, `did you mean ${meant}?`)];
  const branches = issue.errors.filter(
    (errors) => !errors.some((inner) => inner.path.length === 0 && isOtherKind(inner)),
  );
  const unknownKeys = (errors: readonly Issue[]) =>
    errors.reduce((sum, inner) => sum + (inner.code === 'unrecognized_keys' ? inner.keys.length : 0), 0);
  const best = [...branches].sort((a, b) => unknownKeys(a) - unknownKeys(b) || a.length - b.length)[0];
  if (best) return best.flatMap((inner) => describeIssue(inner, [...path, ...(inner.path as Path)], context));
  if (meaning) return [unitProblem(path, value, meaning as 'duration' | 'size', undefined)];
  const near = typeof value === 'string' ? asDuration(value, schemas, context) : undefined;
  return [wrongValue(path, wrong, near && `did you mean ${near}?`)];
}

function exclusion(path: Path, { options, schema }: ProblemContext): OptionProblem[] | undefined {
  const [one, other] = excluding(valueAt(options, path) as RawValue, schemasAt(schema, path));
  if (one === undefined || other === undefined) return undefined;
  return [wrongValue([...path, other], `${one} and ${other} exclude one another`, 'give one of the two', 'key')];
}

/** Two names of a mapping that no branch has both of, and each some branch; none where there are no such. */
function excluding(value: RawValue, schemas: readonly JsonSchema[]): readonly string[] {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [];
  const branches = schemas.flatMap(({ properties }) => (properties ? [properties] : []));
  const has = (...names: string[]) => branches.some((branch) => names.every((name) => Object.hasOwn(branch, name)));
  const names = Object.keys(value).filter((name) => has(name));
  for (const [at, name] of names.entries()) {
    const other = names.slice(at + 1).find((one) => !has(name, one));
    if (other !== undefined) return [name, other];
  }
  return [];
}

/** A duration alone, where some branch is a mapping that needs one: `{ tumbling: 10m }`. */
function asDuration(value: string, schemas: readonly JsonSchema[], { schema }: ProblemContext): string | undefined {
  if (parseDuration(value) === undefined) return undefined;
  for (const { required = [], properties = {} } of schemas) {
    const [name, ...others] = required;
    const property = name === undefined ? undefined : properties[name];
    if (property && others.length === 0 && alternatives(property, schema).some(({ mach }) => mach === 'duration'))
      return `{ ${name}: ${value} }`;
  }
  return undefined;
}

function isOtherKind(issue: Issue): boolean {
  return issue.code === 'invalid_type' || issue.code === 'invalid_value';
}

export function unknownOption(path: Path, { schema, definition }: ProblemContext): OptionProblem {
  const name = String(path.at(-1));
  const names = propertyNames(schema, path.slice(0, -1));
  const data = { option: path.join('.'), definition };
  return { code: 'MACH1017', path, at: 'key', data, suggestion: suggestName(name, names, 'options'), fault: 'unknown' };
}

/** `did you mean "when"?`, or all names when none is near. */
export function suggestName(name: string, names: readonly string[], plural: string): string {
  const near = didYouMean(name, names);
  if (near) return `did you mean ${near}?`;
  if (names.length === 0) return `there are no ${plural}`;
  const shown = names.slice(0, 20).join(', ');
  return `${plural}: ${shown}${names.length > 20 ? ', ...' : ''}`;
}

function noneOf(path: Path, value: RawValue, values: readonly string[]): OptionProblem {
  const near = typeof value === 'string' ? didYouMean(value, values) : undefined;
  const wanted = values.length === 1 ? `is not ${values[0]}` : `is none of ${values.join(', ')}`;
  return wrongValue(path, `${describeValue(value)} ${wanted}`, near && `did you mean ${near}?`);
}

function wrongValue(path: Path, problem: string, suggestion?: string, at: 'key' | 'value' = 'value'): OptionProblem {
  const data = { option: path.join('.') || 'value', problem };
  return { code: 'MACH1018', path, at, data, ...(suggestion !== undefined && { suggestion }), fault: 'wrong' };
}

const unitNames: Readonly<Record<string, string>> = {
  millisecond: 'ms',
  msec: 'ms',
  second: 's',
  sec: 's',
  minute: 'm',
  min: 'm',
  hour: 'h',
  hr: 'h',
  day: 'd',
  week: 'w',
  k: 'KiB',
  kb: 'KiB',
  kib: 'KiB',
  mb: 'MiB',
  mib: 'MiB',
  gb: 'GiB',
  gib: 'GiB',
  b: 'B',
  byte: 'B',
};

export function unitProblem(
  path: Path,
  value: RawValue,
  meaning: 'duration' | 'size',
  message?: string,
): OptionProblem {
  const units =
    meaning === 'duration' ? 'ms, s, m, h, d, w), such as 30s or 1h30m' : 'B, KiB, MiB, GiB), such as 16MiB';
  const problem = message ?? `${describeValue(value)} is not a ${meaning}: a number and a unit (${units}`;
  const near = nearUnit(value, meaning);
  const data = { option: path.join('.'), problem };
  return {
    code: 'MACH1019',
    path,
    at: 'value',
    data,
    ...(near && { suggestion: `did you mean ${near}?` }),
    fault: 'wrong',
  };
}

function nearUnit(value: RawValue, meaning: 'duration' | 'size'): string | undefined {
  if (typeof value === 'number' && value >= 0) return meaning === 'duration' ? `${value}s` : `${value}B`;
  if (typeof value !== 'string') return undefined;
  const repaired = value
    .toLowerCase()
    .replace(/\s+/g, '')
    .replace(/(\d)([a-z]+?)(s?)(?=\d|$)/g, (whole, digit: string, unit: string, plural: string) => {
      const known = unitNames[unit] ?? unitNames[unit + plural];
      return known ? `${digit}${known}` : whole;
    });
  if (meaning === 'size') return /^\d+(?:\.\d+)?(?:B|KiB|MiB|GiB)$/.test(repaired) ? repaired : undefined;
  const durationMs = parseDuration(repaired);
  return durationMs === undefined ? undefined : formatDuration(durationMs);
}

/** A value as it is shown in messages. */
export function describeValue(value: RawValue | undefined): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value !== 'string') return String(value);
  const { shownTextMax } = topologyLimits;
  return JSON.stringify(value.length > shownTextMax ? `${value.slice(0, shownTextMax)}...` : value);
}

export function valueAt(value: RawValue, path: Path): RawValue | undefined {
  let current: unknown = value;
  for (const step of path) {
    if (current === null || typeof current !== 'object' || !Object.hasOwn(current, step)) return undefined;
    current = (current as Record<string | number, unknown>)[step];
  }
  return current as RawValue | undefined;
}
