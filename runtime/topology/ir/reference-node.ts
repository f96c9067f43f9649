/** A port of a node, as an input names it: `waiting`, `per_hospital.late`. */
export interface ReferenceNode {
  readonly kind: 'ReferenceNode';
  readonly node: string;
  readonly port: string;
}

export const ReferenceNode = Object.freeze({
  is(node: { kind: string }): node is ReferenceNode {
    return node.kind === 'ReferenceNode';
  },
  create(node: string, port = 'out'): ReferenceNode {
    return Object.freeze({ kind: 'ReferenceNode', node, port });
  },
  /** `waiting` or `waiting.late`; undefined when it is neither. */
  parse(text: string): ReferenceNode | undefined {
    const match = /^([a-z][a-z0-9_-]*)(?:\.([a-z][a-z0-9_-]*))?$/.exec(text);
    return match?.[1] ? ReferenceNode.create(match[1], match[2]) : undefined;
  },
  format({ node, port }: { node: string; port: string }): string {
    return port === 'out' ? node : `${node}.${port}`;
  },
});
