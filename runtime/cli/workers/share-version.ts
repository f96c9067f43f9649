/** The version that the workers of this run have, and its change: led from here, made by them. */
import { resolve } from 'node:path';
import { steadyClock } from '../../clock.ts';
import { firstStage } from '../../execution/streams.ts';
import { openAgreement, versionOf } from '../../execution/upgrade/agreement.ts';
import { leadUpgrade } from '../../execution/upgrade/lead.ts';
import { appendMark } from '../../execution/upgrade/mark.ts';
import { rebindVersion } from '../../execution/upgrade/rebind.ts';
import { settleVersion } from '../../execution/upgrade/settle-version.ts';
import { versionOfRecord } from '../../execution/upgrade/take-part.ts';
import { processCrashPoints } from '../../faults.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { topologyNames } from '../../topology/names.ts';
import { spreadTopology } from '../../topology/spread.ts';
import type { Services } from '../services.ts';
import type { RunSettings } from '../start-run.ts';
import type { Changeable } from '../upgrade-server.ts';

/** `topology.file`: absolute path of what a worker that starts is given. Rejects with MACH3226 where workers run another version. */
export async function shareVersion(args: {
  readonly settings: Pick<RunSettings, 'topology' | 'context'>;
  readonly services: Pick<Services, 'log'>;
  readonly partitions: number;
}): Promise<Changeable> {
  const { settings, services, partitions } = args;
  const { log } = services;
  const { name } = settings.topology;
  const names = topologyNames(name);
  const clock = steadyClock();
  const { catalogue } = await settings.context.loadCatalogue();
  const rebind = rebindVersion({ catalogue, env: settings.context.env });
  const agreement = await openAgreement(log, name, clock);
  const settled = await settleVersion({ log, agreement, topology: settings.topology, clock, rebind, follows: false });
  let topology = atPath(settled.topology);

  /** Somebody else on the same log may have changed it. */
  async function versionOfNow(): Promise<BoundTopology> {
    const record = await agreement.read();
    if (!record || versionOf(record) === topology.hash) return topology;
    const objects = await log.objects(names.checkpointBucket);
    return versionOfRecord(objects, { hash: versionOf(record) }, { rebind, topology: name });
  }

  return {
    plan: { partitions },
    get topology() {
      return topology;
    },
    async upgrade(next, { acceptLoss = [] } = {}) {
      const input = await log.find(names.inputStream(firstStage));
      if (!input) throw new Error('invariant broken: workers run without an input stream');
      const old = await versionOfNow();
      const done = await leadUpgrade({
        agreement,
        old,
        next,
        spread: spreadTopology(old, partitions),
        acceptLoss,
        objects: await log.objects(names.checkpointBucket),
        clock,
        crashPoints: processCrashPoints(),
        appendMark: (id) => appendMark(input, names, id),
      });
      topology = atPath(next);
      return done;
    },
  };
}

const atPath = (topology: BoundTopology): BoundTopology => ({ ...topology, file: resolve(topology.file) });
