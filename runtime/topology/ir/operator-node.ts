import type { OptionsNode } from './options-node.ts';
import type { Span } from './span.ts';

/** What is done to a stream: one entry of the section `operators`. */
export interface OperatorNode {
  readonly kind: 'OperatorNode';
  readonly id: string;
  /** Name of the definition in the catalogue. */
  readonly definition: string;
  readonly options: OptionsNode;
  readonly description?: string;
  /** Of the id. */
  readonly span?: Span;
  /** Of the definition's name. */
  readonly definitionSpan?: Span;
}

export const OperatorNode = Object.freeze({
  is(node: { kind: string }): node is OperatorNode {
    return node.kind === 'OperatorNode';
  },
  create(fields: Omit<OperatorNode, 'kind'>): OperatorNode {
    return Object.freeze({ kind: 'OperatorNode', ...fields });
  },
});
