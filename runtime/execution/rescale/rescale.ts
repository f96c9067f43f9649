/**
 * Gives a drained topology another number of partitions. Its checkpoints hold all that it knows: they are cut anew, key group by key group,
 * and written beside those that stand; then the number is changed by one conditional append, and only then do the new ones take
 * their place. Neither the log's beginning nor the file of now is needed.
 */
import type { Log, ObjectStore } from '../../bus/log.ts';
import { type CrashPoints, noCrashPoints } from '../../faults.ts';
import type { Logger } from '../../stream/definition.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { stageName, type TopologyNames, topologyNames } from '../../topology/names.ts';
import { type SpreadPlan, spreadTopology } from '../../topology/spread.ts';
import { type Checkpoint, checkpointStore } from '../checkpoint.ts';
import { headOf } from '../checkpoint-head.ts';
import { sayDrained, undrainedPartitions } from '../drained.ts';
import { executionErrors } from '../errors.ts';
import { readBeginning } from '../log-beginning.ts';
import { StageMachine, type StageSnapshot } from '../stage-machine.ts';
import { partsOf } from '../stage-part.ts';
import { beginningHead } from '../stage-restore.ts';
import { firstStage } from '../streams.ts';
import { adoptSnapshot } from '../upgrade/adopt.ts';
import type { Rebind } from '../upgrade/finish-version.ts';
import { readVersion } from '../upgrade/versions.ts';
import { type CutPart, completeCut, forgetCuts, putCut } from './cut-objects.ts';
import { cutState, partKey } from './cut-state.ts';
import { changePartitions, readDeployed } from './deployed-partitions.ts';

export interface Rescaled {
  readonly before: number;
  readonly partitions: number;
  /** End of the input log, where the state was cut. */
  readonly sequence: number;
  readonly checkpoints: number;
}

export interface RescaleArguments {
  readonly log: Log;
  /** Of this name; where another version of it ran last, that one is cut. */
  readonly topology: BoundTopology;
  readonly partitions: number;
  readonly rebind: Rebind;
  readonly logger: Logger;
  readonly crashPoints?: CrashPoints;
  /** Asked once more just before the number is changed. Why the topology is not stopped, or undefined. */
  runs?(): Promise<string | undefined>;
}

/** Rejects with MACH3213 when it is not drained, MACH3216 when the version that ran last cannot be bound, MACH3227 when a state cannot be cut. */
export async function rescale(args: RescaleArguments): Promise<Rescaled> {
  const { log, partitions, logger, crashPoints = noCrashPoints } = args;
  const { name: topology } = args.topology;
  const names = topologyNames(topology);
  const objects = await log.objects(names.checkpointBucket);
  const deployed = await readDeployed(log, topology);
  await completeCut(objects, names, deployed);
  await forgetCuts(objects);
  const before = deployed.partitions ?? 1;
  const input = await log.find(names.inputStream(firstStage));
  const { lastSequence: cutAt } = (await input?.state()) ?? { lastSequence: 0 };
  await refuseUndrained(log, topology, { before, last: cutAt });
  const cut = cutAt === 0 ? [] : await cutAll(args, { names, objects, before, cutAt });
  await putCut(objects, { partitions, cutAt }, cut, () => crashPoints.at('rescale.before-put'));
  // Whoever asks for the next number must find the new partitions drained, as these are.
  const promises = await log.find(names.sinkStream);
  for (let partition = 0; promises && partition < partitions; partition++)
    await sayDrained(promises, names, { partition, sequence: cutAt });
  const reason = await args.runs?.();
  if (reason !== undefined) throw executionErrors.make('MACH3213', { topology, reason });
  await refuseUndrained(log, topology, { before, last: (await input?.state())?.lastSequence ?? 0 });
  crashPoints.at('rescale.before-switch');
  const cutStages = [...new Set(cut.map(({ stage }) => stage))];
  await changePartitions(log, topology, { before: deployed, partitions, cutAt, cutStages });
  crashPoints.at('rescale.after-switch');
  await completeCut(objects, names, await readDeployed(log, topology));
  logger.info({ topology, before, partitions, sequence: cutAt }, 'partitions changed');
  return { before, partitions, sequence: cutAt, checkpoints: cut.length };
}

async function refuseUndrained(
  log: Log,
  topology: string,
  { before, last }: { before: number; last: number },
): Promise<void> {
  const undrained = await undrainedPartitions(log, topology, before, last);
  if (undrained.length === 0) return;
  const reason = `partition ${undrained.join(', ')} has work left`;
  throw executionErrors.make('MACH3213', { topology, reason });
}

interface Where {
  readonly names: TopologyNames;
  readonly objects: ObjectStore;
  readonly before: number;
  readonly cutAt: number;
}

async function cutAll(args: RescaleArguments, where: Where): Promise<CutPart[]> {
  const { log, partitions, logger } = args;
  const { names, objects, cutAt, before } = where;
  const { topology, parts, plan } = await readParts(args, where);
  const beginning = beginningHead(await readBeginning(await log.find(names.sinkStream), names));
  const exchanged = (await (await log.find(names.exchangeStream))?.state())?.lastSequence ?? 0;
  const cut = cutState({ topology, before: plan, parts }, spreadTopology(topology, partitions));
  logger.info({ topology: topology.name, before, partitions, parts: cut.length }, 'state cut');
  return cut.map(({ part, snapshot }) => {
    const machine = new StageMachine(topology, silent, part);
    // What cannot be taken up must fail now, and not at the next start.
    machine.restore(snapshot);
    const stage = stageName(part.stage);
    const store = checkpointStore({
      objects,
      names,
      stage,
      partition: part.partition,
      logger,
      crashPoints: noCrashPoints,
    });
    const readFrom = part.stage === 1 ? {} : { readFrom: exchanged + 1 };
    const head = { ...headOf(topology, part), ...beginning, sequence: cutAt, cutAt, ...readFrom };
    return { stage, partition: part.partition, encoded: store.encode({ head, snapshot: machine.snapshot() }) };
  });
}

const silent = { rows: () => undefined, question: () => undefined };

/** The newest checkpoint of each part; all must stand at the end of the log. */
async function readParts(
  args: RescaleArguments,
  { names, objects, before, cutAt }: Where,
): Promise<{ topology: BoundTopology; plan: SpreadPlan; parts: Map<string, StageSnapshot> }> {
  const { logger } = args;
  const load = (stage: string, partition: number) =>
    checkpointStore({ objects, names, stage, partition, logger, crashPoints: noCrashPoints }).load();
  const first = await load(firstStage, 0);
  const topology = await versionOf(args, objects, first);
  const plan = spreadTopology(topology, before);
  const parts = new Map<string, StageSnapshot>();
  for (const part of partsOf(plan)) {
    const checkpoint = await load(stageName(part.stage), part.partition);
    const place = `stage ${stageName(part.stage)} of partition ${part.partition}`;
    const refuse = (what: string) =>
      executionErrors.make('MACH3213', { topology: topology.name, reason: `${place} ${what}` });
    if (!checkpoint) throw refuse('has no checkpoint');
    const { head, snapshot } = checkpoint;
    if (head.sequence !== cutAt)
      throw refuse(`has no checkpoint of its end (${cutAt}), the newest is of ${head.sequence}`);
    if ((head.partitions ?? 1) !== before) throw refuse(`has a checkpoint of ${head.partitions ?? 1} partitions`);
    if (head.hash !== topology.hash) throw refuse('was left by another version than the first');
    parts.set(partKey(part), adoptSnapshot(snapshot, head, topology));
  }
  return { topology, plan, parts };
}

/** The version that ran last: its spread is that of the checkpoints. */
async function versionOf(
  { topology, rebind }: RescaleArguments,
  objects: ObjectStore,
  checkpoint: Checkpoint | undefined,
): Promise<BoundTopology> {
  const hash = checkpoint?.head.hash ?? topology.hash;
  if (hash === topology.hash) return topology;
  const version = await readVersion(objects, hash);
  const bound = version ? rebind(version) : { problem: 'its text is not kept beside the checkpoints' };
  if ('topology' in bound && bound.topology.hash === hash) return bound.topology;
  const reason = 'problem' in bound ? bound.problem : 'it means something else today (a variable has another value)';
  throw executionErrors.make('MACH3216', { topology: topology.name, reason });
}
