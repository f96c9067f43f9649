/** The streams of a topology in the log. */
import { randomUUID } from 'node:crypto';
import type { Durability, Log, LogStream, StreamSpec } from '../bus/log.ts';
import { limits } from '../limits.ts';
import type { BoundTopology } from '../topology/bound.ts';
import type { TopologyNames } from '../topology/names.ts';

/** The stage of a topology that runs in one partition: every operator is in it. */
export const onlyStage = 's1';
export const onlyPartition = 0;

export interface Streams {
  readonly input: LogStream;
  readonly output: LogStream;
  readonly promises: LogStream;
  readonly deadLetters: LogStream;
}

export async function openStreams(
  log: Log,
  names: TopologyNames,
  topology: BoundTopology,
  replicas?: number,
): Promise<Streams> {
  const durability: Durability = topology.sources.some((source) => source.durability === 'disk') ? 'disk' : 'broker';
  const open = (spec: StreamSpec) => log.stream({ ...spec, ...(replicas === undefined ? {} : { replicas }) });
  const [input, output, promises, deadLetters] = await Promise.all([
    open({
      name: names.inputStream(onlyStage),
      subjects: names.inputSubjects(onlyStage),
      durability,
      description: `what the sources of ${topology.name} accepted`,
      ageMaxMs: limits.logAgeMs,
    }),
    open({
      name: names.outputStream(onlyStage),
      subjects: names.outputSubjects(onlyStage),
      durability,
      description: `results of ${topology.name}, on their way to the sinks`,
      ageMaxMs: limits.logAgeMs,
    }),
    open({
      name: names.sinkStream,
      subjects: names.sinkSubjects,
      durability: 'disk',
      description: `ranges that the sinks of ${topology.name} have promised to write`,
      latestOnly: true,
    }),
    open({
      name: names.deadLetterStream,
      subjects: names.deadLetterSubjects,
      durability: 'disk',
      description: `what ${topology.name} could not decode, handle or write`,
      ageMaxMs: limits.deadLetterAgeMs,
    }),
  ]);
  return { input, output, promises, deadLetters };
}

/** A name for this log, kept in it: the tokens of another log, wiped and filled anew, never meet those of this one. */
export async function incarnationOf(promises: LogStream, names: TopologyNames): Promise<string> {
  const subject = names.sinkSubject('_incarnation', onlyStage, onlyPartition);
  const known = await promises.last(subject);
  if (known) return Buffer.from(known.payload).toString();
  const incarnation = randomUUID().slice(0, 8);
  try {
    await promises.append(subject, Buffer.from(incarnation), { expectedLastSubjectSequence: 0 });
    return incarnation;
  } catch (error) {
    const other = await promises.last(subject);
    if (!other) throw error;
    return Buffer.from(other.payload).toString();
  }
}
