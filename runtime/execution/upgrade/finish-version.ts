/**
 * A start with another version than the one that ran before. What is in the log was accepted under the old version and may have been
 * handled half by it: its outputs have their places from the old program. So the old version, without its sources, handles all of it
 * first, and the new one begins exactly where it ends.
 */
import { randomUUID } from 'node:crypto';
import { messageOf } from '../../errors.ts';
import { SimulatedCrash } from '../../faults.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { topologyNames } from '../../topology/names.ts';
import { sayDrained } from '../drained.ts';
import { type EngineOptions, startEngine } from '../engine.ts';
import { promiseSpec } from '../streams.ts';
import { newestCheckpoints } from './checkpoints.ts';
import { atMark } from './mark.ts';
import { readVersion, startedLast, type TopologyVersion } from './versions.ts';

/** The bound form of an earlier version, or why there is none: an operator that is gone, a value that is not set. */
export type Rebind = (version: TopologyVersion) => { readonly topology: BoundTopology } | { readonly problem: string };

/** Resolves when the log holds nothing that the old version would have to handle, or when there is no old version. */
export async function finishOldVersion(options: EngineOptions, rebind: Rebind): Promise<void> {
  const { topology, log, logger, partitions = 1, units } = options;
  // Others may go on with the rest.
  if (units && units.length < partitions) return;
  const objects = await log.objects(topologyNames(topology.name).checkpointBucket);
  const last = await startedLast(objects);
  // It is said after the version before has finished, and before the first checkpoint of the next.
  if (last === undefined || last === topology.hash) return;
  const hashes = new Set((await newestCheckpoints(objects)).map(({ checkpoint }) => checkpoint.head.hash));
  const [hash = last] = hashes;
  if (hash === topology.hash || hashes.size > 1) return;
  const version = await readVersion(objects, hash);
  const bound = version ? rebind(version) : { problem: 'it was not kept' };
  if ('problem' in bound || bound.topology.hash !== hash) {
    const problem = 'problem' in bound ? bound.problem : 'it means something else today';
    logger.warn({ problem }, 'the version before cannot be run: this one takes over what is in the log');
    return;
  }
  const { handedOver: _none, ...rest } = options;
  try {
    const id = randomUUID();
    const onMark = atMark(id);
    const engine = await startEngine({ ...rest, topology: bound.topology, withoutSources: true, onMark });
    const finish = new Set(bound.topology.sinks.map((sink) => sink.id));
    let end = 0;
    const mark = async () => {
      // One partition ends wherever the log ends; several must end at the same message.
      end = partitions === 1 ? (await engine.input.state()).lastSequence : (await engine.appendMark(id)).sequence;
      return { sequence: end };
    };
    await engine.handOver({ keep: new Set(), finish, mark });
    const names = topologyNames(topology.name);
    const promises = await log.stream(promiseSpec(names, topology));
    // Several partitions begin with the new version only where the old one has nothing left in any of them.
    for (const partition of engine.units.keys()) await sayDrained(promises, names, { partition, sequence: end });
    logger.info({ before: hash.slice(0, 8), now: topology.hash.slice(0, 8) }, 'the version before has finished');
  } catch (error) {
    if (error instanceof SimulatedCrash) throw error;
    logger.warn(
      { error: messageOf(error) },
      'the version before did not finish: this one takes over what is in the log',
    );
  }
}
