/** A topology to start from, made from names alone: the options are those of each definition's first example. */
import { Document, isMap, isScalar, type YAMLMap } from 'yaml';
import { didYouMean } from '../did-you-mean.ts';
import type { Catalogue } from '../stream/definition.ts';
import { type AnyDefinition, type NodeKind, sectionOf, sections } from '../topology/entry.ts';
import { alternatives, type JsonSchema, optionSchema } from '../topology/option-schema.ts';
import { toId } from '../topology/parse.ts';
import { makeItFit } from './starter-fit.ts';

export interface StarterNode {
  readonly id: string;
  readonly definition: AnyDefinition;
  readonly options: Record<string, unknown>;
}

export type Starter =
  | { readonly text: string; readonly problem?: undefined }
  | { readonly text?: undefined; readonly problem: string };

export function writeStarter(
  words: readonly string[],
  { catalogue, name, schemaPath }: { catalogue: Catalogue; name: string; schemaPath: string },
): Starter {
  const found = findDefinitions(words, catalogue);
  if (typeof found === 'string') return { problem: found };
  const nodes = connect(found);
  const topologyName = toId(name) ?? 'topology';
  const fitted = makeItFit(nodes, { catalogue, render: (some) => render(some, { topologyName, schemaPath }) });
  return { text: render(fitted, { topologyName, schemaPath }) };
}

/** The definitions of the words, or the reason why they cannot be a topology. */
function findDefinitions(words: readonly string[], catalogue: Catalogue): AnyDefinition[] | string {
  if (words.length < 2) return 'at least a source and a sink are needed';
  const found: AnyDefinition[] = [];
  for (const [index, word] of words.entries()) {
    const kind: NodeKind = index === 0 ? 'source' : index === words.length - 1 ? 'sink' : 'operator';
    const definitions: readonly AnyDefinition[] = catalogue[sectionOf(kind)];
    const definition = definitions.find((one) => one.name === word);
    if (definition) {
      found.push(definition);
      continue;
    }
    const article = kind === 'operator' ? 'an operator' : `a ${kind}`;
    const names = definitions.map((one) => one.name);
    const near = didYouMean(word, names);
    return `"${word}" is not ${article}; ${near ? `did you mean ${near}?` : `${kind}s: ${names.join(', ')}`}`;
  }
  return found;
}

/** Each node reads the one before it; the others of several inputs read the source. */
function connect(definitions: readonly AnyDefinition[]): StarterNode[] {
  const nodes: StarterNode[] = [];
  const taken = new Set<string>();
  for (const definition of definitions) {
    const wanted = toId(definition.name.replaceAll('-', '_')) ?? 'node';
    let id = wanted;
    for (let number = 2; taken.has(id); number++) id = `${wanted}_${number}`;
    taken.add(id);
    const options = structuredClone(definition.examples[0]?.options ?? {}) as Record<string, unknown>;
    const previous = nodes.at(-1)?.id;
    if (previous !== undefined)
      connectInputs(optionSchema(definition.options), options, [previous, nodes[0]?.id ?? previous]);
    nodes.push({ id, definition, options });
  }
  return nodes;
}

/** Both sides of a join read what comes of one source, so some of their fields have the same names. */
const prefix = 'right_';

function connectInputs(schema: JsonSchema, options: Record<string, unknown>, from: readonly [string, string]): void {
  let used = 0;
  for (const { properties = {}, required = [] } of alternatives(schema, schema)) {
    for (const [name, property] of Object.entries(properties)) {
      const isInput = property.mach === 'input' || property.mach === 'inputs';
      if (!isInput || (!required.includes(name) && !(name in options))) continue;
      options[name] = from[Math.min(used, 1)];
      used++;
    }
    if (used > 1 && properties.prefix) options.prefix ??= prefix;
  }
}

function render(
  nodes: readonly StarterNode[],
  { topologyName, schemaPath }: { topologyName: string; schemaPath: string },
): string {
  const content: Record<string, unknown> = { version: 1, name: topologyName };
  for (const section of sections) {
    const own = nodes.filter(({ definition }) => sectionOf(definition.kind) === section);
    if (own.length === 0) continue;
    // YAML has no empty block mapping: `console:` alone says the same as `console: {}` and is easier to go on from.
    const entries = own.map(({ id, definition, options }) => [
      id,
      { [definition.name]: Object.keys(options).length > 0 ? options : null },
    ]);
    content[section] = Object.fromEntries(entries);
  }
  const document = new Document(content);
  document.commentBefore = ` yaml-language-server: $schema=${schemaPath}`;
  for (const node of nodes) addComments(document, node);
  for (const section of sections) {
    const pair =
      isMap(document.contents) && document.contents.items.find(({ key }) => isScalar(key) && key.value === section);
    if (pair && isScalar(pair.key)) pair.key.spaceBefore = true;
  }
  return document.toString({ lineWidth: 120, nullStr: '' }).replace(/[ \t]+$/gm, '');
}

/** The summary of each definition above it, and what its options mean above them. */
function addComments(document: Document, { id, definition }: StarterNode): void {
  const entry = document.getIn([sectionOf(definition.kind), id]) as YAMLMap | undefined;
  const [pair] = entry?.items ?? [];
  if (!pair || !isScalar(pair.key)) return;
  pair.key.commentBefore = ` ${definition.summary}`;
  if (!isMap(pair.value)) return;
  const { properties = {} } = optionSchema(definition.options);
  for (const option of pair.value.items) {
    if (!isScalar(option.key)) continue;
    const description = properties[String(option.key.value)]?.description;
    if (description) option.key.commentBefore = ` ${description}`;
  }
}
