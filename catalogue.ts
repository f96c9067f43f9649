/**
 * Everything that topologies may be made of: one explicit array each. A new connector or operator is one line here.
 * Beside it the lists of their errors, for `mach help CODE`.
 */
import { clickhouse } from './connectors/clickhouse/index.ts';
import { feedErrors } from './connectors/feed-115/errors.ts';
import { feed115 } from './connectors/feed-115/index.ts';
import { hl7Errors } from './connectors/hl7-mllp/errors.ts';
import { hl7Mllp } from './connectors/hl7-mllp/index.ts';
import { operators } from './operators/index.ts';
import type { ErrorList } from './runtime/errors.ts';
import type { Catalogue } from './runtime/stream/index.ts';
import { simulatorErrors } from './simulator/errors.ts';

export const catalogue: Catalogue = {
  sources: [feed115, hl7Mllp],
  operators,
  sinks: [clickhouse],
};

export const errorLists: readonly ErrorList[] = [feedErrors.list, hl7Errors.list, simulatorErrors.list];
