/** What the definitions of sources, operators and sinks share, and the catalogue of them all. */
import type { OperatorDefinition } from './operator-definition.ts';
import type { Schema } from './schema.ts';
import type { SinkDefinition } from './sink-definition.ts';
import type { SourceDefinition } from './source-definition.ts';

export type Status = 'stable' | 'beta' | 'experimental' | 'deprecated';

export interface BoundInput {
  /** Id of the node, and port, that feed it. */
  readonly from: string;
  readonly schema: Schema;
}

export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Everything that topologies may use: one explicit array each, handed to the runtime by `catalogue.ts` at the root. */
export interface Catalogue {
  readonly sources: readonly SourceDefinition[];
  readonly operators: readonly OperatorDefinition[];
  readonly sinks: readonly SinkDefinition[];
}
