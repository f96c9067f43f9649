/** One entry of a section: its definition's name, its options, and the keys that all nodes share. */
import { didYouMean } from '../did-you-mean.ts';
import { articles, definitionsOf, findDefinition, kindOf, type Section, sections } from './entry.ts';
import { OperatorNode } from './ir/operator-node.ts';
import { type OptionPlace, OptionsNode, pointerOf, type RawOptions, type RawValue } from './ir/options-node.ts';
import { SinkNode } from './ir/sink-node.ts';
import { SourceNode } from './ir/source-node.ts';
import { suggestName } from './option-problems.ts';
import { asMapping, describeShape, type Mapping, optionalText, type ParseContext } from './parse.ts';
import type { FilePlaces, Path } from './places.ts';
import { sourceKeys } from './source-settings.ts';

const sharedKeys: Readonly<Record<Section, readonly string[]>> = {
  sources: ['description', ...sourceKeys],
  operators: ['description'],
  sinks: ['description'],
};

interface NodeSource {
  readonly id: string;
  readonly section: Section;
  readonly content: RawValue;
  readonly context: ParseContext;
}

export function parseNode(source: NodeSource): SourceNode | OperatorNode | SinkNode | undefined {
  const { id, section, content, context } = source;
  const path = [section, id];
  const mapping = asMapping(content);
  if (!mapping) {
    const wanted = `a mapping with the name of ${articles[kindOf(section)]}`;
    context.problem('MACH1010', path, { data: { what: `"${id}"`, wanted, given: describeShape(content) } });
    return undefined;
  }
  const name = findName(mapping, source);
  if (name === undefined) return undefined;
  const options = readOptions(mapping[name] ?? null, [...path, name], source);
  if (!options) return undefined;
  const description = optionalText(mapping, 'description', context, path);
  const fields = {
    id,
    definition: name,
    options,
    ...(description !== undefined && { description }),
    span: context.places.find(path, { at: 'key' }),
    definitionSpan: context.places.find([...path, name], { at: 'key' }),
  };
  if (section === 'operators') return OperatorNode.create(fields);
  if (section === 'sinks') return SinkNode.create(fields);
  // What is not text is kept as it is written, so that the message about it can show it.
  const shared = sourceKeys.filter((key) => mapping[key] !== undefined);
  const texts = Object.fromEntries(shared.map((key) => [key, toText(mapping[key] as RawValue)]));
  return SourceNode.create({ ...fields, ...texts });
}

function toText(value: RawValue): string {
  return typeof value === 'object' ? describeShape(value) : String(value);
}

/** The one key that names a definition; undefined, with the reason reported, when there is none or more than one. */
function findName(mapping: Mapping, { id, section, context }: NodeSource): string | undefined {
  const path = [section, id];
  const kind = kindOf(section);
  const others = Object.keys(mapping).filter((key) => !sharedKeys[section].includes(key));
  const known = others.filter((key) => findDefinition(context.catalogue, section, key));
  if (others.length === 0) {
    context.problem('MACH1015', path, {
      data: { what: `${kind} "${id}" does not say which ${kind} it is` },
      at: 'key',
    });
    return undefined;
  }
  const [first, second] = known;
  if (second !== undefined) {
    const what = `${kind} "${id}" has two: ${first} and ${second}; one entry is one ${kind}`;
    context.problem('MACH1015', [...path, second], { data: { what }, at: 'key' });
    return undefined;
  }
  const name = first ?? others[0] ?? '';
  for (const key of others) {
    if (key === name) continue;
    reportUnknownKey(key, { name, known: first !== undefined, path, section, context });
  }
  if (first === undefined) reportUnknownDefinition(name, { path, section, context });
  return first;
}

function reportUnknownKey(
  key: string,
  {
    name,
    known,
    path,
    section,
    context,
  }: Pick<NodeSource, 'section' | 'context'> & { name: string; known: boolean; path: Path },
): void {
  const near = didYouMean(key, sharedKeys[section]);
  const suggestion = near
    ? `did you mean ${near}?`
    : known
      ? `options of ${name} stand below it, indented further`
      : `keys: ${sharedKeys[section].join(', ')}`;
  const where = `${articles[kindOf(section)]}, beside "${name}"`;
  context.problem('MACH1012', [...path, key], { data: { key, where }, suggestion, at: 'key' });
}

function reportUnknownDefinition(
  name: string,
  { path, section, context }: Pick<NodeSource, 'section' | 'context'> & { path: Path },
): void {
  const place = [...path, name];
  const elsewhere = sections.find((other) => findDefinition(context.catalogue, other, name));
  if (elsewhere) {
    const data = { name, actual: articles[kindOf(elsewhere)], section };
    context.problem('MACH1104', place, { data, suggestion: `move the entry to ${elsewhere}`, at: 'key' });
    return;
  }
  const names = definitionsOf(context.catalogue, section).map((definition) => definition.name);
  const data = { name, kind: articles[kindOf(section)] };
  context.problem('MACH1103', place, { data, suggestion: suggestName(name, names, section), at: 'key' });
}

function readOptions(value: RawValue, path: Path, { context }: NodeSource): OptionsNode | undefined {
  const options = value === null ? {} : asMapping(value);
  if (!options) {
    const data = { what: `"${path.at(-1)}"`, wanted: 'a mapping of its options', given: describeShape(value) };
    context.problem('MACH1010', path, { data });
    return undefined;
  }
  return OptionsNode.create(options as RawOptions, placesBelow(options, path, context.places));
}

function placesBelow(value: RawValue, base: Path, places: FilePlaces): Record<string, OptionPlace> {
  const found: Record<string, OptionPlace> = {};
  const walk = (inner: RawValue, relative: Path): void => {
    const path = [...base, ...relative];
    const isItem = typeof relative.at(-1) === 'number';
    if (relative.length > 0) {
      found[pointerOf(relative)] = {
        ...(!isItem && { key: places.find(path, { at: 'key' }) }),
        value: places.find(path),
      };
    }
    if (inner === null || typeof inner !== 'object') return;
    const entries = Array.isArray(inner) ? inner.map((item, index) => [index, item] as const) : Object.entries(inner);
    for (const [key, item] of entries) walk(item as RawValue, [...relative, key]);
  };
  walk(value, []);
  return found;
}
