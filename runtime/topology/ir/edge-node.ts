import type { ReferenceNode } from './reference-node.ts';
import type { Span } from './span.ts';

/** An edge: a port of a node feeds an input of another. */
export interface EdgeNode {
  readonly kind: 'EdgeNode';
  readonly from: ReferenceNode;
  /** Id of the node that reads. */
  readonly to: string;
  /** `from`, `left`; `from.1`, ... for the others of a list. */
  readonly input: string;
  /** Where the option stands: `['from']`, `['from', 1]`. */
  readonly path: readonly (string | number)[];
  readonly span?: Span;
}

export const EdgeNode = Object.freeze({
  is(node: { kind: string }): node is EdgeNode {
    return node.kind === 'EdgeNode';
  },
  create(fields: Omit<EdgeNode, 'kind'>): EdgeNode {
    return Object.freeze({ kind: 'EdgeNode', ...fields });
  },
});
