/** Where nodes and edges stand: dagre works it out, from left to right, or from top to bottom where there is no such width. */
import { Graph, layout } from '@dagrejs/dagre';
import type { GraphAnswer } from './ask.ts';

export interface Placed {
  readonly width: number;
  readonly height: number;
  readonly nodes: ReadonlyMap<string, { readonly x: number; readonly y: number }>;
  readonly edges: readonly {
    readonly from: string;
    readonly port: string;
    readonly to: string;
    readonly input: string;
    readonly points: readonly { x: number; y: number }[];
    readonly label: { x: number; y: number };
  }[];
}

export const nodeSize = { width: 190, height: 92 } as const;
const labelSize = { width: 64, height: 18 } as const;
const margin = 16;

/** A picture that would be smaller than this share of its size cannot be read. */
const scaleMin = 0.8;

export function placeGraph(graph: GraphAnswer, width: number): Placed {
  const wide = place(graph, 'LR');
  return width >= wide.width * scaleMin ? wide : place(graph, 'TB');
}

function place({ nodes, edges }: GraphAnswer, rankdir: 'LR' | 'TB'): Placed {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({
    rankdir,
    nodesep: 18,
    ranksep: rankdir === 'LR' ? 36 : 30,
    edgesep: 12,
    marginx: margin,
    marginy: margin,
  });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id } of nodes) graph.setNode(id, { ...nodeSize });
  edges.forEach(({ from, to }, index) => {
    graph.setEdge(from, to, { ...labelSize, labelpos: 'c' }, String(index));
  });
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return {
    width,
    height,
    nodes: new Map(nodes.map(({ id }) => [id, graph.node(id) as { x: number; y: number }])),
    edges: edges.map((edge, index) => {
      const {
        points = [],
        x = 0,
        y = 0,
      } = graph.edge(edge.from, edge.to, String(index)) as {
        points?: { x: number; y: number }[];
        x?: number;
        y?: number;
      };
      return { ...edge, points, label: { x, y } };
    }),
  };
}

/** A soft line through points. */
export function linePath(points: readonly { x: number; y: number }[]): string {
  const [first, ...rest] = points;
  if (!first) return '';
  let path = `M${first.x},${first.y}`;
  for (let index = 0; index < rest.length - 1; index++) {
    const [here, next] = [rest[index], rest[index + 1]] as [{ x: number; y: number }, { x: number; y: number }];
    path += `Q${here.x},${here.y} ${(here.x + next.x) / 2},${(here.y + next.y) / 2}`;
  }
  const last = rest.at(-1);
  return last ? `${path}L${last.x},${last.y}` : path;
}
