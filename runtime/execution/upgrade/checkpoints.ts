/** The checkpoints that a start would begin from: read to try a new version on them, and put back when it does not come up. */
import type { ObjectStore } from '../../bus/log.ts';
import { isUnanswered } from '../../bus/unanswered.ts';
import { MachError } from '../../errors.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { spreadTopology } from '../../topology/spread.ts';
import { type Checkpoint, type CheckpointPlace, decodeCheckpoint, listCheckpoints } from '../checkpoint.ts';
import { StageMachine } from '../stage-machine.ts';
import { adoptSnapshot } from './adopt.ts';

export interface KeptCheckpoint {
  readonly place: CheckpointPlace;
  readonly data: Uint8Array;
  readonly checkpoint: Checkpoint;
}

/**
 * The newest checkpoint of every stage and partition (of these partitions, where they are named) that can be used; those that cannot are
 * passed over, as a start does.
 */
export async function newestCheckpoints(
  objects: ObjectStore,
  partitions?: ReadonlySet<number>,
): Promise<KeptCheckpoint[]> {
  const newest = new Map<string, KeptCheckpoint>();
  const places = (await listCheckpoints(objects)).filter(({ kind }) => kind === 'kept');
  for (const place of places.sort((a, b) => b.sequence - a.sequence)) {
    const key = `${place.stage}/${place.partition}`;
    if (newest.has(key) || partitions?.has(place.partition) === false) continue;
    try {
      const data = await objects.get(place.name);
      if (data) newest.set(key, { place, data, checkpoint: decodeCheckpoint(place.name, data) });
    } catch (error) {
      // One of which nothing is known may be the newest: an older one must not stand for it.
      if (!(error instanceof MachError) || isUnanswered(error)) throw error;
    }
  }
  return [...newest.values()];
}

/** Takes today's state into machines of the new version, which are then dropped: what throws here would throw in the new engine. */
export async function rehearse(
  objects: ObjectStore,
  topology: BoundTopology,
  partitions: number,
  own: ReadonlySet<number>,
): Promise<void> {
  const plan = spreadTopology(topology, partitions);
  for (const { place, checkpoint } of await newestCheckpoints(objects, own)) {
    const { head, snapshot } = checkpoint;
    const stage = Number(place.stage.slice(1));
    if (stage > plan.stages) continue;
    const outputs = { rows: () => undefined, question: () => undefined };
    const machine = new StageMachine(topology, outputs, { plan, stage, partition: place.partition });
    machine.restore(adoptSnapshot(snapshot, head, topology));
  }
}

/** Things are as they were: checkpoints that came after these go, and these stand as they stood. */
export async function putBack(objects: ObjectStore, kept: readonly KeptCheckpoint[]): Promise<void> {
  const by = new Map(kept.map((one) => [`${one.place.stage}/${one.place.partition}`, one]));
  const partitions = new Set(kept.map(({ place }) => place.partition));
  for (const { name, kind, stage, partition, sequence } of await listCheckpoints(objects)) {
    const before = by.get(`${stage}/${partition}`);
    if (kind !== 'kept' || !partitions.has(partition)) continue;
    if (!before || sequence > before.place.sequence) await objects.delete(name);
  }
  for (const { place, data } of kept) await objects.put(place.name, data);
}
