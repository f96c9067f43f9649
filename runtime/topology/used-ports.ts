import type { BoundTopology } from './bound.ts';

/** Source id to the ports of it that something reads; what nobody reads is not written to the log. */
export function usedSourcePorts({
  sources,
  operators,
  sinks,
}: BoundTopology): ReadonlyMap<string, ReadonlySet<string>> {
  const used = new Map(sources.map(({ id }) => [id, new Set<string>()]));
  for (const { inputs } of [...operators, ...sinks]) {
    for (const { from } of inputs) used.get(from.node)?.add(from.port);
  }
  return used;
}
