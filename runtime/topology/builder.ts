/**
 * Topologies in TypeScript. The same intermediate representation as a file gives; events are typed from edge to edge.
 *
 * @example
 * const rooms = topology('waiting-rooms');
 * const adt = rooms.source('adt', hl7Mllp, { listen: 2575 }, { idle: '2m' });
 * const waiting = rooms.operator('waiting', filter, { from: adt, when: 'kind == "arrival"' });
 * rooms.sink('status', clickhouse, { from: waiting, table: 'arrivals', order_by: 'hospital' });
 * const { topology: bound, diagnostics } = rooms.load();
 */
import type { z } from 'zod';
import type { Catalogue } from '../stream/definition.ts';
import type { OperatorDefinition, OperatorTypes } from '../stream/operator-definition.ts';
import type { InputMark } from '../stream/options.ts';
import type { Event, EventOf, Schema } from '../stream/schema.ts';
import type { SinkDefinition } from '../stream/sink-definition.ts';
import type { Ports, SourceDefinition } from '../stream/source-definition.ts';
import { type BindOptions, bindTopology, type LoadResult } from './bind.ts';
import type { Entry } from './entry.ts';
import { OperatorNode } from './ir/operator-node.ts';
import { OptionsNode, type RawOptions, type RawValue } from './ir/options-node.ts';
import { ReferenceNode } from './ir/reference-node.ts';
import { SinkNode } from './ir/sink-node.ts';
import { SourceNode } from './ir/source-node.ts';
import { TopologyNode } from './ir/topology-node.ts';
import { noPlaces } from './places.ts';
import { wire } from './wire.ts';

/** What leaves a node by a port. `P` are all ports of the node. */
export interface Stream<P extends Ports = Ports, K extends string = string> {
  readonly node: string;
  readonly portName: K;
  /** Another port of the same node: `aggregate.port('late')`. */
  port<N extends keyof P & string>(name: N): Stream<P, N>;
  /** For the compiler alone: the schema of the events. */
  readonly schema?: K extends keyof P ? P[K] : Schema;
}

/** The events of a stream. */
export type EventsOf<S> = S extends { readonly schema?: infer T extends Schema }
  ? string extends keyof T['fields']
    ? Event
    : EventOf<T>
  : Event;

/** The options of a definition as the builder takes them: a stream wherever a file has the id of a node. */
export type BuilderOptions<T> = T extends unknown
  ? InputMark extends keyof T
    ? AnyStream
    : T extends readonly (infer I)[]
      ? readonly BuilderOptions<I>[]
      : T extends object
        ? { readonly [K in keyof T]: BuilderOptions<T[K]> }
        : T
  : never;

/** A stream of any node, by any port. */
export interface AnyStream {
  readonly node: string;
  readonly portName: string;
  readonly schema?: Schema;
}

/** The schemas of the inputs that options name. */
type InputsOf<Opt> = {
  readonly [K in keyof Opt as Opt[K] extends AnyStream | readonly AnyStream[] ? K : never]: SchemaOf<
    Opt[K] extends readonly (infer I)[] ? I : Opt[K]
  >;
};
type SchemaOf<S> = S extends { readonly schema?: infer T extends Schema } ? T : Schema;

/** Ports of an operator with these inputs and options, and those that operators have besides. */
type PortsOf<T extends OperatorTypes, Opt> = (T & {
  readonly inputs: InputsOf<Opt>;
  readonly options: Opt;
})['ports'] & {
  readonly late: Schema;
  readonly dead: Schema;
};

export interface Described {
  readonly description?: string;
}

export interface SourceShared extends Described {
  readonly idle?: string;
  readonly disorder?: string;
  readonly durability?: 'disk' | 'broker';
  readonly event_time?: 'arrival';
}

export interface TopologyBuilder {
  source<O extends z.ZodType, P extends Ports>(
    id: string,
    definition: SourceDefinition<O, P>,
    options: z.input<O>,
    shared?: SourceShared,
  ): Stream<P, 'out'>;
  operator<O extends z.ZodType, T extends OperatorTypes, const Opt extends BuilderOptions<z.input<O>>>(
    id: string,
    definition: OperatorDefinition<O, T>,
    options: Opt,
    shared?: Described,
  ): Stream<PortsOf<T, Opt>, 'out'>;
  sink<O extends z.ZodType>(
    id: string,
    definition: SinkDefinition<O>,
    options: BuilderOptions<z.input<O>>,
    shared?: Described,
  ): void;
  build(): TopologyNode;
  /** Checks and binds it, as `loadTopology` does a file. */
  load(options?: Omit<BindOptions, 'catalogue'>): LoadResult;
}

export function topology(name: string, { description }: Described = {}): TopologyBuilder {
  const entries: Entry[] = [];
  const add = (entry: Entry) => {
    if (entries.some(({ id }) => id === entry.id))
      throw new Error(`the id "${entry.id}" is taken in topology "${name}"`);
    entries.push(entry);
  };
  const nodesOf = <K extends Entry['kind']>(kind: K) =>
    entries.filter((entry): entry is Extract<Entry, { kind: K }> => entry.kind === kind);

  const builder: TopologyBuilder = {
    source(id, definition, options, shared = {}) {
      const node = SourceNode.create({ id, definition: definition.name, options: toOptions(options), ...shared });
      add({ kind: 'source', id, node, definition: definition as unknown as SourceDefinition });
      return createStream(id, 'out');
    },
    operator(id, definition, options, shared = {}) {
      const node = OperatorNode.create({ id, definition: definition.name, options: toOptions(options), ...shared });
      add({ kind: 'operator', id, node, definition: definition as unknown as OperatorDefinition });
      return createStream(id, 'out');
    },
    sink(id, definition, options, shared = {}) {
      const node = SinkNode.create({ id, definition: definition.name, options: toOptions(options), ...shared });
      add({ kind: 'sink', id, node, definition: definition as unknown as SinkDefinition });
    },
    build() {
      const places = noPlaces(`topology("${name}")`);
      const inSections = [...nodesOf('source'), ...nodesOf('operator'), ...nodesOf('sink')];
      const edges = wire(inSections, { places, broken: new Set() }).edges.map(({ span: _, ...edge }) =>
        Object.freeze(edge),
      );
      return TopologyNode.create({
        name,
        ...(description !== undefined && { description }),
        sources: nodesOf('source').map(({ node }) => node),
        operators: nodesOf('operator').map(({ node }) => node),
        sinks: nodesOf('sink').map(({ node }) => node),
        edges,
      });
    },
    load: (options = {}) => bindTopology(builder.build(), { ...options, catalogue: catalogueOf(entries) }),
  };
  return builder;
}

function createStream<P extends Ports, K extends string>(node: string, portName: K): Stream<P, K> {
  return Object.freeze({ node, portName, port: <N extends string>(name: N) => createStream<P, N>(node, name) });
}

function isStream(value: unknown): value is AnyStream {
  return value !== null && typeof value === 'object' && 'portName' in value && 'node' in value;
}

function toOptions(options: unknown): OptionsNode {
  return OptionsNode.create(toRaw(options) as RawOptions);
}

function toRaw(value: unknown): RawValue {
  if (isStream(value)) return ReferenceNode.format({ node: value.node, port: value.portName });
  if (Array.isArray(value)) return value.map(toRaw);
  if (value === null || typeof value !== 'object') return value as RawValue;
  const given = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(given.map(([key, inner]) => [key, toRaw(inner)]));
}

/** The definitions that are used: the builder was handed them, so it needs no catalogue. */
function catalogueOf(entries: readonly Entry[]): Catalogue {
  const unique = <D>(definitions: readonly D[]) => [...new Set(definitions)];
  return {
    sources: unique(entries.flatMap((entry) => (entry.kind === 'source' ? [entry.definition] : []))),
    operators: unique(entries.flatMap((entry) => (entry.kind === 'operator' ? [entry.definition] : []))),
    sinks: unique(entries.flatMap((entry) => (entry.kind === 'sink' ? [entry.definition] : []))),
  };
}
