/** Whether the state of a checkpoint is the state that a topology would have, had it run up to there itself. */
import type { BoundTopology } from '../../topology/bound.ts';
import type { CheckpointHead } from '../checkpoint.ts';
import { deepFingerprintsOf, fingerprintsOf } from '../fingerprint.ts';

/** Ids of the nodes whose state the checkpoint cannot stand for; empty when it fits. */
export function misfits(
  head: CheckpointHead,
  { topology, writtenBy }: { topology: BoundTopology; writtenBy: BoundTopology },
): string[] {
  // A part of the keys is not the state of one machine.
  if ((head.partitions ?? 1) !== 1) return ['*'];
  if (head.hash === topology.hash) return [];
  const before = head.deepFingerprints ?? (head.hash === writtenBy.hash ? deepFingerprintsOf(writtenBy) : undefined);
  const stateful = Object.keys(fingerprintsOf(topology));
  const nodes = [...topology.sources.map(({ id }) => id), ...stateful];
  if (!before) return nodes;
  const now = deepFingerprintsOf(topology);
  return nodes.filter((node) => before[node] !== now[node]);
}

export function fitsTopology(
  head: CheckpointHead,
  topologies: { topology: BoundTopology; writtenBy: BoundTopology },
): boolean {
  return misfits(head, topologies).length === 0;
}
