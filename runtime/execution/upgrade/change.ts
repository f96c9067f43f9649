/** One change of a running topology, from the plan to the engine of the new version; or back. */
import { isDeepStrictEqual } from 'node:util';
import type { ObjectStore } from '../../bus/log.ts';
import { steadyClock, systemClock, wallTime } from '../../clock.ts';
import { MachError, messageOf } from '../../errors.ts';
import { noCrashPoints, SimulatedCrash } from '../../faults.ts';
import type { BoundSourceNode, BoundTopology } from '../../topology/bound.ts';
import { topologyNames } from '../../topology/names.ts';
import type { SpreadPlan } from '../../topology/spread.ts';
import type { Engine, EngineOptions, HandedOver, Mark, OpenSource } from '../engine.ts';
import { executionErrors } from '../errors.ts';
import { openSource, type SourceStage } from '../source-host.ts';
import { firstStage, inputPartition } from '../streams.ts';
import { newestCheckpoints, putBack, rehearse } from './checkpoints.ts';
import type { Upgrade } from './live-engine.ts';
import { manifestOf } from './manifest.ts';
import { planUpgrade, type UpgradePlan } from './plan-upgrade.ts';
import { spreadProblem } from './spread-problem.ts';

export interface Change {
  readonly options: EngineOptions;
  readonly old: Engine;
  readonly next: BoundTopology;
  readonly acceptLoss: readonly string[];
  start(topology: BoundTopology, more: Partial<EngineOptions>): Promise<Engine>;
  /** This engine runs now. */
  took(engine: Engine): void;
  /** Neither version runs. */
  gaveUp(error: unknown): void;
}

/** How the place of the change in the log, and its outcome, are settled. */
export interface Settling {
  /** Asked when what the sources that change had taken in is in the log. Resolves with the last message of the old version. */
  mark(): Promise<Pick<Mark, 'sequence'>>;
  /** The new version stands there and has handled nothing yet. Resolves when it may; rejects when the old one goes on. */
  ready(): Promise<void>;
  /** Aborts when the change is taken back on the way. */
  readonly signal?: AbortSignal;
}

/** A change within one process: what fails puts the old version back (MACH3225). */
export async function changeTopology(change: Change, settling: Settling): Promise<Upgrade> {
  const plan = planChange({ ...change, old: change.old.topology, spread: change.old.plan });
  if (plan.same && change.old.topology.hash === change.next.hash) {
    return { plan, applied: false, keptOpen: change.old.sources.map(({ id }) => id), pauseMs: 0 };
  }
  return takeOver(change, await tryOut(change, plan), settling);
}

/** What can fail is tried while the old version runs: it never notices. Rejects with MACH3225. */
export async function tryOut(change: Change, plan: UpgradePlan): Promise<Prepared> {
  const { options, old, next } = change;
  const staying = plan.sources.filter(({ staysOpen }) => staysOpen).map(({ node }) => node);
  const keptOpen = staying.filter((id) => old.sources.some((source) => source.id === id));
  const objects = await options.log.objects(topologyNames(next.name).checkpointBucket);
  const opened: OpenSource[] = [];
  const isNew = ({ id }: BoundSourceNode) => !old.topology.sources.some((source) => source.id === id);
  try {
    crashPointsOf(options).at('upgrade.before-trial');
    await rehearse(objects, next, old.plan.partitions, new Set(old.units.keys()));
    await trySinks(change, plan);
    for (const source of sourcesHere(old, next).filter(isNew)) opened.push(await openWaiting(source, change));
  } catch (error) {
    if (error instanceof SimulatedCrash) throw error;
    await closeSources(opened, error);
    throw executionErrors.make('MACH3225', { topology: next.name, reason: reasonOf(error) }, error);
  }
  return { plan, objects, opened, keptOpen };
}

const crashPointsOf = (options: EngineOptions) => options.crashPoints ?? noCrashPoints;

export function reasonOf(error: unknown): string {
  return error instanceof MachError ? `${error.code} ${error.message}` : messageOf(error);
}

/** Rejects with MACH3223 where it would lose something, or cannot be done. */
export function planChange(args: {
  readonly old: BoundTopology;
  readonly next: BoundTopology;
  readonly spread: SpreadPlan;
  readonly acceptLoss: readonly string[];
}): UpgradePlan {
  const { old, next, spread, acceptLoss } = args;
  const { partitions } = spread;
  const plan = planUpgrade(manifestOf(old, { partitions }), manifestOf(next, { partitions }), {
    acceptLoss: new Set(acceptLoss),
    definitions: new Map(next.operators.map((node) => [node.id, node.definition])),
    valuesChanged: valuesChanged(old, next),
    storeDecides: true,
  });
  const problem = spreadProblem(spread, next);
  const refusals = problem === undefined ? plan.refusals : [...plan.refusals, problem];
  if (refusals.length === 0) return plan;
  throw executionErrors.make('MACH3223', { topology: next.name, reasons: refusals.join('; ') });
}

/** Nodes of which another value came from outside the file. */
export function valuesChanged(before: BoundTopology, after: BoundTopology): Set<string> {
  const written = (topology: BoundTopology) =>
    new Map([...topology.ir.sources, ...topology.ir.sinks].map(({ id, options }) => [id, options.value]));
  const [was, is] = [written(before), written(after)];
  const old = new Map([...before.sources, ...before.sinks].map(({ id, options }) => [id, options]));
  const changed = [...after.sources, ...after.sinks].filter(
    ({ id, options }) =>
      old.has(id) && isDeepStrictEqual(was.get(id), is.get(id)) && !isDeepStrictEqual(old.get(id), options),
  );
  return new Set(changed.map(({ id }) => id));
}

function sourcesHere(old: Engine, next: BoundTopology): readonly BoundSourceNode[] {
  return next.sources.filter((_, index) => old.units.has(index % old.plan.partitions));
}

/** New and changed sinks are opened once, so that a table that is refused is refused now. */
async function trySinks({ options, next }: Change, plan: UpgradePlan): Promise<void> {
  const changed = new Set(plan.sinks.filter(({ verdict }) => verdict !== 'unchanged').map(({ node }) => node));
  for (const sink of next.sinks.filter(({ id }) => changed.has(id))) {
    const ending = new AbortController();
    const running = await sink.bound.open({
      node: sink.id,
      clock: options.machineClock ?? steadyClock(),
      logger: options.logger,
      signal: ending.signal,
      store: options.store,
      publish: () => undefined,
      publishBytesMax: Number.POSITIVE_INFINITY,
      count: () => undefined,
    });
    ending.abort(new Error('it was only tried'));
    await running.close();
  }
}

/** A source that listens, and holds its senders back until its stage is there. `marksOf`: who knows how far they had come. */
async function openWaiting(
  source: BoundSourceNode,
  { options, old, next }: Change,
  marksOf?: SourceStage,
): Promise<OpenSource> {
  const opened = await openSource({
    source,
    ...(marksOf && { marksOf }),
    stream: old.input,
    subject: topologyNames(next.name).inputSubject(firstStage, { node: source.id, port: 'out' }, inputPartition),
    log: options.log,
    clock: options.clock ?? systemClock(),
    machineClock: options.machineClock ?? steadyClock(),
    logger: options.logger,
    metrics: old.metrics,
    crashPoints: options.crashPoints ?? noCrashPoints,
    ...(options.groupCommitWindowMs === undefined ? {} : { windowMs: options.groupCommitWindowMs }),
  });
  options.logger.info({ source: source.id, address: opened.running.address }, 'source open');
  return opened;
}

export async function closeSources(sources: readonly OpenSource[], reason: unknown): Promise<void> {
  for (const source of sources) source.stop(reason instanceof Error ? reason : new Error(messageOf(reason)));
  await Promise.allSettled(sources.map((source) => source.close()));
}

/** A change that was tried and can be made. */
export interface Prepared {
  readonly plan: UpgradePlan;
  readonly objects: ObjectStore;
  /** New sources, which wait. */
  readonly opened: OpenSource[];
  readonly keptOpen: readonly string[];
}

/** The old version ends at the mark, and the new one begins there; or the old one goes on (MACH3225). */
export async function takeOver(change: Change, prepared: Prepared, settling: Settling): Promise<Upgrade> {
  const { options, old, next } = change;
  const { plan, objects, opened, keptOpen } = prepared;
  const crashPoints = crashPointsOf(options);
  const kept = new Map(old.sources.filter(({ id }) => keptOpen.includes(id)).map((source) => [source.id, source]));
  const finish = new Set(plan.sinks.filter(({ verdict }) => verdict !== 'unchanged').map(({ node }) => node));
  const [stageBefore] = [...old.units.values()].map(({ stages }) => stages[0]);
  const began = wallTime();
  let before: Awaited<ReturnType<typeof newestCheckpoints>> | undefined;
  let standing: Engine | undefined;
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  try {
    crashPoints.at('upgrade.before-hand-over');
    const { mark, signal } = settling;
    await old.handOver({ keep: new Set(kept.keys()), finish, mark, ...(signal && { signal }) });
    crashPoints.at('upgrade.after-hand-over');
    before = await newestCheckpoints(objects, new Set(old.units.keys()));
    const waiting = new Set([...kept.keys(), ...opened.map(({ id }) => id)]);
    for (const source of sourcesHere(old, next)) {
      if (!waiting.has(source.id)) opened.push(await openWaiting(source, change, stageBefore));
    }
    const sources = new Map([...kept, ...opened.map((source) => [source.id, source] as const)]);
    const handedOver: HandedOver = { sources, metrics: old.metrics };
    standing = await change.start(next, { handedOver, held, acceptLoss: change.acceptLoss });
    crashPoints.at('upgrade.after-start');
    await settling.ready();
  } catch (error) {
    if (error instanceof SimulatedCrash) throw error;
    await standing?.stop();
    await closeSources(opened, error);
    await goOn(change, { sources: kept, metrics: old.metrics }, () => before && putBack(objects, before), error);
    throw executionErrors.make('MACH3225', { topology: next.name, reason: reasonOf(error) }, error);
  }
  try {
    change.took(standing);
    release();
    await standing.begin();
  } catch (error) {
    change.gaveUp(error);
    throw error;
  }
  return { plan, applied: true, keptOpen, pauseMs: wallTime() - began };
}

/** The old version goes on where it ended. */
async function goOn(
  { options, old, start, took, gaveUp }: Change,
  handedOver: HandedOver,
  restoreCheckpoints: () => Promise<void> | undefined,
  reason: unknown,
): Promise<void> {
  options.logger.error({ error: messageOf(reason) }, 'the new version did not come up: the old one goes on');
  try {
    await restoreCheckpoints();
    took(await start(old.topology, { handedOver }));
  } catch (error) {
    options.logger.error({ error: messageOf(error) }, 'nor did the old one');
    await closeSources([...handedOver.sources.values()], error);
    gaveUp(error);
    throw error;
  }
}
