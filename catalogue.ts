/**
 * Everything that topologies may be made of: one explicit array each. A new connector or operator is one line here.
 * Beside it the lists of their errors, for `mach help CODE`.
 */
import { alertActionErrors, alertActions } from './connectors/alert-actions/index.ts';
import { clickhouse } from './connectors/clickhouse/index.ts';
import { consoleSink } from './connectors/console/index.ts';
import { feedErrors } from './connectors/feed-115/errors.ts';
import { feed115 } from './connectors/feed-115/index.ts';
import { fileDrop, fileDropErrors } from './connectors/file-drop/index.ts';
import { grafanaErrors } from './connectors/grafana/errors.ts';
import { grafana } from './connectors/grafana/index.ts';
import { hl7Errors } from './connectors/hl7-mllp/errors.ts';
import { hl7Mllp } from './connectors/hl7-mllp/index.ts';
import { natsErrors, natsSink, natsSource } from './connectors/nats/index.ts';
import { webhook, webhookErrors } from './connectors/webhook/index.ts';
import { operatorErrors } from './operators/errors.ts';
import { operators } from './operators/index.ts';
import type { ErrorList } from './runtime/errors.ts';
import type { Catalogue } from './runtime/stream/index.ts';
import { simulatorErrors } from './simulator/errors.ts';

export const catalogue: Catalogue = {
  sources: [alertActions, feed115, fileDrop, grafana, hl7Mllp, natsSource],
  operators,
  sinks: [clickhouse, consoleSink, natsSink, webhook],
};

export const errorLists: readonly ErrorList[] = [
  alertActionErrors.list,
  feedErrors.list,
  fileDropErrors.list,
  grafanaErrors.list,
  hl7Errors.list,
  natsErrors.list,
  webhookErrors.list,
  simulatorErrors.list,
  operatorErrors.list,
];
