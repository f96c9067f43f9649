/**
 * What a topology is, as plain data: enough to say what changes when another takes its place. Kept beside the checkpoints and given by a
 * running engine. Options stand as they are written: no value of `${env:X}` is in it.
 */
import type { TableSpec } from '../../store/store.ts';
import type { Schema } from '../../stream/schema.ts';
import type { BoundEdge, BoundTopology, EventTime } from '../../topology/bound.ts';
import type { RawOptions } from '../../topology/ir/options-node.ts';
import { ReferenceNode } from '../../topology/ir/reference-node.ts';
import type { TopologyNode } from '../../topology/ir/topology-node.ts';
import { spreadTopology } from '../../topology/spread.ts';
import { type NodeIdentities, nodeIdentitiesOf } from './state-identity.ts';

export interface SourceManifest {
  readonly definition: string;
  readonly options: RawOptions;
  readonly durability: 'disk' | 'broker';
  readonly idleMs: number;
  readonly disorderMs: number;
  /** Absent in manifests of version 0.1.0: `event`. */
  readonly eventTime?: EventTime;
  readonly schema: Schema;
}

export interface NodeManifest {
  readonly definition: string;
  readonly options: RawOptions;
  readonly inputs: Readonly<Record<string, string>>;
  /** Of each input. */
  readonly schemas: Readonly<Record<string, Schema>>;
}

export interface SinkManifest extends NodeManifest {
  readonly tables: readonly TableSpec[];
}

export interface Manifest {
  readonly format: 1;
  readonly topology: string;
  readonly file: string;
  readonly hash: string;
  readonly partitions: number;
  readonly sources: Readonly<Record<string, SourceManifest>>;
  readonly operators: Readonly<Record<string, NodeManifest>>;
  readonly sinks: Readonly<Record<string, SinkManifest>>;
  readonly states: NodeIdentities;
}

export function manifestOf(topology: BoundTopology, { partitions = 1 } = {}): Manifest {
  const written = writtenOptions(topology.ir);
  const node = ({
    id,
    definition,
    inputs,
  }: {
    id: string;
    definition: { name: string };
    inputs: readonly BoundEdge[];
  }) => ({
    definition: definition.name,
    options: written.get(id) ?? {},
    inputs: Object.fromEntries(inputs.map(({ input, from }) => [input, ReferenceNode.format(from)])),
    schemas: Object.fromEntries(inputs.map(({ input, schema }) => [input, schema])),
  });
  const manifest: Manifest = {
    format: 1,
    topology: topology.name,
    file: topology.file,
    hash: topology.hash,
    partitions,
    sources: Object.fromEntries(
      topology.sources.map(({ id, definition, durability, idleMs, disorderMs, eventTime, bound }) => [
        id,
        {
          definition: definition.name,
          options: written.get(id) ?? {},
          durability,
          idleMs,
          disorderMs,
          eventTime,
          schema: bound.ports.out ?? { fields: {} },
        },
      ]),
    ),
    operators: Object.fromEntries(topology.operators.map((operator) => [operator.id, node(operator)])),
    sinks: Object.fromEntries(
      topology.sinks.map((sink) => [sink.id, { ...node(sink), tables: sink.bound.tables ?? [] }]),
    ),
    states: nodeIdentitiesOf(topology, spreadTopology(topology, partitions)),
  };
  // As JSON has it, so that one that was read compares with one that was made.
  return JSON.parse(JSON.stringify(topology.redactor.redactValue(manifest))) as Manifest;
}

function writtenOptions(ir: TopologyNode): ReadonlyMap<string, RawOptions> {
  return new Map([...ir.sources, ...ir.operators, ...ir.sinks].map(({ id, options }) => [id, options.value]));
}
