import type { OptionsNode } from './options-node.ts';
import type { Span } from './span.ts';

/** Where results go out: one entry of the section `sinks`. */
export interface SinkNode {
  readonly kind: 'SinkNode';
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

export const SinkNode = Object.freeze({
  is(node: { kind: string }): node is SinkNode {
    return node.kind === 'SinkNode';
  },
  create(fields: Omit<SinkNode, 'kind'>): SinkNode {
    return Object.freeze({ kind: 'SinkNode', ...fields });
  },
});
