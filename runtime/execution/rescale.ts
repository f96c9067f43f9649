/**
 * Cuts the state of a topology anew for another number of partitions. Everything that a stage does follows from the input log, so the new
 * partitions read it from its beginning, all at once, and keep what is theirs; what they give out is out already. The topology must be
 * drained: all of its log handled, and every row written.
 */
import type { Log, ObjectStore } from '../bus/log.ts';
import { noCrashPoints } from '../faults.ts';
import type { Logger } from '../stream/definition.ts';
import type { BoundTopology } from '../topology/bound.ts';
import { stageName, topologyNames } from '../topology/names.ts';
import { type SpreadPlan, spreadTopology } from '../topology/spread.ts';
import { checkpointStore, listCheckpoints } from './checkpoint.ts';
import { headOf } from './checkpoint-head.ts';
import { changePartitions, deployedPartitions } from './deployed-partitions.ts';
import { sayDrained, undrainedPartitions } from './drained.ts';
import { executionErrors } from './errors.ts';
import type { ExchangeRow, ExchangeWatermark } from './exchange/exchange-frame.ts';
import { ExchangeMerge } from './exchange/exchange-merge.ts';
import { readBeginning } from './log-beginning.ts';
import { openPast } from './replay/past.ts';
import { StageMachine } from './stage-machine.ts';
import { laneName, lanesInto, partsOf, type StagePart } from './stage-part.ts';
import { beginningHead } from './stage-restore.ts';
import { versionHashes } from './upgrade/versions.ts';

export interface RescaleProgress {
  readonly handled: number;
  readonly last: number;
}

export interface Rescaled {
  readonly before: number;
  readonly partitions: number;
  /** Messages of the input log. */
  readonly messages: number;
  readonly checkpoints: number;
}

/** Rejects with MACH3213 when it is not drained, MACH3214 when the log has lost its beginning, MACH3216 when the topology has changed. No engine may run. */
export async function rescale(args: {
  log: Log;
  topology: BoundTopology;
  partitions: number;
  logger: Logger;
  onProgress?(progress: RescaleProgress): void;
}): Promise<Rescaled> {
  const { log, topology, partitions, logger } = args;
  const names = topologyNames(topology.name);
  const objects = await log.objects(names.checkpointBucket);
  const past = await openPast({ log, topology, names, objects, logger });
  const before = (await deployedPartitions(log, topology.name)) ?? 1;
  if (await hasChanged(objects, topology)) throw executionErrors.make('MACH3216', { topology: topology.name });
  if (past.first > 1) throw executionErrors.make('MACH3214', { topology: topology.name, first: past.first });
  const undrained = await undrainedPartitions(log, topology.name, before, past.last);
  if (undrained.length > 0) {
    const reason = `partition ${undrained.join(', ')} has work left`;
    throw executionErrors.make('MACH3213', { topology: topology.name, reason });
  }
  const plan = spreadTopology(topology, partitions);
  const parts = openParts(topology, plan);
  for await (const { sequence, node, frame } of past.messages(1)) {
    for (const part of parts) part.handle(sequence, () => part.machine.handle(sequence, node, frame));
    if (sequence % 1_000 === 0) args.onProgress?.({ handled: sequence, last: past.last });
  }
  const beginning = beginningHead(await readBeginning(await log.find(names.sinkStream), names));
  const exchange = await log.find(names.exchangeStream);
  const exchanged = (await exchange?.state())?.lastSequence ?? 0;
  const old = (await listCheckpoints(objects)).filter(({ kind }) => kind !== 'named').map(({ name }) => name);
  const kept = new Set<string>();
  for (const { part, machine } of parts) {
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
    const head = { ...headOf(topology, part), ...beginning, sequence: past.last, ...readFrom };
    await objects.put(
      names.checkpointObject(stage, part.partition, past.last),
      store.encode({ head, snapshot: machine.snapshot() }),
    );
    kept.add(names.checkpointObject(stage, part.partition, past.last));
  }
  const promises = await log.find(names.sinkStream);
  for (let partition = 0; promises && partition < partitions; partition++)
    await sayDrained(promises, names, { partition, sequence: past.last });
  // From here on the old ones do not fit: they go last, so that whatever happens before leaves all that is needed for another try.
  await changePartitions(log, topology.name, partitions);
  for (const name of old) if (!kept.has(name)) await objects.delete(name);
  return { before, partitions, messages: past.last, checkpoints: parts.length };
}

/** An earlier version has run, or FILE is not what ran: the log alone does not tell the state of now. */
async function hasChanged(objects: ObjectStore, { hash }: BoundTopology): Promise<boolean> {
  const hashes = await versionHashes(objects);
  return hashes.some((one) => one !== hash);
}

interface OpenPart {
  readonly part: StagePart;
  readonly machine: StageMachine;
  /** Of the first stage: handles a message; of a later one: what the message caused in the stages before. */
  handle(sequence: number, first: () => void): void;
}

interface Lane {
  rows: ExchangeRow[];
  watermarks: ExchangeWatermark[];
}

/** All parts in the order of their stages, what they pass to each other kept in memory for one message at a time. */
function openParts(topology: BoundTopology, plan: SpreadPlan): OpenPart[] {
  const lanes = new Map<string, Lane>();
  const laneBetween = (from: string, to: string): Lane => {
    const key = `${from}>${to}`;
    const lane = lanes.get(key) ?? { rows: [], watermarks: [] };
    lanes.set(key, lane);
    return lane;
  };
  return partsOf(plan).map((part) => {
    const name = laneName(part.stage, part.partition);
    const machine = new StageMachine(
      topology,
      {
        row() {},
        question() {},
        exchange: {
          row(stage, partition, row) {
            const { rows } = laneBetween(name, laneName(stage, partition));
            rows.push({ ...row, index: rows.length });
          },
          watermark: (stage, partition, mark) =>
            void laneBetween(name, laneName(stage, partition)).watermarks.push(mark),
        },
      },
      part,
    );
    const into = [...lanesInto(part).keys()];
    const merge = new ExchangeMerge(into, { handled: 0, position: 0 });
    return {
      part,
      machine,
      handle(sequence, first) {
        if (part.stage === 1) first();
        else {
          for (const from of into) {
            const lane = laneBetween(from, name);
            merge.push(sequence, from, { through: sequence, rows: lane.rows, watermarks: lane.watermarks });
            lane.rows = [];
            lane.watermarks = [];
          }
          for (let step = merge.next(); step; step = merge.next()) machine.handleExchanged(step);
          machine.comeThrough(sequence);
        }
      },
    };
  });
}
