/** A word in the log that a partition has no work left: all of the input is handled, and every row of it is written. */
import type { Log, LogStream } from '../bus/log.ts';
import { type TopologyNames, topologyNames } from '../topology/names.ts';
import { firstStage } from './streams.ts';

function subjectOf(names: TopologyNames, partition: number): string {
  return names.sinkSubject('_drained', firstStage, partition);
}

/** `sequence`: end of the input log. Without new input nothing new can come of the partition, whoever starts it. */
export async function sayDrained(
  promises: LogStream,
  names: TopologyNames,
  { partition, sequence }: { partition: number; sequence: number },
): Promise<void> {
  await promises.append(subjectOf(names, partition), Buffer.from(String(sequence)));
}

/** Partitions that have not said so of this end of the input log. */
export async function undrainedPartitions(
  log: Log,
  topology: string,
  partitions: number,
  sequence: number,
): Promise<number[]> {
  const names = topologyNames(topology);
  const promises = await log.find(names.sinkStream);
  const left: number[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    const said = await promises?.last(subjectOf(names, partition));
    if (sequence > 0 && (!said || Number(Buffer.from(said.payload).toString()) !== sequence)) left.push(partition);
  }
  return left;
}
