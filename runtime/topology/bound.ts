/**
 * The bound form of a topology: every name resolved, every option parsed, every edge typed. What the execution engine runs.
 * It is made by `loadTopology` (from a file) or `bindTopology` (from the builder), and only when there is no error.
 */
import type { BoundOperator, OperatorDefinition } from '../stream/operator-definition.ts';
import type { Schema } from '../stream/schema.ts';
import type { BoundSink, SinkDefinition } from '../stream/sink-definition.ts';
import type { BoundSource, SourceDefinition } from '../stream/source-definition.ts';
import type { TopologyNode } from './ir/topology-node.ts';
import type { Redactor } from './redactor.ts';

/** An end of an edge where events leave a node: `waiting` is `{ node: 'waiting', port: 'out' }`. */
export interface NodePort {
  readonly node: string;
  readonly port: string;
}

/** An edge that enters a node. */
export interface BoundEdge {
  /** Name of the input: the option's name (`from`, `left`), then `from.1`, `from.2` for the others of a list. */
  readonly input: string;
  readonly from: NodePort;
  readonly schema: Schema;
}

interface BoundNode {
  readonly id: string;
  readonly description?: string;
  /** The options as the definition's schema gave them back, defaults filled in. May hold secret values: never print them. */
  readonly options: unknown;
}

/** What the time of an event is: what its source says, or when it came. */
export type EventTime = 'event' | 'arrival';

export interface BoundSourceNode extends BoundNode {
  readonly kind: 'source';
  readonly definition: SourceDefinition;
  readonly bound: BoundSource;
  readonly ports: Readonly<Record<string, Schema>>;
  readonly durability: 'disk' | 'broker';
  /** An origin silent for this long no longer holds watermarks back. */
  readonly idleMs: number;
  /** How far behind an origin's newest event time a later event may lie without being late. */
  readonly disorderMs: number;
  /** `arrival`: the time of an event is the engine time at which it was taken in, as the log has it. */
  readonly eventTime: EventTime;
}

export interface BoundOperatorNode extends BoundNode {
  readonly kind: 'operator';
  readonly definition: OperatorDefinition;
  readonly bound: BoundOperator;
  readonly inputs: readonly BoundEdge[];
  /** Those of `bound`, and `late` and `dead` where the handler may use them. */
  readonly ports: Readonly<Record<string, Schema>>;
  /** Fields that the options name, by input. */
  readonly fieldsNamed: Readonly<Record<string, ReadonlySet<string>>>;
}

export interface BoundSinkNode extends BoundNode {
  readonly kind: 'sink';
  readonly definition: SinkDefinition;
  readonly bound: BoundSink;
  readonly inputs: readonly BoundEdge[];
}

export interface BoundTopology {
  /** Path as it was given; `topology("NAME")` for one that was built in TypeScript. */
  readonly file: string;
  readonly name: string;
  /** Version of the format. */
  readonly version: 1;
  readonly description?: string;
  /** sha256 (hex) of what the topology means: neither positions, comments nor the values of references change it. */
  readonly hash: string;
  readonly ir: TopologyNode;
  /** In the order of the file. */
  readonly sources: readonly BoundSourceNode[];
  /** In topological order, that of the file between independent nodes. */
  readonly operators: readonly BoundOperatorNode[];
  /** In the order of the file. */
  readonly sinks: readonly BoundSinkNode[];
  /** Takes secret values out of any text that people or logs will see. */
  readonly redactor: Redactor;
}
