/** The physical plan of a topology: stages, what they read and write in the log, tables, state. */
import type { TableSpec } from '../store/store.ts';
import type { Field, Schema } from '../stream/schema.ts';
import type {
  BoundEdge,
  BoundOperatorNode,
  BoundSinkNode,
  BoundSourceNode,
  BoundTopology,
  EventTime,
} from './bound.ts';
import { ReferenceNode } from './ir/reference-node.ts';
import { stageName, topologyNames } from './names.ts';
import {
  type Exchange,
  partitionsOfStage,
  type SpreadPlan,
  spreadTopology,
  type Whereabouts,
  writersOf,
} from './spread.ts';
import { usedSourcePorts } from './used-ports.ts';

export interface PlannedSource {
  readonly id: string;
  readonly definition: string;
  readonly durability: 'disk' | 'broker';
  readonly idleMs: number;
  readonly disorderMs: number;
  readonly eventTime: EventTime;
  readonly ports: Readonly<Record<string, Schema>>;
  /** Subjects that it appends to, one for each port that is read: every partition reads all of them. */
  readonly subjects: readonly string[];
}

export interface PlannedOperator {
  readonly id: string;
  readonly definition: string;
  /** Input to `node` or `node.port`. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly ports: Readonly<Record<string, Schema>>;
  readonly key: readonly string[];
  readonly stage: string;
  /** Which of its work a partition does: `all of it`, `by hospital`, ... */
  readonly share: string;
  readonly stateful: boolean;
  /** State name to estimated bytes for each key. */
  readonly stateBytesPerKey: Readonly<Record<string, number>>;
}

export interface PlannedSink {
  readonly id: string;
  readonly definition: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly subjects: readonly string[];
  readonly tables: readonly TableSpec[];
}

/** Rows that pass from one stage to a later one through the log. */
export interface PlannedExchange {
  /** `node` or `node.port`. */
  readonly from: string;
  readonly fromStage: string;
  readonly toStage: string;
  /** `by hospital`, `to the first partition`, `to the same partition`. */
  readonly route: string;
}

export interface PlannedStage {
  readonly name: string;
  readonly partitions: number;
  readonly inputStream: string;
  readonly inputSubjects: readonly string[];
  readonly outputStream: string;
  readonly outputSubjects: readonly string[];
  readonly operators: readonly string[];
}

export interface TopologyPlan {
  readonly topology: string;
  readonly file: string;
  readonly hash: string;
  readonly stages: readonly PlannedStage[];
  readonly sources: readonly PlannedSource[];
  readonly exchangeStream: string | null;
  readonly exchanges: readonly PlannedExchange[];
  readonly operators: readonly PlannedOperator[];
  readonly sinks: readonly PlannedSink[];
  readonly deadLetterStream: string;
  readonly sinkStream: string;
  readonly checkpointBucket: string;
}

/** With one partition every operator runs in one stage, whatever its keys: there is nobody to exchange with. */
export function planTopology(bound: BoundTopology, { partitions = 1 }: { partitions?: number } = {}): TopologyPlan {
  const names = topologyNames(bound.name);
  const spread = spreadTopology(bound, partitions);
  const used = usedSourcePorts(bound);
  const sources = bound.sources.map((source) =>
    planSource(source, (port) =>
      used.get(source.id)?.has(port) ? [names.inputSubject(stageName(1), { node: source.id, port }, 0)] : [],
    ),
  );
  const sinks = bound.sinks.map((sink) => {
    const stage = stageName(spread.nodes.get(sink.id)?.stage ?? 1);
    return planSink(
      sink,
      writersOf(spread, sink.id).map((partition) => names.outputSubject(stage, sink.id, partition)),
    );
  });
  const stages = Array.from({ length: spread.stages }, (_, index) => index + 1).map((number): PlannedStage => {
    const stage = stageName(number);
    const inside = (id: string) => spread.nodes.get(id)?.stage === number;
    const count = partitionsOfStage(spread, number);
    const isFirst = number === 1;
    return {
      name: stage,
      partitions: count,
      inputStream: isFirst ? names.inputStream(stage) : names.exchangeStream,
      inputSubjects: isFirst
        ? sources.flatMap(({ subjects }) => subjects)
        : Array.from({ length: count }, (_, partition) => names.exchangeSubjectInto(stage, partition)),
      outputStream: names.outputStream(stage),
      outputSubjects: sinks.filter(({ id }) => inside(id)).flatMap(({ subjects }) => subjects),
      operators: bound.operators.map(({ id }) => id).filter(inside),
    };
  });
  return {
    topology: bound.name,
    file: bound.file,
    hash: bound.hash,
    stages,
    sources,
    exchangeStream: spread.stages > 1 ? names.exchangeStream : null,
    exchanges: spread.exchanges.map(planExchange),
    operators: bound.operators.map((node) => planOperator(node, spread)),
    sinks,
    deadLetterStream: names.deadLetterStream,
    sinkStream: names.sinkStream,
    checkpointBucket: names.checkpointBucket,
  };
}

function planExchange({ from, fromStage, toStage, route }: Exchange): PlannedExchange {
  const ways = { one: 'to the first partition', same: 'to the same partition' };
  return {
    from: ReferenceNode.format(from),
    fromStage: stageName(fromStage),
    toStage: stageName(toStage),
    route: route.kind === 'by' ? `by ${route.fields.join(', ')}` : ways[route.kind],
  };
}

function describeShare(out: Whereabouts, partitions: number): string {
  if (partitions === 1) return 'all of it';
  if (out.kind === 'by') return `by ${out.fields.join(', ')}`;
  if (out.kind === 'everywhere') return 'all of it, in every partition';
  return out.kind === 'one' ? 'all of it, in the first partition' : 'what comes to it';
}

function planSource(source: BoundSourceNode, subjectsOf: (port: string) => readonly string[]): PlannedSource {
  const { id, definition, durability, idleMs, disorderMs, eventTime, ports } = source;
  const subjects = Object.keys(ports).flatMap((port) => subjectsOf(port));
  return { id, definition: definition.name, durability, idleMs, disorderMs, eventTime, ports, subjects };
}

function planOperator(
  { id, definition, inputs, ports, bound }: BoundOperatorNode,
  spread: SpreadPlan,
): PlannedOperator {
  const node = spread.nodes.get(id);
  return {
    id,
    definition: definition.name,
    inputs: namedInputs(inputs),
    ports,
    key: bound.key ?? [],
    stage: stageName(node?.stage ?? 1),
    share: describeShare(node?.out ?? { kind: 'everywhere' }, spread.partitions),
    stateful: bound.stateful ?? false,
    stateBytesPerKey: bound.stateBytesPerKey ?? {},
  };
}

function planSink({ id, definition, inputs, bound }: BoundSinkNode, subjects: readonly string[]): PlannedSink {
  return { id, definition: definition.name, inputs: namedInputs(inputs), subjects, tables: bound.tables ?? [] };
}

function namedInputs(edges: readonly BoundEdge[]): Record<string, string> {
  return Object.fromEntries(edges.map(({ input, from }) => [input, ReferenceNode.format(from)]));
}

/** `int (min)`, `string?`: a field's type as `explain` shows it. */
export function describeField(field: Field, describeType: (type: Field['type']) => string): string {
  const unit = field.unit ? ` (${field.unit})` : '';
  const privacy = field.privacy ? ` [${field.privacy}]` : '';
  return `${describeType(field.type)}${field.nullable ? '?' : ''}${unit}${privacy}`;
}
