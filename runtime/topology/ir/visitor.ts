import type { EdgeNode } from './edge-node.ts';
import type { OperatorNode } from './operator-node.ts';
import type { OptionsNode } from './options-node.ts';
import type { ReferenceNode } from './reference-node.ts';
import type { SinkNode } from './sink-node.ts';
import type { SourceNode } from './source-node.ts';
import type { TopologyNode } from './topology-node.ts';

/** Every kind of node of the intermediate representation. */
export type Node = TopologyNode | SourceNode | OperatorNode | SinkNode | OptionsNode | EdgeNode | ReferenceNode;

/** What to do at each kind; a kind that is not named is passed through. */
export type Visitor = { readonly [K in Node['kind']]?: (node: Extract<Node, { kind: K }>) => void };

type ChildrenOf = { readonly [K in Node['kind']]: (node: Extract<Node, { kind: K }>) => readonly Node[] };

const childrenOf: ChildrenOf = {
  TopologyNode: (node) => [...node.sources, ...node.operators, ...node.sinks, ...node.edges],
  SourceNode: (node) => [node.options],
  OperatorNode: (node) => [node.options],
  SinkNode: (node) => [node.options],
  EdgeNode: (node) => [node.from],
  OptionsNode: () => [],
  ReferenceNode: () => [],
};

/** Calls the visitor at the node and at everything below it, parents first, in the order of the file. */
export function visit(node: Node, visitor: Visitor): void {
  (visitor[node.kind] as ((node: Node) => void) | undefined)?.(node);
  for (const child of (childrenOf[node.kind] as (node: Node) => readonly Node[])(node)) visit(child, visitor);
}
