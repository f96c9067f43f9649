/** The physical plan of a topology: stages, what they read and write in the log, tables, state. */
import type { TableSpec } from '../store/store.ts';
import type { Field, Schema } from '../stream/schema.ts';
import type { BoundEdge, BoundOperatorNode, BoundSinkNode, BoundSourceNode, BoundTopology } from './bound.ts';
import { ReferenceNode } from './ir/reference-node.ts';
import { stageName, topologyNames } from './names.ts';
import { usedSourcePorts } from './used-ports.ts';

export interface PlannedSource {
  readonly id: string;
  readonly definition: string;
  readonly durability: 'disk' | 'broker';
  readonly idleMs: number;
  readonly disorderMs: number;
  readonly ports: Readonly<Record<string, Schema>>;
  /** Subjects that it appends to, one for each port and partition that is read. */
  readonly subjects: readonly string[];
}

export interface PlannedOperator {
  readonly id: string;
  readonly definition: string;
  /** Input to `node` or `node.port`. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly ports: Readonly<Record<string, Schema>>;
  readonly key: readonly string[];
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
  readonly operators: readonly PlannedOperator[];
  readonly sinks: readonly PlannedSink[];
  readonly deadLetterStream: string;
  readonly sinkStream: string;
  readonly checkpointBucket: string;
}

/** With one partition every operator runs in one stage, whatever its keys: there is nobody to exchange with. */
export function planTopology(bound: BoundTopology, { partitions = 1 }: { partitions?: number } = {}): TopologyPlan {
  const names = topologyNames(bound.name);
  const stage = stageName(1);
  const each = Array.from({ length: partitions }, (_, partition) => partition);
  const used = usedSourcePorts(bound);
  const sources = bound.sources.map((source) =>
    planSource(source, (port) =>
      used.get(source.id)?.has(port) ? each.map((n) => names.inputSubject(stage, { node: source.id, port }, n)) : [],
    ),
  );
  const sinks = bound.sinks.map((sink) =>
    planSink(
      sink,
      each.map((n) => names.outputSubject(stage, sink.id, n)),
    ),
  );
  return {
    topology: bound.name,
    file: bound.file,
    hash: bound.hash,
    stages: [
      {
        name: stage,
        partitions,
        inputStream: names.inputStream(stage),
        inputSubjects: sources.flatMap(({ subjects }) => subjects),
        outputStream: names.outputStream(stage),
        outputSubjects: sinks.flatMap(({ subjects }) => subjects),
        operators: bound.operators.map(({ id }) => id),
      },
    ],
    sources,
    operators: bound.operators.map(planOperator),
    sinks,
    deadLetterStream: names.deadLetterStream,
    sinkStream: names.sinkStream,
    checkpointBucket: names.checkpointBucket,
  };
}

function planSource(source: BoundSourceNode, subjectsOf: (port: string) => readonly string[]): PlannedSource {
  const { id, definition, durability, idleMs, disorderMs, ports } = source;
  const subjects = Object.keys(ports).flatMap((port) => subjectsOf(port));
  return { id, definition: definition.name, durability, idleMs, disorderMs, ports, subjects };
}

function planOperator({ id, definition, inputs, ports, bound }: BoundOperatorNode): PlannedOperator {
  return {
    id,
    definition: definition.name,
    inputs: namedInputs(inputs),
    ports,
    key: bound.key ?? [],
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
