/**
 * Names in the log, all in one place, so that everything that reads or writes the log agrees on them.
 *
 * - stream of a stage's inputs: `mach-<topology>-<stage>-in`, subjects `mach.<topology>.<stage>.in.<edge>.<partition>`
 * - stream of a stage's outputs: `mach-<topology>-<stage>-out`, subjects `mach.<topology>.<stage>.out.<sink>.<partition>`
 * - ranges that sinks have promised: `mach-<topology>-sinks`, subjects `mach.<topology>.sinks.<sink>.<stage>.<partition>`
 * - workers' signs of life: `mach-<topology>-workers`, subjects `mach.<topology>.workers.<worker>`; their leases: `mach-leases-<topology>`
 * - what stages pass to each other: `mach-<topology>-exchange`, subjects `mach.<topology>.exchange.<stage>.<partition>.<to stage>.<to partition>`
 * - dead letters: `mach-<topology>-dead`, subjects `mach.<topology>.dead.<node>`
 * - marks of sources (positions of senders) ride in the input stream; checkpoints are objects of the bucket
 *   `mach-<topology>-checkpoints`.
 *
 * Stages are `s1`, `s2`, ...: with the fixed last word no two topologies can get the same stream name.
 */
import type { NodePort } from './bound.ts';

const topologyName = /^[a-z][a-z0-9_-]*$/;

/** Name of the n-th stage, from 1. */
export function stageName(index: number): string {
  return `s${index}`;
}

/** Subject token of an edge: `adt`, or `adt:merge` for a port other than `out`. */
export function edgeToken({ node, port }: NodePort): string {
  return port === 'out' ? node : `${node}:${port}`;
}

export function parseEdgeToken(token: string): NodePort {
  const [node = token, port = 'out'] = token.split(':');
  return { node, port };
}

export interface TopologyNames {
  readonly checkpointBucket: string;
  inputStream(stage: string): string;
  /** Every subject of the input stream. */
  inputSubjects(stage: string): readonly string[];
  /** What one partition of a stage reads. */
  inputSubjectsOf(stage: string, partition: number): readonly string[];
  /** Where a source (or another stage) appends events of an edge. */
  inputSubject(stage: string, edge: NodePort, partition: number): string;
  outputStream(stage: string): string;
  outputSubjects(stage: string): readonly string[];
  /** Everything that one partition of a stage publishes. */
  outputSubjectsOf(stage: string, partition: number): readonly string[];
  outputSubject(stage: string, sink: string, partition: number): string;
  /** What stages pass to each other, where there are several partitions. */
  readonly exchangeStream: string;
  readonly exchangeSubjects: readonly string[];
  exchangeSubject(from: { stage: string; partition: number }, to: { stage: string; partition: number }): string;
  /** Everything that one partition of a stage gets from the stages before. */
  exchangeSubjectInto(stage: string, partition: number): string;
  readonly sinkStream: string;
  readonly sinkSubjects: readonly string[];
  sinkSubject(sink: string, stage: string, partition: number): string;
  readonly deadLetterStream: string;
  readonly deadLetterSubjects: readonly string[];
  deadLetterSubject(node: string): string;
  /** Who runs this topology: signs of life of its workers. */
  readonly workerStream: string;
  readonly workerSubjects: readonly string[];
  workerSubject(worker: string): string;
  /** Plain subject that a worker listens to as long as its process lives. */
  workerLifeSubject(worker: string): string;
  /** Plain subject (at most once) of what `mach tap` shows of a node. */
  tapSubject(node: string, port: string): string;
  /** Sorts by sequence as text. */
  checkpointObject(stage: string, partition: number, sequence: number): string;
  checkpointPrefix(stage: string, partition: number): string;
}

export function topologyNames(topology: string): TopologyNames {
  if (!topologyName.test(topology)) throw new Error(`invariant broken: "${topology}" is not the name of a topology`);
  const root = `mach.${topology}`;
  const checkpointPrefix = (stage: string, partition: number) => `${stage}/${partition}/`;
  return {
    checkpointBucket: `mach-${topology}-checkpoints`,
    inputStream: (stage) => `mach-${topology}-${stage}-in`,
    inputSubjects: (stage) => [`${root}.${stage}.in.>`],
    inputSubjectsOf: (stage, partition) => [`${root}.${stage}.in.*.${partition}`],
    inputSubject: (stage, edge, partition) => `${root}.${stage}.in.${edgeToken(edge)}.${partition}`,
    outputStream: (stage) => `mach-${topology}-${stage}-out`,
    outputSubjects: (stage) => [`${root}.${stage}.out.>`],
    outputSubjectsOf: (stage, partition) => [`${root}.${stage}.out.*.${partition}`],
    outputSubject: (stage, sink, partition) => `${root}.${stage}.out.${sink}.${partition}`,
    exchangeStream: `mach-${topology}-exchange`,
    exchangeSubjects: [`${root}.exchange.>`],
    exchangeSubject: (from, to) => `${root}.exchange.${from.stage}.${from.partition}.${to.stage}.${to.partition}`,
    exchangeSubjectInto: (stage, partition) => `${root}.exchange.*.*.${stage}.${partition}`,
    sinkStream: `mach-${topology}-sinks`,
    sinkSubjects: [`${root}.sinks.>`],
    sinkSubject: (sink, stage, partition) => `${root}.sinks.${sink}.${stage}.${partition}`,
    deadLetterStream: `mach-${topology}-dead`,
    deadLetterSubjects: [`${root}.dead.>`],
    deadLetterSubject: (node) => `${root}.dead.${node}`,
    workerStream: `mach-${topology}-workers`,
    workerSubjects: [`${root}.workers.>`],
    workerSubject: (worker) => `${root}.workers.${worker}`,
    workerLifeSubject: (worker) => `mach-life.${topology}.${worker}`,
    tapSubject: (node, port) => `mach-tap.${topology}.${edgeToken({ node, port })}`,
    checkpointPrefix,
    checkpointObject: (stage, partition, sequence) =>
      `${checkpointPrefix(stage, partition)}${String(sequence).padStart(16, '0')}`,
  };
}
