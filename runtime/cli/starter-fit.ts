/** Makes the options of a starter fit its streams: an example's condition reads fields that another source does not have. */
import type { Catalogue } from '../stream/definition.ts';
import type { Schema } from '../stream/schema.ts';
import { bindTopology } from '../topology/bind.ts';
import type { RawValue } from '../topology/ir/options-node.ts';
import { valueAt } from '../topology/option-problems.ts';
import { alternatives, isWritten, optionSchema, propertyNames, schemasAt } from '../topology/option-schema.ts';
import { parseTopology } from '../topology/parse.ts';
import type { Path } from '../topology/places.ts';
import type { StarterNode } from './starter.ts';

interface FitContext {
  readonly catalogue: Catalogue;
  render(nodes: readonly StarterNode[]): string;
}

/** Adapts one node after the other, in the order of the flow; what cannot be made to fit stays as its example says. */
export function makeItFit(nodes: readonly StarterNode[], context: FitContext): readonly StarterNode[] {
  const fitted: StarterNode[] = [];
  for (const node of nodes) {
    const upTo = [...fitted, node];
    fitted.push(errorsOf(upTo, context) === 0 ? node : fitNode(upTo, context));
  }
  return fitted;
}

function fitNode(upTo: readonly StarterNode[], context: FitContext): StarterNode {
  const before = upTo.slice(0, -1);
  let node = upTo.at(-1) as StarterNode;
  const fields = fieldsBefore(before, context);
  for (const path of adaptablePaths(node)) {
    let fewest = errorsOf([...before, node], context);
    if (fewest === 0) break;
    const less = withoutNamed(node, path);
    if (less && errorsOf([...before, less], context) < fewest) {
      node = less;
      continue;
    }
    for (const candidate of candidatesFor(path, node, fields)) {
      const changed = { ...node, options: setAt(node.options, path, candidate) as Record<string, unknown> };
      const errors = errorsOf([...before, changed], context);
      if (errors >= fewest) continue;
      node = changed;
      fewest = errors;
    }
  }
  const bare = withoutOptional(node);
  return errorsOf([...before, bare], context) < errorsOf([...before, node], context) ? bare : node;
}

/** Without what the example has under a name of its own choice, such as `longest_wait`: another expression would not be what the name says. */
function withoutNamed(node: StarterNode, path: Path): StarterNode | undefined {
  const [mapping, name] = [path.slice(0, -1), path.at(-1)];
  const isChosen =
    mapping.length > 0 &&
    typeof name === 'string' &&
    !propertyNames(optionSchema(node.definition.options), mapping).includes(name);
  if (!isChosen) return undefined;
  const isAlone = Object.keys(valueAt(node.options as RawValue, mapping) as object).length === 1;
  return { ...node, options: leaveOut(node.options, isAlone ? mapping : path) as Record<string, unknown> };
}

/** Only what must be there, and the inputs. */
function withoutOptional(node: StarterNode): StarterNode {
  const root = optionSchema(node.definition.options);
  const needed = ([name]: [string, unknown]) =>
    alternatives(root, root).some(({ required = [] }) => required.includes(name)) ||
    schemasAt(root, [name]).some(({ mach }) => mach === 'input' || mach === 'inputs');
  return { ...node, options: Object.fromEntries(Object.entries(node.options).filter(needed)) };
}

function errorsOf(nodes: readonly StarterNode[], context: FitContext): number {
  return load(nodes, context).diagnostics.filter(({ severity, code }) => severity === 'error' && code !== 'MACH1014')
    .length;
}

/** What a part of the topology has: references to what is not set on this machine are no mistake of the starter. */
function load(nodes: readonly StarterNode[], context: FitContext) {
  const { ir, places, broken, diagnostics } = parseTopology(context.render(nodes), 'starter.yaml', context.catalogue);
  if (!ir) return { diagnostics };
  const own = diagnostics.filter(({ code }) => code !== 'MACH1014');
  return bindTopology(ir, { catalogue: context.catalogue, places, broken, diagnostics: own, env: {} });
}

/** Names of fields by their kind, as far as they are of use. */
interface FieldNames {
  readonly all: readonly string[];
  readonly numbers: readonly string[];
}

function fieldsBefore(before: readonly StarterNode[], context: FitContext): FieldNames {
  const { topology } = load(before, context) as ReturnType<typeof bindTopology>;
  const id = before.at(-1)?.id;
  const node = topology && [...topology.sources, ...topology.operators].find((one) => one.id === id);
  const schema: Schema | undefined = node?.ports.out;
  // A field that is always there fits in more places.
  const fields = Object.entries(schema?.fields ?? {}).sort(
    ([, a], [, b]) => Number(a.nullable ?? false) - Number(b.nullable ?? false),
  );
  const ofKind = (kind: string) =>
    fields
      .filter(([, { type }]) => type.kind === kind)
      .slice(0, 3)
      .map(([name]) => name);
  const numbers = [...ofKind('int'), ...ofKind('float')];
  return { all: [...ofKind('string'), ...numbers, ...ofKind('timestamp')], numbers };
}

/** A text that values of a row are put into: `alerts.{hospital}`. */
const placeOfField = /\{[^{}]+\}/g;

/** Paths of the options that name fields or hold expressions. */
function adaptablePaths({ definition, options }: StarterNode): Path[] {
  const root = optionSchema(definition.options);
  const found: Path[] = [];
  const walk = (value: unknown, path: Path): void => {
    if (schemasAt(root, path).some((schema) => isWritten(schema) || schema.mach === 'field' || schema.mach === 'key')) {
      found.push(path);
      return;
    }
    if (typeof value === 'string' && value.match(placeOfField)) found.push(path);
    if (value === null || typeof value !== 'object') return;
    const entries = Array.isArray(value) ? value.map((item, index) => [index, item] as const) : Object.entries(value);
    for (const [key, item] of entries) walk(item, [...path, key]);
  };
  walk(options, []);
  return found;
}

function candidatesFor(
  path: Path,
  { definition, options }: StarterNode,
  { all, numbers }: FieldNames,
): readonly RawValue[] {
  const given = valueAt(options as RawValue, path);
  if (typeof given === 'string' && given.match(placeOfField))
    return all.map((name) => given.replaceAll(placeOfField, `{${name}}`));
  const isExpression = schemasAt(optionSchema(definition.options), path).some(isWritten);
  return isExpression ? [...all, ...numbers.map((name) => `${name} > 10`), 'true', 'count()', '1'] : all;
}

function leaveOut(value: unknown, [step, ...rest]: Path): unknown {
  const entries = Object.entries(value as object);
  if (rest.length === 0) return Object.fromEntries(entries.filter(([name]) => name !== step));
  return Object.fromEntries(entries.map(([name, item]) => [name, name === step ? leaveOut(item, rest) : item]));
}

function setAt(value: unknown, path: Path, replacement: RawValue): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return replacement;
  if (Array.isArray(value)) return value.map((item, index) => (index === step ? setAt(item, rest, replacement) : item));
  const mapping = (value ?? {}) as Record<string | number, unknown>;
  return { ...mapping, [step]: setAt(mapping[step], rest, replacement) };
}
