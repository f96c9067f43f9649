/** The streams of a topology in the log. */
import { randomUUID } from 'node:crypto';
import type { Durability, Log, LogStream, StreamSpec } from '../bus/log.ts';
import { limits } from '../limits.ts';
import type { BoundTopology } from '../topology/bound.ts';
import { stageName, type TopologyNames, topologyNames } from '../topology/names.ts';
import { type SpreadPlan, writersOf } from '../topology/spread.ts';

/** The stage that reads what the sources append. */
export const firstStage = 's1';
/** What sources append is not cut by partition: every partition reads all of it. */
export const inputPartition = 0;
/** In the place of a source: marks of changes of the topology. */
export const versionNode = '_version';

export interface Streams {
  readonly input: LogStream;
  /** Results of a stage. */
  outputOf(stage: string): LogStream;
  /** What stages pass to each other; undefined where there is one partition. */
  readonly exchange: LogStream | undefined;
  readonly promises: LogStream;
  readonly deadLetters: LogStream;
}

export async function openStreams(
  log: Log,
  names: TopologyNames,
  topology: BoundTopology,
  { replicas, plan }: { replicas?: number | undefined; plan?: Pick<SpreadPlan, 'stages' | 'partitions'> } = {},
): Promise<Streams> {
  const durability: Durability = topology.sources.some((source) => source.durability === 'disk') ? 'disk' : 'broker';
  const open = (spec: StreamSpec) => log.stream({ ...spec, ...(replicas === undefined ? {} : { replicas }) });
  const [input, promises, deadLetters] = await Promise.all([
    open({
      name: names.inputStream(firstStage),
      subjects: names.inputSubjects(firstStage),
      durability,
      description: `what the sources of ${topology.name} accepted`,
      ageMaxMs: limits.logAgeMs,
      unreadBytesMax: limits.unreadBytesMax,
    }),
    open(promiseSpec(names, topology)),
    open({
      name: names.deadLetterStream,
      subjects: names.deadLetterSubjects,
      durability: 'disk',
      description: `what ${topology.name} could not decode, handle or write`,
      ageMaxMs: limits.deadLetterAgeMs,
    }),
  ]);
  const { stages, partitions } = plan ?? { stages: 1, partitions: 1 };
  const outputs = new Map<string, LogStream>();
  for (let stage = 1; stage <= stages; stage++) {
    const spec = {
      name: names.outputStream(stageName(stage)),
      subjects: names.outputSubjects(stageName(stage)),
      durability,
      description: `results of ${topology.name}, on their way to the sinks`,
      ageMaxMs: limits.logAgeMs,
      unreadBytesMax: limits.unreadBytesMax,
    };
    outputs.set(stageName(stage), await open(spec));
  }
  const exchange =
    partitions === 1
      ? undefined
      : await open({
          name: names.exchangeStream,
          subjects: names.exchangeSubjects,
          durability,
          description: `what the stages of ${topology.name} pass to each other`,
          ageMaxMs: limits.logAgeMs,
        });
  const outputOf = (stage: string) => {
    const output = outputs.get(stage);
    if (!output) throw new Error(`invariant broken: stage ${stage} has no outputs`);
    return output;
  };
  return { input, outputOf, exchange, promises, deadLetters };
}

/** How many read a stream for as long as the topology runs in one process; absent: of those that others may want to read later. */
export function readersOf(topology: BoundTopology, plan: SpreadPlan): ReadonlyMap<string, number> {
  const names = topologyNames(topology.name);
  const readers = new Map([[names.inputStream(firstStage), plan.partitions]]);
  for (const { id } of topology.sinks) {
    const stream = names.outputStream(stageName(plan.nodes.get(id)?.stage ?? 1));
    readers.set(stream, (readers.get(stream) ?? 0) + writersOf(plan, id).length);
  }
  return readers;
}

/** What sinks have promised, and what a topology must know of itself: the newest of each. */
export const promiseSpec = (names: TopologyNames, topology: Pick<BoundTopology, 'name'>): StreamSpec => ({
  name: names.sinkStream,
  subjects: names.sinkSubjects,
  durability: 'disk',
  description: `ranges that the sinks of ${topology.name} have promised to write`,
  latestOnly: true,
});

/** A name for this log, kept in it: the tokens of another log, wiped and filled anew, never meet those of this one. */
export async function incarnationOf(promises: LogStream, names: TopologyNames): Promise<string> {
  const subject = names.sinkSubject('_incarnation', firstStage, inputPartition);
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
