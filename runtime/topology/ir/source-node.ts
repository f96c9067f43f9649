import type { OptionsNode } from './options-node.ts';
import type { Span } from './span.ts';

/** Where events come in: one entry of the section `sources`. */
export interface SourceNode {
  readonly kind: 'SourceNode';
  readonly id: string;
  /** Name of the definition in the catalogue. */
  readonly definition: string;
  readonly options: OptionsNode;
  readonly description?: string;
  /** As written: `2m`. */
  readonly idle?: string;
  readonly disorder?: string;
  readonly durability?: string;
  readonly event_time?: string;
  /** Of the id. */
  readonly span?: Span;
  /** Of the definition's name. */
  readonly definitionSpan?: Span;
}

export const SourceNode = Object.freeze({
  is(node: { kind: string }): node is SourceNode {
    return node.kind === 'SourceNode';
  },
  create(fields: Omit<SourceNode, 'kind'>): SourceNode {
    return Object.freeze({ kind: 'SourceNode', ...fields });
  },
});
