/** Which operators run as one loop: neighbours without state, where nobody else reads what passes between them. */
import type { BoundOperatorNode, BoundTopology } from '../topology/bound.ts';
import type { SpreadPlan } from '../topology/spread.ts';

/** Without state, one input: it can be a step of a loop. */
export function isFusible({ bound, inputs }: BoundOperatorNode): boolean {
  return bound.stateless !== undefined && inputs.length === 1;
}

/** Nobody needs objects of what a node gives: sinks alone read it, and operators that take columns. */
export function isReadAsColumns({ operators }: BoundTopology, node: string): boolean {
  return operators.every(
    ({ bound, inputs }) => bound.readsColumns === true || inputs.every(({ from }) => from.node !== node),
  );
}

/** The operators of a stage in topological order, neighbours that run as one loop together. */
export function fuseChains(topology: BoundTopology, plan: SpreadPlan, stage: number): BoundOperatorNode[][] {
  const readers = new Map<string, number>();
  for (const { inputs } of [...topology.operators, ...topology.sinks]) {
    for (const { from } of inputs) readers.set(from.node, (readers.get(from.node) ?? 0) + 1);
  }
  const chains: BoundOperatorNode[][] = [];
  const chainByEnd = new Map<string, BoundOperatorNode[]>();
  for (const node of topology.operators) {
    if (plan.nodes.get(node.id)?.stage !== stage) continue;
    const upstream = node.inputs[0]?.from;
    const chain = upstream && chainByEnd.get(upstream.node);
    const edge = plan.nodes.get(node.id)?.edges[0];
    const isPlain = edge?.exchange === null && edge.keep.kind === 'all' && edge.order === null && !edge.crosses;
    if (isPlain && isFusible(node) && chain && upstream.port === 'out' && readers.get(upstream.node) === 1) {
      chain.push(node);
      chainByEnd.delete(upstream.node);
      chainByEnd.set(node.id, chain);
      continue;
    }
    const own = [node];
    chains.push(own);
    if (isFusible(node)) chainByEnd.set(node.id, own);
  }
  return chains;
}
