/** A topology file to its intermediate representation: everything that can be said without knowing any schema. */
import { didYouMean } from '../did-you-mean.ts';
import type { Catalogue } from '../stream/definition.ts';
import { type Diagnostic, makeDiagnostic } from './diagnostic.ts';
import { articles, kindOf, type Section, sections } from './entry.ts';
import type { TopologyErrorCode } from './errors.ts';
import type { OperatorNode } from './ir/operator-node.ts';
import type { RawValue } from './ir/options-node.ts';
import type { SinkNode } from './ir/sink-node.ts';
import type { SourceNode } from './ir/source-node.ts';
import { TopologyNode } from './ir/topology-node.ts';
import { topologyLimits } from './limits.ts';
import { describeValue } from './option-problems.ts';
import { parseNode } from './parse-node.ts';
import type { FilePlaces, Path, PlaceOptions } from './places.ts';
import { readYaml } from './yaml-text.ts';

export interface ParseResult {
  /** Without its edges: those are known once the options are. Absent when nothing of the file could be understood. */
  readonly ir?: TopologyNode;
  readonly places: FilePlaces;
  /** Ids of nodes that are in the file but could not be understood: reading from them is no mistake. */
  readonly broken: ReadonlySet<string>;
  readonly diagnostics: readonly Diagnostic[];
}

export type Mapping = { readonly [key: string]: RawValue };

export interface ParseContext {
  readonly catalogue: Catalogue;
  readonly places: FilePlaces;
  problem(
    code: TopologyErrorCode,
    path: Path,
    options?: { data?: Record<string, string | number>; suggestion?: string | undefined } & PlaceOptions,
  ): void;
}

export const idPattern = /^[a-z][a-z0-9_-]{0,63}$/;
const topLevelKeys = ['version', 'name', 'description', ...sections];

export function parseTopology(text: string, file: string, catalogue: Catalogue): ParseResult {
  const { value, places, diagnostics: yamlDiagnostics } = readYaml(text, file);
  const diagnostics = [...yamlDiagnostics];
  const broken = new Set<string>();
  if (value === undefined) return { places, broken, diagnostics };
  const context: ParseContext = {
    catalogue,
    places,
    problem(code, path, { data, suggestion, ...place } = {}) {
      diagnostics.push(
        makeDiagnostic(code, { file, span: places.find(path, place), ...(data && { data }), suggestion }),
      );
    },
  };
  if (value === null && yamlDiagnostics.length === 0) context.problem('MACH1004', []);
  const root = asMapping(value);
  if (!root) {
    if (value !== null) {
      const data = { what: 'a topology', wanted: 'a mapping', given: describeShape(value) };
      context.problem('MACH1010', [], { data });
    }
    return { places, broken, diagnostics };
  }
  checkTopLevel(root, { context, broken });
  const nodes = parseSections(root, { context, broken });
  const description = optionalText(root, 'description', context);
  const ir = TopologyNode.create({
    name: typeof root.name === 'string' ? root.name : '',
    ...(description !== undefined && { description }),
    sources: nodes.filter((node): node is SourceNode => node.kind === 'SourceNode'),
    operators: nodes.filter((node): node is OperatorNode => node.kind === 'OperatorNode'),
    sinks: nodes.filter((node): node is SinkNode => node.kind === 'SinkNode'),
    edges: [],
    span: places.find(['name']),
  });
  return { ir, places, broken, diagnostics };
}

interface Parsing {
  readonly context: ParseContext;
  /** Nodes of which nothing more is to be said, because something about them is wrong. */
  readonly broken: Set<string>;
}

function checkTopLevel(root: Mapping, { context, broken }: Parsing): void {
  for (const key of Object.keys(root)) {
    if (topLevelKeys.includes(key)) continue;
    const near = didYouMean(key, topLevelKeys);
    if (sections.some((section) => section === near))
      for (const id of Object.keys(asMapping(root[key]) ?? {})) broken.add(id);
    const owner = sections.find((section) => context.catalogue[section].some(({ name }) => name === key));
    const suggestion = near
      ? `did you mean ${near}?`
      : owner
        ? `${key} belongs below an id in ${owner}`
        : `keys: ${topLevelKeys.join(', ')}`;
    context.problem('MACH1012', [key], { data: { key, where: 'a topology' }, suggestion, at: 'key' });
  }
  checkVersion(root, context);
  checkName(root, context);
  for (const section of ['sources', 'sinks'] as const) {
    const value = root[section];
    // Its name is mistyped: that has been said.
    if (
      value === undefined &&
      Object.keys(root).some((key) => !topLevelKeys.includes(key) && didYouMean(key, topLevelKeys) === section)
    )
      continue;
    if (value === undefined || value === null || (asMapping(value) && Object.keys(value).length === 0)) {
      context.problem('MACH1014', [section], { data: { section }, at: 'key' });
    }
  }
}

function checkVersion({ version }: Mapping, context: ParseContext): void {
  if (version === 1) return;
  if (version === undefined) {
    context.problem('MACH1011', [], {
      data: { what: 'the version of the format is missing' },
      suggestion: 'add "version: 1"',
    });
    return;
  }
  const what = `${describeValue(version)} is not a version of the format`;
  context.problem('MACH1011', ['version'], { data: { what }, suggestion: 'write "version: 1"' });
}

function checkName({ name }: Mapping, context: ParseContext): void {
  if (typeof name === 'string' && idPattern.test(name)) return;
  if (name === undefined) {
    context.problem('MACH1013', [], { data: { what: 'the topology has no name' }, suggestion: 'add "name: ..."' });
    return;
  }
  const near = typeof name === 'string' ? toId(name) : undefined;
  const what = `${describeValue(name)} cannot be the name of a topology`;
  context.problem('MACH1013', ['name'], { data: { what }, suggestion: near && `did you mean ${near}?` });
}

function parseSections(root: Mapping, { context, broken }: Parsing) {
  const nodes: (SourceNode | OperatorNode | SinkNode)[] = [];
  const taken = new Map<string, { section: Section; line: number }>();
  for (const section of sections) {
    const value = root[section];
    if (value === undefined || value === null) continue;
    const entries = asMapping(value);
    if (!entries) {
      const data = { what: section, wanted: 'a mapping from ids to nodes', given: describeShape(value) };
      context.problem('MACH1010', [section], { data });
      continue;
    }
    for (const [id, content] of Object.entries(entries)) {
      if (!checkId(id, section, { context, taken })) continue;
      const node = parseNode({ id, section, content, context });
      if (node) nodes.push(node);
      else broken.add(id);
    }
  }
  if (taken.size > topologyLimits.nodesMax) {
    context.problem('MACH1020', [], { data: { count: taken.size, max: topologyLimits.nodesMax } });
  }
  return nodes;
}

/** Whether the entry counts: an id that is taken hides what comes second. */
function checkId(
  id: string,
  section: Section,
  { context, taken }: { context: ParseContext; taken: Map<string, { section: Section; line: number }> },
): boolean {
  const path = [section, id];
  if (!idPattern.test(id)) {
    const near = toId(id);
    context.problem('MACH1101', path, { data: { id }, suggestion: near && `did you mean ${near}?`, at: 'key' });
  }
  const first = taken.get(id);
  if (first) {
    context.problem('MACH1102', path, {
      data: { id, line: first.line, kind: articles[kindOf(first.section)] },
      at: 'key',
    });
    return false;
  }
  taken.set(id, { section, line: context.places.find(path, { at: 'key' }).line });
  return true;
}

/** The id that a text was probably meant to be; Vietnamese letters lose their marks. */
export function toId(text: string): string | undefined {
  const plain = text
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll('đ', 'd')
    .normalize('NFD')
    .replace(/\p{Diacritic}/gu, '')
    .replace(/[^a-z0-9_-]+/g, '_')
    .replace(/^[^a-z]+|_+$/g, '')
    .slice(0, 64);
  return plain === '' ? undefined : plain;
}

export function optionalText(
  mapping: Mapping,
  key: string,
  context: ParseContext,
  path: Path = [],
): string | undefined {
  const value = mapping[key];
  if (value === undefined) return undefined;
  if (typeof value === 'string') return value;
  const data = { what: `"${key}"`, wanted: 'a text', given: describeShape(value) };
  context.problem('MACH1010', [...path, key], { data });
  return undefined;
}

export function asMapping(value: RawValue | undefined): Mapping | undefined {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Mapping) : undefined;
}

export function describeShape(value: RawValue): string {
  return typeof value === 'string' ? `the text ${describeValue(value)}` : describeValue(value);
}
