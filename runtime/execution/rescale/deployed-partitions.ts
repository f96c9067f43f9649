/** The number of partitions of a topology, kept in its log from its first run on: keys are cut by it, and so is all state. */
import type { Log, LogStream } from '../../bus/log.ts';
import { topologyNames } from '../../topology/names.ts';
import { executionErrors } from '../errors.ts';
import { isFenced } from '../fenced.ts';
import { firstStage, inputPartition, promiseSpec } from '../streams.ts';

/** As the log has it. */
export interface Deployed {
  readonly partitions: number | undefined;
  /** Input sequence at which the state was cut for this number; absent where it has always been this one. */
  readonly cutAt?: number;
  /** Stages whose state was cut then: another one began later, with nothing. Absent in what was written before this was said. */
  readonly cutStages?: readonly string[];
  /** Sequence of the message that says so. */
  readonly sequence: number;
}

interface Place {
  readonly stream: LogStream;
  readonly subject: string;
}

async function placeOf(log: Log, topology: string): Promise<Place> {
  const names = topologyNames(topology);
  const stream = await log.stream(promiseSpec(names, { name: topology }));
  return { stream, subject: names.sinkSubject('_partitions', firstStage, inputPartition) };
}

/** `4`, as it was written before state was cut from checkpoints, or the same with more. */
export async function readDeployed(log: Log, topology: string): Promise<Deployed> {
  const { stream, subject } = await placeOf(log, topology);
  const newest = await stream.last(subject);
  if (!newest) return { partitions: undefined, sequence: 0 };
  const said = JSON.parse(Buffer.from(newest.payload).toString()) as number | Omit<Deployed, 'sequence'>;
  return { ...(typeof said === 'number' ? { partitions: said } : said), sequence: newest.sequence };
}

async function write(log: Log, topology: string, before: Deployed, now: unknown): Promise<void> {
  const { stream, subject } = await placeOf(log, topology);
  await stream.append(subject, Buffer.from(JSON.stringify(now)), { expectedLastSubjectSequence: before.sequence });
}

async function hasState(log: Log, topology: string): Promise<boolean> {
  const objects = await log.objects(topologyNames(topology).checkpointBucket);
  return (await objects.list()).length > 0;
}

/** How many partitions the topology has run with; undefined before its first run (or where it ran before this was written down). */
export async function deployedPartitions(log: Log, topology: string): Promise<number | undefined> {
  return (await readDeployed(log, topology)).partitions;
}

/**
 * The partitions to run with: those that were asked for, which from its first run on must be those that it has; else those that it has;
 * else `usual`. Rejects with MACH3212.
 */
export async function settlePartitions(
  log: Log,
  topology: string,
  { wanted, usual = 1 }: { wanted?: number | undefined; usual?: number },
): Promise<number> {
  for (;;) {
    const deployed = await readDeployed(log, topology);
    const { partitions } = deployed;
    if (partitions !== undefined) {
      if (wanted === undefined || wanted === partitions) return partitions;
      throw executionErrors.make('MACH3212', { topology, now: wanted, before: partitions });
    }
    // It ran before this was written down: then with one.
    const first = (await hasState(log, topology)) ? 1 : (wanted ?? usual);
    try {
      await write(log, topology, deployed, first);
    } catch (error) {
      // Another worker was faster: what it has written holds.
      if (!isFenced(error)) throw error;
    }
  }
}

/** After its state has been cut anew: the topology runs with this many partitions from now on. Rejects where the number has changed since. */
export async function changePartitions(
  log: Log,
  topology: string,
  { before, ...now }: { before: Deployed; partitions: number; cutAt: number; cutStages: readonly string[] },
): Promise<void> {
  await write(log, topology, before, now);
}
