/** What `bind` of a definition is handed: checks that know where in the file each option stands. */
import { didYouMean } from '../did-you-mean.ts';
import {
  type CompiledAggregate,
  compileAggregateExpression,
  compileExpression,
  type Problem,
} from '../expression/index.ts';
import type { Checker, OptionPath } from '../stream/checker.ts';
import type { BoundInput } from '../stream/definition.ts';
import { describeType, type FieldType, fieldNames, isAssignable, type Schema } from '../stream/schema.ts';
import { type Diagnostic, makeDiagnostic } from './diagnostic.ts';
import { pointerOf, type RawValue } from './ir/options-node.ts';
import { suggestName, valueAt } from './option-problems.ts';
import type { Path, Places } from './places.ts';
import { resolveBeside, type Substitution, toRawPart } from './references.ts';

export interface CheckerContext {
  readonly places: Places;
  /** Path of the options in the file. */
  readonly base: Path;
  /** The options with references filled in, as they were before the definition's schema parsed them, and after. */
  readonly filled: RawValue;
  readonly parsed: unknown;
  readonly substitutions: ReadonlyMap<string, readonly Substitution[]>;
  /** Options that are wrong in themselves, and stand-ins for them: nothing more is to be said about those. */
  readonly ignored: readonly Path[];
  readonly inputs: Readonly<Record<string, BoundInput>>;
  /** A schema of an input is partly guessed, because the node that makes it has an error. */
  readonly guessedInputs: boolean;
  report(diagnostic: Diagnostic): void;
  /** The options name these fields of a schema. */
  named(input: Schema, fields: readonly string[]): void;
}

export function createChecker(context: CheckerContext): Checker {
  const { places, base, ignored } = context;
  const toPath = (path: OptionPath): Path => (typeof path === 'string' ? [path] : path);
  const isIgnored = (path: Path) => ignored.some((other) => other.every((step, index) => path[index] === step));
  const nameOf = (schema: Schema) =>
    Object.values(context.inputs).find((input) => input.schema === schema)?.from ?? 'the input';
  const textAt = (path: Path) =>
    String(valueAt(context.filled, path) ?? valueAt(context.parsed as RawValue, path) ?? '');

  const reportExpression = (path: Path, problems: readonly Problem[], input: Schema) => {
    if (isIgnored(path)) return;
    for (const problem of problems) context.report(describeProblem(problem, path, { context, owner: nameOf(input) }));
  };

  /** The field at an option; without one what was probably meant: several where a list was written as one text. */
  const fieldsMeant = (path: Path, input: Schema, wanted?: FieldType['kind'] | 'number'): readonly string[] => {
    const name = textAt(path);
    context.named(input, [name]);
    if (isIgnored(path)) return [name];
    const span = places.find([...base, ...path]);
    const given = Object.hasOwn(input.fields, name) ? input.fields[name] : undefined;
    if (!given) {
      const data = { field: name, from: nameOf(input) };
      const suggestion = suggestField(name, fieldNames(input));
      context.report(makeDiagnostic('MACH1250', { file: places.file, span, data, suggestion }));
      return listMeant(name, fieldNames(input)) ?? [didYouMean(name, fieldNames(input)) ?? name];
    }
    if (wanted && !fits(given.type, wanted) && !(context.guessedInputs && given.type.kind === 'json')) {
      const data = { field: name, given: describeType(given.type), wanted: `a ${wanted}` };
      context.report(makeDiagnostic('MACH1251', { file: places.file, span, data }));
    }
    return [name];
  };

  return {
    expression(optionPath, input, wanted, variables = {}) {
      const path = toPath(optionPath);
      const compiled = compileExpression(textAt(path), input, { wanted, variables });
      if (compiled.ok) {
        context.named(input, compiled.fields);
        return compiled;
      }
      reportExpression(path, compiled.problems, input);
      return { type: standInType(wanted), nullable: true, fields: [], evaluate: () => null };
    },
    aggregate(optionPath, input): CompiledAggregate {
      const path = toPath(optionPath);
      const compiled = compileAggregateExpression(textAt(path), input);
      if (compiled.ok) {
        context.named(input, compiled.fields);
        return compiled;
      }
      reportExpression(path, compiled.problems, input);
      return { ok: true, call: 'count', type: { kind: 'json' }, nullable: true, fields: [], standsIn: true };
    },
    field: (optionPath, input, wanted) => fieldsMeant(toPath(optionPath), input, wanted)[0] as string,
    fields(option, input) {
      const listed = valueAt(context.parsed as RawValue, [option]);
      return Array.isArray(listed) ? listed.flatMap((_, index) => fieldsMeant([option, index], input)) : [];
    },
    problem(optionPath, problem, suggestion) {
      const path = toPath(optionPath);
      if (isIgnored(path) && path.length > 0) return;
      const span = places.find([...base, ...path], path.length === 0 ? { at: 'key' } : {});
      context.report(makeDiagnostic('MACH1252', { file: places.file, span, data: { problem }, suggestion }));
    },
    resolveFile: (path) => resolveBeside(places.file, path),
  };
}

function describeProblem(
  { code, offset, length, message, suggestion, known }: Problem,
  path: Path,
  { context, owner }: { context: CheckerContext; owner: string },
): Diagnostic {
  const { places, base, substitutions } = context;
  const filledIn = substitutions.get(pointerOf(path)) ?? [];
  const part = toRawPart({ offset, length }, filledIn);
  const span = places.find([...base, ...path], { part });
  // A message may quote a part of a secret, which redaction could not find.
  const touched = filledIn.find(
    (one) => offset < one.offset + one.value.length && one.offset < offset + Math.max(1, length),
  );
  const shown = touched
    ? `the expression cannot be read with the value of ${touched.reference} in this place`
    : message.replace('is not a field of the input', `is not a field of ${owner}`);
  const hint = touched ? undefined : fieldHint(suggestion, known);
  return {
    code,
    severity: 'error',
    file: places.file,
    ...span,
    message: shown,
    ...(hint !== undefined && { suggestion: hint }),
  };
}

function suggestField(name: string, names: readonly string[]): string {
  const list = listMeant(name, names);
  return list ? `a list is written [${list.join(', ')}]` : suggestName(name, names, 'fields');
}

/** `key: hospital, ward` is one text to YAML. */
function listMeant(name: string, names: readonly string[]): string[] | undefined {
  const parts = name.split(',').map((part) => part.trim());
  return parts.length > 1 && parts.every((part) => names.includes(part)) ? parts : undefined;
}

function fieldHint(suggestion: string | undefined, known: readonly string[] | undefined): string | undefined {
  if (suggestion) return `did you mean ${suggestion}?`;
  return known && suggestName('', known, 'fields');
}

function fits(type: FieldType, wanted: FieldType['kind'] | 'number'): boolean {
  if (wanted === 'number') return type.kind === 'int' || type.kind === 'float' || type.kind === 'duration';
  // A plain number says neither since when it counts nor in which unit: it cannot stand for a time.
  if (wanted === 'list' || wanted === 'record' || wanted === 'timestamp' || wanted === 'duration')
    return type.kind === wanted;
  return isAssignable(type, { kind: wanted });
}

function standInType(wanted: FieldType['kind'] | 'number' | 'any'): FieldType {
  if (wanted === 'number') return { kind: 'float' };
  if (wanted === 'any' || wanted === 'list' || wanted === 'record') return { kind: 'json' };
  return { kind: wanted };
}
