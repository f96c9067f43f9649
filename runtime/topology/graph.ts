/** The topology as a picture: Mermaid for documents, DOT for Graphviz, JSON for programs. Made from what is written only. */
import { type NodeKind, sections } from './entry.ts';
import type { TopologyNode } from './ir/topology-node.ts';

export interface TopologyGraph {
  readonly name: string;
  readonly nodes: readonly {
    readonly id: string;
    readonly kind: NodeKind;
    readonly definition: string;
    readonly description?: string;
  }[];
  readonly edges: readonly {
    readonly from: string;
    readonly port: string;
    readonly to: string;
    readonly input: string;
  }[];
}

export const graphFormats = ['mermaid', 'dot', 'json'] as const;
export type GraphFormat = (typeof graphFormats)[number];

/** The nodes and edges as they are written. */
export function graphOf(ir: TopologyNode): TopologyGraph {
  const nodes = sections.flatMap((section) =>
    ir[section].map(({ id, definition, description }) => ({
      id,
      kind: section.slice(0, -1) as NodeKind,
      definition,
      ...(description !== undefined && { description }),
    })),
  );
  const edges = ir.edges.map(({ from, to, input }) => ({ from: from.node, port: from.port, to, input }));
  return { name: ir.name, nodes, edges };
}

export function formatGraph(ir: TopologyNode, format: GraphFormat): string {
  const graph = graphOf(ir);
  if (format === 'json') return JSON.stringify(graph, null, 2);
  return format === 'dot' ? formatDot(graph) : formatMermaid(graph);
}

const mermaidShapes: Readonly<Record<NodeKind, readonly [string, string]>> = {
  source: ['([', '])'],
  operator: ['[', ']'],
  sink: ['[(', ')]'],
};

function formatMermaid({ nodes, edges }: TopologyGraph): string {
  const lines = nodes.map(({ id, kind, definition }) => {
    const [open, close] = mermaidShapes[kind];
    return `  ${mermaidId(id)}${open}"${id}<br/><small>${definition}</small>"${close}`;
  });
  const links = edges.map(({ from, port, to, input }) => {
    const label = edgeLabel(port, input);
    return `  ${mermaidId(from)} -->${label ? `|${label}|` : ''} ${mermaidId(to)}`;
  });
  return ['flowchart LR', ...lines, ...links].join('\n');
}

/** An id may be a word of Mermaid's own (`end`), and `--` is a link: ids are changed, and shown in the label. */
function mermaidId(id: string): string {
  return `n_${id.replaceAll('-', '_dash_')}`;
}

const dotShapes: Readonly<Record<NodeKind, string>> = { source: 'ellipse', operator: 'box', sink: 'cylinder' };

function formatDot({ name, nodes, edges }: TopologyGraph): string {
  const lines = nodes.map(
    ({ id, kind, definition }) => `  "${id}" [shape=${dotShapes[kind]}, label="${id}\\n${definition}"];`,
  );
  const links = edges.map(({ from, port, to, input }) => {
    const label = edgeLabel(port, input);
    return `  "${from}" -> "${to}"${label ? ` [label="${label}"]` : ''};`;
  });
  return [`digraph "${name}" {`, '  rankdir=LR;', ...lines, ...links, '}'].join('\n');
}

function edgeLabel(port: string, input: string): string {
  const parts = [port === 'out' ? '' : port, /^from(\.\d+)?$/.test(input) ? '' : input];
  return parts.filter((part) => part !== '').join(' to ');
}
