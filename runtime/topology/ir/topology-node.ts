import type { EdgeNode } from './edge-node.ts';
import type { OperatorNode } from './operator-node.ts';
import type { SinkNode } from './sink-node.ts';
import type { SourceNode } from './source-node.ts';
import type { Span } from './span.ts';

/** A whole topology, as a file or the builder describes it. */
export interface TopologyNode {
  readonly kind: 'TopologyNode';
  readonly version: 1;
  readonly name: string;
  readonly description?: string;
  readonly sources: readonly SourceNode[];
  readonly operators: readonly OperatorNode[];
  readonly sinks: readonly SinkNode[];
  /** Found from the options that the definitions mark as inputs, in the order of the file. */
  readonly edges: readonly EdgeNode[];
  /** Of the name. */
  readonly span?: Span;
}

export const TopologyNode = Object.freeze({
  is(node: { kind: string }): node is TopologyNode {
    return node.kind === 'TopologyNode';
  },
  create(fields: Omit<TopologyNode, 'kind' | 'version'>): TopologyNode {
    return Object.freeze({
      kind: 'TopologyNode',
      version: 1,
      ...fields,
      sources: Object.freeze([...fields.sources]),
      operators: Object.freeze([...fields.operators]),
      sinks: Object.freeze([...fields.sinks]),
      edges: Object.freeze([...fields.edges]),
    });
  },
});
