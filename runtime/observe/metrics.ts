/**
 * `/metrics` for Prometheus. Names follow one convention, `mach_<what>_<unit>[_total]`, written down in `docs/metrics.md`:
 * base units (seconds, bytes), `_total` on counters, labels `topology`, `node` and, where there is one, `reason`.
 */
import { Counter, Gauge, Registry } from 'prom-client';
import type { MetricSample } from './connector-metrics.ts';
import type { EngineStatus, NodeStatus } from './status.ts';

interface NodeMetric {
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge';
  value(node: NodeStatus): number | null;
}

const nodeMetrics: readonly NodeMetric[] = [
  {
    name: 'mach_node_in_events_total',
    help: 'Events that reached the node',
    kind: 'counter',
    value: (node) => node.in,
  },
  {
    name: 'mach_node_out_events_total',
    help: 'Events (sinks: rows) that left the node',
    kind: 'counter',
    value: (node) => node.out,
  },
  {
    name: 'mach_node_filtered_events_total',
    help: 'Events that the node filtered',
    kind: 'counter',
    value: (node) => node.filtered,
  },
  {
    name: 'mach_node_late_events_total',
    help: 'Events that came after their window had closed',
    kind: 'counter',
    value: (node) => node.late,
  },
  {
    name: 'mach_node_dropped_events_total',
    help: 'Events that the node dropped for a reason',
    kind: 'counter',
    value: (node) => node.dropped,
  },
  {
    name: 'mach_node_dead_events_total',
    help: 'Events that became dead letters',
    kind: 'counter',
    value: (node) => node.dead,
  },
  {
    name: 'mach_node_busy_seconds_total',
    help: 'Time spent in the node itself',
    kind: 'counter',
    value: (node) => node.busyMs / 1_000,
  },
  {
    name: 'mach_node_backpressured_seconds_total',
    help: 'Time in which the node was kept from going on by what is behind it',
    kind: 'counter',
    value: (node) => node.backpressuredMs / 1_000,
  },
  {
    name: 'mach_node_queue_events',
    help: 'Events that wait before the node',
    kind: 'gauge',
    value: (node) => node.queue,
  },
  {
    name: 'mach_node_state_keys',
    help: 'Keys in the state of the node',
    kind: 'gauge',
    value: (node) => node.stateKeys,
  },
  {
    name: 'mach_node_watermark_seconds',
    help: 'Event time that the node has reached',
    kind: 'gauge',
    value: (node) => (node.watermark === null ? null : node.watermark / 1_000),
  },
  {
    name: 'mach_node_lag_seconds',
    help: 'Engine time less watermark',
    kind: 'gauge',
    value: (node) => (node.lagMs === null ? null : node.lagMs / 1_000),
  },
  {
    name: 'mach_source_refused_requests_total',
    help: 'Requests of senders that were refused: the log did not take them, or too much waited for it',
    kind: 'counter',
    value: (node) => (node.kind === 'source' ? node.refusedRequests : null),
  },
  {
    name: 'mach_sink_retried_batches_total',
    help: 'Batches that a sink tried to write again',
    kind: 'counter',
    value: (node) => (node.kind === 'sink' ? node.retries : null),
  },
  {
    name: 'mach_sink_repeated_batches_total',
    help: 'Batches that a sink wrote again after a restart',
    kind: 'counter',
    value: (node) => (node.kind === 'sink' ? node.repeatedBatches : null),
  },
  {
    name: 'mach_sink_latency_p50_seconds',
    help: 'From acceptance to written row, median of the newest 1,000 rows',
    kind: 'gauge',
    value: (node) => (node.latencyMs ? node.latencyMs.p50 / 1_000 : null),
  },
  {
    name: 'mach_sink_latency_p99_seconds',
    help: 'From acceptance to written row, 99th percentile of the newest 1,000 rows',
    kind: 'gauge',
    value: (node) => (node.latencyMs ? node.latencyMs.p99 / 1_000 : null),
  },
];

/** What of an engine is not in its status. */
export interface Measured {
  readonly metrics: { all(): readonly MetricSample[] };
  readonly heap: { readonly liveBytes: number; readonly limitBytes: number };
}

export async function renderMetrics(status: EngineStatus, { metrics, heap }: Measured): Promise<string> {
  const registry = new Registry();
  for (const metric of nodeMetrics) addNodeMetric(registry, metric, status);
  addAccounting(registry, status);
  addStage(registry, status);
  addPartitions(registry, status);
  addHeap(registry, status.topology, heap);
  addSamples(registry, status.topology, metrics.all());
  return registry.metrics();
}

function addNodeMetric(registry: Registry, metric: NodeMetric, status: EngineStatus): void {
  const Kind = metric.kind === 'counter' ? Counter : Gauge;
  const labelNames = ['topology', 'node', 'kind'];
  const collected = new Kind({ name: metric.name, help: metric.help, labelNames, registers: [registry] });
  for (const node of status.nodes) {
    const value = metric.value(node);
    if (value !== null) collected.inc({ topology: status.topology, node: node.id, kind: node.kind }, value);
  }
}

function addAccounting(registry: Registry, { topology, accounting }: EngineStatus): void {
  const outcomes = new Counter({
    name: 'mach_accounting_events_total',
    help: 'Accepted events by outcome; the outcomes add up to `in`',
    labelNames: ['topology', 'outcome'],
    registers: [registry],
  });
  for (const name of ['in', 'delivered', 'filtered', 'late', 'dropped', 'dead_lettered'] as const) {
    outcomes.inc({ topology, outcome: name }, accounting[name]);
  }
  const redriven = new Counter({
    name: 'mach_redriven_events_total',
    help: 'Dead letters that went in again',
    labelNames: ['topology'],
    registers: [registry],
  });
  redriven.inc({ topology }, accounting.redriven);
  const reasons = new Counter({
    name: 'mach_dropped_events_total',
    help: 'Dropped events by reason',
    labelNames: ['topology', 'reason'],
    registers: [registry],
  });
  for (const [reason, count] of Object.entries(accounting.dropped_by_reason)) reasons.inc({ topology, reason }, count);
}

function addStage(registry: Registry, { topology, stage, uptimeMs, logSilentMs }: EngineStatus): void {
  const gauge = (name: string, help: string, value: number) =>
    new Gauge({ name, help, labelNames: ['topology'], registers: [registry] }).set({ topology }, value);
  const counter = (name: string, help: string, value: number) =>
    new Counter({ name, help, labelNames: ['topology'], registers: [registry] }).inc({ topology }, value);
  gauge(
    'mach_stage_behind_messages',
    'Log messages that the stage has not handled yet',
    stage.lastSequence - stage.sequence,
  );
  counter('mach_stage_busy_seconds_total', 'Time in which the stage handled messages', stage.busyMs / 1_000);
  counter(
    'mach_stage_backpressured_seconds_total',
    'Time in which the stage waited for its outputs',
    stage.backpressuredMs / 1_000,
  );
  counter('mach_stage_checkpoints_total', 'Checkpoints taken', stage.checkpoints);
  gauge('mach_stage_checkpoint_bytes', 'Size of the newest checkpoint', stage.checkpointBytes);
  counter('mach_stage_repeated_outputs_total', 'Outputs made again after a restart and dropped', stage.outputsRepeated);
  gauge('mach_log_silent_seconds', 'Time since the log was asked what it has not answered yet', logSilentMs / 1_000);
  gauge('mach_uptime_seconds', 'Time since the engine started', uptimeMs / 1_000);
}

function addHeap(registry: Registry, topology: string, { liveBytes, limitBytes }: Measured['heap']): void {
  const gauge = (name: string, help: string, value: number) =>
    new Gauge({ name, help, labelNames: ['topology'], registers: [registry] }).set({ topology }, value);
  gauge('mach_heap_live_bytes', 'Old objects that lived through the last full collection of garbage', liveBytes);
  gauge('mach_heap_limit_bytes', 'What V8 allows for old objects', limitBytes);
}

function addPartitions(registry: Registry, { topology, partitions, workers }: EngineStatus): void {
  const owned = new Gauge({
    name: 'mach_partition_owned',
    help: 'Whether this worker runs the partition',
    labelNames: ['topology', 'partition'],
    registers: [registry],
  });
  for (let partition = 0; partition < partitions.count; partition++) {
    owned.set({ topology, partition }, partitions.owned.includes(partition) ? 1 : 0);
  }
  new Gauge({
    name: 'mach_live_workers',
    help: 'Workers of the topology that this one knows to live, itself included',
    labelNames: ['topology'],
    registers: [registry],
  }).set({ topology }, Math.max(1, workers.length));
}

/** Connectors that count one thing may tell it apart by other labels: a metric has the labels of all of them. */
function addSamples(registry: Registry, topology: string, samples: readonly MetricSample[]): void {
  const byName = new Map<string, MetricSample[]>();
  for (const sample of samples) byName.set(sample.metric, [...(byName.get(sample.metric) ?? []), sample]);
  for (const [metric, own] of byName) {
    const Kind = own[0]?.kind === 'counter' ? Counter : Gauge;
    const labelNames = new Set(['topology', 'node', ...own.flatMap(({ labels }) => Object.keys(labels))]);
    const collected = new Kind({
      name: `mach_connector_${metric}`,
      help: 'Kept by the connector',
      labelNames: [...labelNames],
      registers: [registry],
    });
    for (const { node, labels, value } of own) collected.inc({ topology, node, ...labels }, value);
  }
}
