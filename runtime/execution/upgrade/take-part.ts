/** A worker's part in a change that all workers make together. What goes wrong here takes the change back for everybody. */
import type { ObjectStore } from '../../bus/log.ts';
import { SimulatedCrash } from '../../faults.ts';
import type { Logger } from '../../stream/definition.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { executionErrors } from '../errors.ts';
import type { Agreement, UpgradeRecord, UpgradeStep } from './agreement.ts';
import { type Change, closeSources, planChange, reasonOf, takeOver, tryOut } from './change.ts';
import type { Rebind } from './finish-version.ts';
import type { Upgrade } from './live-engine.ts';
import { readVersion } from './versions.ts';

export interface Part {
  readonly agreement: Agreement;
  readonly record: UpgradeRecord;
  /** Rejects when the new version cannot be bound here. */
  change(): Promise<Change>;
  readonly logger: Logger;
  /** Those that this worker holds. */
  readonly partitions: readonly number[];
  /** Resolves when a stage of this worker stands at the mark. */
  readonly met: Promise<{ readonly sequence: number }>;
}

/** Undefined: the change was taken back, and the old version runs. Rejects when this worker can run neither. */
export async function takePart({ agreement, record, met, partitions, ...part }: Part): Promise<Upgrade | undefined> {
  const { id } = record;
  const say = (step: UpgradeStep) =>
    Promise.all(partitions.map((partition) => agreement.vote(partition, { id, step })));
  const over = new AbortController();
  try {
    const change = await part.change();
    const { old, next } = change;
    const plan = planChange({ old: old.topology, next, spread: old.plan, acceptLoss: record.acceptLoss });
    const prepared = await tryOut(change, plan);
    await say('tried');
    const closing = await agreement.after(id, ['trial']);
    if (closing.id !== id || closing.state === 'taken-back') {
      await closeSources(prepared.opened, new Error('the change was taken back'));
      return undefined;
    }
    const takenBack = new AbortController();
    void watch(agreement, id, over.signal).then((reason) => reason !== undefined && takenBack.abort(new Error(reason)));
    return await takeOver(change, prepared, {
      signal: takenBack.signal,
      async mark() {
        await say('closed');
        // Who has no partition stands nowhere.
        return partitions.length === 0 ? { sequence: 0 } : met;
      },
      async ready() {
        await say('ready');
        const outcome = await agreement.after(id, ['trial', 'closing']);
        if (outcome.id === id && outcome.state === 'done') return;
        throw executionErrors.make('MACH3225', { topology: next.name, reason: outcome.reason ?? 'it was taken back' });
      },
    });
  } catch (error) {
    if (error instanceof SimulatedCrash) throw error;
    part.logger.warn({ error: reasonOf(error) }, 'the change of the topology is taken back');
    const { state, id: last } = await agreement.takeBack(id, reasonOf(error));
    if (last === id && state === 'done') throw error;
    return undefined;
  } finally {
    over.abort();
  }
}

/** Resolves with the reason when the change is taken back, with undefined when it is done or nobody waits any more. */
async function watch(agreement: Agreement, id: string, signal: AbortSignal): Promise<string | undefined> {
  const record = await agreement.after(id, ['trial', 'closing']).catch(() => undefined);
  if (signal.aborted || !record || record.id !== id || record.state === 'done') return undefined;
  return record.reason ?? 'it was taken back';
}

/** The new version, bound here. Rejects where it means something else in this process than where the change was begun. */
export async function versionOfRecord(
  objects: ObjectStore,
  { hash }: Pick<UpgradeRecord, 'hash'>,
  { rebind, topology }: { rebind: Rebind; topology: string },
): Promise<BoundTopology> {
  const version = await readVersion(objects, hash);
  const bound = version ? rebind(version) : { problem: 'its text is not kept beside the checkpoints' };
  if ('topology' in bound && bound.topology.hash === hash) return bound.topology;
  const reason =
    'problem' in bound ? bound.problem : 'it means something else in this process (a variable with another value?)';
  throw executionErrors.make('MACH3225', { topology, reason });
}
