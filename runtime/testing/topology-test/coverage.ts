/** Which nodes and outputs of a topology the tests of a file have reached. */
import type { BoundTopology } from '../../topology/bound.ts';
import { edgeToken } from '../../topology/names.ts';
import type { LookBack } from './look-back.ts';

export interface Reached {
  readonly nodes: ReadonlySet<string>;
  /** Outputs that something left by: `census`, `dedupe:duplicate`. */
  readonly outputs: ReadonlySet<string>;
}

export interface Coverage {
  readonly nodes: { readonly reached: number; readonly total: number; readonly missing: readonly string[] };
  readonly outputs: { readonly reached: number; readonly total: number; readonly missing: readonly string[] };
}

export function reachedBy({ rows, reached }: LookBack): Reached {
  const outputs = [...rows].filter(([, events]) => events.length > 0).map(([output]) => output);
  return { nodes: reached, outputs: new Set(outputs) };
}

export function coverageOf(topology: BoundTopology, all: readonly Reached[]): Coverage {
  const nodes = [...topology.sources, ...topology.operators, ...topology.sinks].map(({ id }) => id);
  const outputs = [...topology.sources, ...topology.operators].flatMap(({ id, ports }) =>
    Object.keys(ports).map((port) => edgeToken({ node: id, port })),
  );
  const part = (names: readonly string[], of: (reached: Reached) => ReadonlySet<string>) => {
    const missing = names.filter((name) => !all.some((reached) => of(reached).has(name)));
    return { reached: names.length - missing.length, total: names.length, missing };
  };
  return { nodes: part(nodes, (reached) => reached.nodes), outputs: part(outputs, (reached) => reached.outputs) };
}
