/** Another version of a topology that workers share: planned, written down, and led through by whoever was asked for it. */
import type { ObjectStore } from '../../bus/log.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import type { SpreadPlan } from '../../topology/spread.ts';
import { planChange } from './change.ts';
import { type Decision, decideUpgrade } from './decide.ts';
import type { Upgrade } from './live-engine.ts';
import { keepVersion } from './versions.ts';

export interface Lead extends Omit<Decision, 'before' | 'hash' | 'topology' | 'partitions'> {
  readonly old: BoundTopology;
  readonly next: BoundTopology;
  readonly spread: SpreadPlan;
  readonly objects: ObjectStore;
}

/** Rejects with MACH3223 (refused), MACH3224 (another is under way) or MACH3225 (it did not come up): the old version runs everywhere then. */
export async function leadUpgrade(lead: Lead): Promise<Upgrade> {
  const { old, next, spread, objects, clock } = lead;
  const plan = planChange(lead);
  const keptOpen = plan.sources.filter(({ staysOpen }) => staysOpen).map(({ node }) => node);
  if (plan.same && old.hash === next.hash) return { plan, applied: false, keptOpen, pauseMs: 0 };
  const { partitions } = spread;
  await keepVersion(objects, next, { partitions, clock });
  const pauseMs = await decideUpgrade({ ...lead, topology: next.name, partitions, before: old.hash, hash: next.hash });
  return { plan, applied: true, keptOpen, pauseMs };
}
