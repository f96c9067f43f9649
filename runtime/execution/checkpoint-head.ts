/** What a checkpoint says of the topology that made it. */
import { limits } from '../limits.ts';
import type { BoundTopology } from '../topology/bound.ts';
import type { CheckpointHead } from './checkpoint.ts';
import { deepFingerprintsOf, fingerprintsOf } from './fingerprint.ts';
import type { StagePart } from './stage-part.ts';
import { nodeIdentitiesOf } from './upgrade/state-identity.ts';

/** Everything but the place: the same for every checkpoint of a part. */
export function headOf(topology: BoundTopology, part: StagePart): Omit<CheckpointHead, 'sequence'> {
  return {
    topology: topology.name,
    hash: topology.hash,
    fingerprints: fingerprintsOf(topology),
    nodes: nodeIdentitiesOf(topology, part.plan),
    deepFingerprints: deepFingerprintsOf(topology),
    partitions: part.plan.partitions,
    keyGroups: limits.keyGroups,
    node: process.version,
  };
}
