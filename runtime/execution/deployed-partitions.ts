/** The number of partitions of a topology, kept in its log from its first run on: keys are cut by it, and so is all state. */
import type { Log, LogStream } from '../bus/log.ts';
import { topologyNames } from '../topology/names.ts';
import { executionErrors } from './errors.ts';
import { isFenced } from './fenced.ts';
import { firstStage, inputPartition, promiseSpec } from './streams.ts';

interface Deployed {
  readonly stream: LogStream;
  readonly subject: string;
  readonly partitions: number | undefined;
  /** Sequence of the message that says so. */
  readonly sequence: number;
}

async function find(log: Log, topology: string): Promise<Deployed> {
  const names = topologyNames(topology);
  const stream = await log.stream(promiseSpec(names, { name: topology }));
  const subject = names.sinkSubject('_partitions', firstStage, inputPartition);
  const newest = await stream.last(subject);
  const partitions = newest && Number(Buffer.from(newest.payload).toString());
  return { stream, subject, partitions, sequence: newest?.sequence ?? 0 };
}

async function write({ stream, subject, sequence }: Deployed, partitions: number): Promise<void> {
  await stream.append(subject, Buffer.from(String(partitions)), { expectedLastSubjectSequence: sequence });
}

async function hasState(log: Log, topology: string): Promise<boolean> {
  const objects = await log.objects(topologyNames(topology).checkpointBucket);
  return (await objects.list()).length > 0;
}

/** How many partitions the topology has run with; undefined before its first run (or where it ran before this was written down). */
export async function deployedPartitions(log: Log, topology: string): Promise<number | undefined> {
  return (await find(log, topology)).partitions;
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
    const deployed = await find(log, topology);
    const { partitions } = deployed;
    if (partitions !== undefined) {
      if (wanted === undefined || wanted === partitions) return partitions;
      throw executionErrors.make('MACH3212', { topology, now: wanted, before: partitions });
    }
    // It ran before this was written down: then with one.
    const first = (await hasState(log, topology)) ? 1 : (wanted ?? usual);
    try {
      await write(deployed, first);
    } catch (error) {
      // Another worker was faster: what it has written holds.
      if (!isFenced(error)) throw error;
    }
  }
}

/** After its state has been cut anew: the topology runs with this many partitions from now on. */
export async function changePartitions(log: Log, topology: string, partitions: number): Promise<void> {
  await write(await find(log, topology), partitions);
}
