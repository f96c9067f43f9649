/** A source bound by itself, without a topology: for `mach decode`. */
import type { BoundSource, SourceDefinition } from '../stream/source-definition.ts';
import { bindTopology } from './bind.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { TopologyNode } from './ir/topology-node.ts';
import type { Environment } from './references.ts';

/** `topology` has the one source and nothing else. */
export function bindSource(
  topology: TopologyNode,
  { definition, env }: { definition: SourceDefinition; env: Environment },
): { bound?: BoundSource; diagnostics: readonly Diagnostic[] } {
  const catalogue = { sources: [definition], operators: [], sinks: [] };
  const result = bindTopology(topology, { catalogue, env });
  const bound = result.topology?.sources[0]?.bound;
  return { ...(bound && { bound }), diagnostics: result.diagnostics };
}
