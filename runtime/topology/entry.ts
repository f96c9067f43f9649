/** A node of a topology on its way from the file (or the builder) to its bound form. */
import type { Catalogue } from '../stream/definition.ts';
import type { OperatorDefinition } from '../stream/operator-definition.ts';
import type { SinkDefinition } from '../stream/sink-definition.ts';
import type { SourceDefinition } from '../stream/source-definition.ts';
import type { OperatorNode } from './ir/operator-node.ts';
import type { SinkNode } from './ir/sink-node.ts';
import type { SourceNode } from './ir/source-node.ts';
import type { Path } from './places.ts';

export type NodeKind = 'source' | 'operator' | 'sink';
export type Section = 'sources' | 'operators' | 'sinks';
export type AnyDefinition = SourceDefinition | OperatorDefinition | SinkDefinition;

export const sections: readonly Section[] = ['sources', 'operators', 'sinks'];

/** As messages name them. */
export const articles = { source: 'a source', operator: 'an operator', sink: 'a sink' } as const;

export function kindOf(section: Section): NodeKind {
  return section.slice(0, -1) as NodeKind;
}

export function sectionOf(kind: NodeKind): Section {
  return `${kind}s`;
}

interface EntryOf<K extends NodeKind, N, D> {
  readonly kind: K;
  readonly id: string;
  readonly node: N;
  readonly definition: D;
}

export type SourceEntry = EntryOf<'source', SourceNode, SourceDefinition>;
export type OperatorEntry = EntryOf<'operator', OperatorNode, OperatorDefinition>;
export type SinkEntry = EntryOf<'sink', SinkNode, SinkDefinition>;
export type Entry = SourceEntry | OperatorEntry | SinkEntry;

/** Path of the node itself in the file. */
export function nodePath({ kind, id }: Pick<Entry, 'kind' | 'id'>): Path {
  return [sectionOf(kind), id];
}

/** Path of the node's options in the file. */
export function optionsPath(entry: Entry): Path {
  return [...nodePath(entry), entry.node.definition];
}

export function definitionsOf(catalogue: Catalogue, section: Section): readonly AnyDefinition[] {
  return catalogue[section];
}

export function findDefinition(catalogue: Catalogue, section: Section, name: string): AnyDefinition | undefined {
  return definitionsOf(catalogue, section).find((definition) => definition.name === name);
}
