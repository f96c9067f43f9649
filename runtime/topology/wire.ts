/** Edges: which node reads which, whether all of it exists, and in which order the nodes can be bound. */
import { didYouMean } from '../did-you-mean.ts';
import { type Diagnostic, makeDiagnostic } from './diagnostic.ts';
import { type Entry, type NodeKind, optionsPath } from './entry.ts';
import type { TopologyErrorCode } from './errors.ts';
import { EdgeNode } from './ir/edge-node.ts';
import type { RawValue } from './ir/options-node.ts';
import { ReferenceNode } from './ir/reference-node.ts';
import { suggestName } from './option-problems.ts';
import { findInputs, optionSchema } from './option-schema.ts';
import type { Places } from './places.ts';

export interface Wiring {
  /** Every edge whose name can be read, also those that lead nowhere. */
  readonly edges: readonly EdgeNode[];
  /** Ids of nodes with an input that does not exist. */
  readonly dangling: ReadonlySet<string>;
  /** Ids of nodes with an input that names nothing that could be a node. */
  readonly unreadable: ReadonlySet<string>;
  /** For an edge that leads nowhere, the node that was most likely meant: so that the check can go on behind it. */
  readonly guesses: ReadonlyMap<EdgeNode, string>;
  readonly diagnostics: readonly Diagnostic[];
}

export interface WireContext {
  readonly places: Places;
  /** Nodes that are there but were not understood. */
  readonly broken: ReadonlySet<string>;
}

export function wire(entries: readonly Entry[], { places, broken }: WireContext): Wiring {
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const edges: EdgeNode[] = [];
  const dangling = new Set<string>();
  const unreadable = new Set<string>();
  const guesses = new Map<EdgeNode, string>();
  const diagnostics: Diagnostic[] = [];
  for (const entry of entries) {
    if (entry.kind === 'source') continue;
    const seen = new Set<string>();
    for (const { input, path, text } of findInputs(
      optionSchema(entry.definition.options),
      entry.node.options.value as RawValue,
    )) {
      const span = places.find([...optionsPath(entry), ...path]);
      const problem = (code: TopologyErrorCode, data: Record<string, string>, suggestion?: string) => {
        dangling.add(entry.id);
        diagnostics.push(makeDiagnostic(code, { file: places.file, span, data, suggestion }));
      };
      const from = ReferenceNode.parse(text);
      if (!from) {
        unreadable.add(entry.id);
        const near = didYouMean(text, byId.keys());
        problem('MACH1110', { from: text }, near ? `did you mean ${near}?` : 'write the id of a node, or id.port');
        continue;
      }
      const list = `${path.filter((step) => typeof step === 'string').join('.')} ${text}`;
      if (seen.has(list)) problem('MACH1111', { from: text });
      seen.add(list);
      const target = byId.get(from.node);
      const edge = EdgeNode.create({ from, to: entry.id, input, path, span });
      edges.push(edge);
      if (target?.kind === 'sink') problem('MACH1108', { from: text });
      else if (!target && !broken.has(from.node)) {
        const names = entries.filter(({ kind, id }) => kind !== 'sink' && id !== entry.id).map(({ id }) => id);
        problem(
          'MACH1105',
          { kind: entry.kind, id: entry.id, from: from.node },
          describeNear(from.node, names, { byId, places }),
        );
        const near = didYouMean(from.node, names);
        if (near) guesses.set(edge, near);
      }
    }
  }
  return { edges, dangling, unreadable, guesses, diagnostics };
}

function describeNear(
  name: string,
  names: readonly string[],
  { byId, places }: { byId: ReadonlyMap<string, Entry>; places: Places },
): string {
  const near = didYouMean(name, names);
  const entry = near ? byId.get(near) : undefined;
  if (!entry) return suggestName(name, names, 'nodes');
  const { line } = places.find([`${entry.kind}s`, entry.id], { at: 'key' });
  return `did you mean ${near} (line ${line})?`;
}

export interface Order {
  /** Ids in an order in which each comes after all that it reads; nodes in or behind a circle are left out. */
  readonly sorted: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Topological order, that of the file between independent nodes. */
export function orderNodes(entries: readonly Entry[], edges: readonly EdgeNode[], places: Places): Order {
  const ids = new Set(entries.filter(({ kind }) => kind !== 'sink').map(({ id }) => id));
  const incoming = new Map<string, EdgeNode[]>(entries.map(({ id }) => [id, []]));
  for (const edge of edges) if (ids.has(edge.from.node)) incoming.get(edge.to)?.push(edge);
  const sorted: string[] = [];
  const done = new Set<string>();
  let rest = entries.map(({ id }) => id);
  while (rest.length > 0) {
    const ready = rest.find((id) => incoming.get(id)?.every(({ from }) => done.has(from.node)));
    if (ready === undefined) break;
    sorted.push(ready);
    done.add(ready);
    rest = rest.filter((id) => id !== ready);
  }
  return { sorted, diagnostics: findCircles(rest, incoming, places) };
}

/** One diagnostic for each circle, at the edge that closes it in the order of the file. */
function findCircles(
  rest: readonly string[],
  incoming: ReadonlyMap<string, readonly EdgeNode[]>,
  places: Places,
): Diagnostic[] {
  const left = new Set(rest);
  const diagnostics: Diagnostic[] = [];
  const settled = new Set<string>();
  for (const start of rest) {
    // Going against the edges from a node that is left over always ends in a circle.
    const path: EdgeNode[] = [];
    const position = new Map<string, number>();
    let at = start;
    while (!settled.has(at) && !position.has(at)) {
      position.set(at, path.length);
      const edge = incoming.get(at)?.find(({ from }) => left.has(from.node));
      if (!edge) break;
      path.push(edge);
      at = edge.from.node;
    }
    const from = position.get(at);
    if (!settled.has(at) && from !== undefined && from < path.length) {
      const circle = path.slice(from).reverse();
      const names = [...circle.map((edge) => edge.from.node), (circle.at(-1) as EdgeNode).to];
      const closing = circle.reduce((last, edge) => ((edge.span?.line ?? 0) < (last.span?.line ?? 0) ? edge : last));
      const span = closing.span ?? places.find([]);
      diagnostics.push(makeDiagnostic('MACH1107', { file: places.file, span, data: { path: names.join(' -> ') } }));
    }
    for (const id of position.keys()) settled.add(id);
  }
  return diagnostics;
}

/** Sources and operators that nothing reads: a warning. */
export function findUnused(entries: readonly Entry[], { edges, guesses }: Wiring, places: Places): Diagnostic[] {
  const read = new Set([...edges.map(({ from }) => from.node), ...guesses.values()]);
  return entries
    .filter(({ id, kind }) => kind !== 'sink' && !read.has(id))
    .map(({ id, kind }: { id: string; kind: NodeKind }) => {
      const span = places.find([`${kind}s`, id], { at: 'key' });
      return makeDiagnostic('MACH1109', { file: places.file, span, data: { kind, id }, severity: 'warning' });
    });
}
