/** Which version a process runs that shares a topology with others: what runs already, or else its own. */
import type { Log } from '../../bus/log.ts';
import type { Clock } from '../../clock.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { topologyNames } from '../../topology/names.ts';
import { executionErrors } from '../errors.ts';
import { listenForWorkers } from '../running-workers.ts';
import { type Agreement, isUnderWay, type UpgradeRecord, versionOf } from './agreement.ts';
import type { Rebind } from './finish-version.ts';
import { versionOfRecord } from './take-part.ts';

export interface Settled {
  readonly topology: BoundTopology;
  /** Nodes whose state may be lost, because that was accepted when this version was begun. */
  readonly acceptLoss: readonly string[];
}

/**
 * `follows`: a worker that another process has started runs what the others run, whatever its file says by now. Rejects with MACH3226 where
 * workers run another version and this process does not follow.
 */
export async function settleVersion(args: {
  readonly log: Log;
  readonly agreement: Agreement;
  readonly topology: BoundTopology;
  readonly clock: Clock;
  readonly rebind: Rebind;
  readonly follows: boolean;
}): Promise<Settled> {
  const { log, agreement, topology, follows, clock } = args;
  for (;;) {
    const record = await agreement.read();
    if (record && !isUnderWay(record) && versionOf(record) === topology.hash) return settled(topology, record);
    const others = record ? await listenForWorkers(log, topology.name, clock) : [];
    if (record && isUnderWay(record)) {
      if (others.length > 0) await agreement.after(record.id, ['trial', 'closing']);
      else await agreement.takeBack(record.id, 'all workers have ended');
      continue;
    }
    if (record && follows) return follow(args, record);
    if (others.length > 0) throw executionErrors.make('MACH3226', { topology: topology.name });
    // Nobody runs it: this file is what runs from now on. Where the version before has work left, the engine sees to that.
    const { hash } = topology;
    const before = record ? versionOf(record) : hash;
    const begun = await agreement.replace(record, {
      id: `start/${hash}/${clock.now()}`,
      state: 'done',
      hash,
      before,
      acceptLoss: [],
    });
    if (begun) return settled(topology, begun);
  }
}

async function follow(
  { log, topology, rebind }: { log: Log; topology: BoundTopology; rebind: Rebind },
  record: UpgradeRecord,
): Promise<Settled> {
  const objects = await log.objects(topologyNames(topology.name).checkpointBucket);
  const hash = versionOf(record);
  return settled(await versionOfRecord(objects, { hash }, { rebind, topology: topology.name }), record);
}

function settled(topology: BoundTopology, { state, acceptLoss }: UpgradeRecord): Settled {
  return { topology, acceptLoss: state === 'done' ? acceptLoss : [] };
}
