/**
 * What every output of a topology gave, found by handling the log of a test once more: so nothing that crashed and was repeated is seen
 * twice, and the run itself is not watched.
 */
import { StageMachine } from '../../execution/stage-machine.ts';
import { subscribeFrames } from '../../stream/frame-subscriber.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { edgeToken } from '../../topology/names.ts';
import type { CollectedRow, LoggedInput } from './world-form.ts';

export interface LookBack {
  /** By output: `census`, `dedupe:duplicate`. */
  readonly rows: ReadonlyMap<string, readonly CollectedRow[]>;
  /** Nodes that something came to. */
  readonly reached: ReadonlySet<string>;
}

export function lookBack(topology: BoundTopology, inputs: readonly LoggedInput[]): LookBack {
  const machine = new StageMachine(topology, { rows() {}, question() {} });
  const rows = new Map<string, CollectedRow[]>();
  const reached = new Set<string>();
  for (const { id, ports } of [...topology.sources, ...topology.operators]) {
    for (const port of Object.keys(ports)) {
      const into: CollectedRow[] = [];
      rows.set(edgeToken({ node: id, port }), into);
      subscribeFrames(machine.output({ node: id, port }), (frame) => {
        if (frame.kind !== 'batch') return;
        frame.events.forEach((event, at) => {
          into.push({ event, time: frame.times[at] as number, sequence: machine.sequence });
        });
      });
    }
  }
  for (const [index, { node, frame }] of inputs.entries()) {
    machine.handle(index + 1, node, frame);
    if (frame.kind === 'source') reached.add(node);
  }
  for (const { id } of [...topology.operators, ...topology.sinks]) {
    if ((machine.runner(id)?.counts.in ?? 0) > 0) reached.add(id);
  }
  return { rows, reached };
}
