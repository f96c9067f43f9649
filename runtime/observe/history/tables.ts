/** What a running engine writes of itself into the store, for boards: two small tables of a few days. */
import { limits } from '../../limits.ts';
import type { TableSpec } from '../../store/store.ts';
import { defineSchema, field } from '../../stream/schema.ts';

const counter = (description: string) => field.int({ unit: 'events', description });
const absentMs = { nullable: true, unit: 'ms' } as const;

/** Counters count since the topology began (of a source: since its process began); they go on, or start anew at 0. */
export const engineNodesTable: TableSpec = {
  name: 'engine_nodes',
  comment: 'Every node of every running topology, as the engine that runs it sees it, a few times a minute',
  rows: 'append',
  orderBy: ['at', 'topology', 'worker', 'node'],
  timeField: 'at',
  partitionBy: 'day',
  keepMs: limits.historyNodesKeepMs,
  schema: defineSchema({
    at: field.timestamp({ description: 'engine time' }),
    topology: field.string({ repeated: true }),
    worker: field.string({ repeated: true, description: 'host and process that ran it' }),
    node: field.string({ repeated: true }),
    kind: field.string({ values: ['source', 'operator', 'sink'], repeated: true }),
    in_events: counter('reached the node'),
    out_events: counter('left it (sinks: rows written)'),
    filtered_events: counter('filtered'),
    late_events: counter('came after their window had closed'),
    dropped_events: counter('dropped for a reason'),
    dead_events: counter('became dead letters'),
    queue_events: counter('wait before the node'),
    busy_ms: field.float({ unit: 'ms', description: 'spent in the node itself since the process began' }),
    backpressured_ms: field.float({ unit: 'ms', description: 'kept from going on by what is behind it' }),
    retries: field.int({ description: 'writes of a sink that were tried again' }),
    state_keys: field.int({ description: 'keys in its state' }),
    watermark: field.timestamp({ nullable: true, description: 'event time that it has reached' }),
    lag_ms: field.float({ ...absentMs, description: 'engine time less watermark' }),
    latency_p50_ms: field.float({ ...absentMs, description: 'of sinks: from acceptance to written row, median' }),
    latency_p99_ms: field.float({ ...absentMs, description: 'the same, 99th percentile' }),
  }),
};

export const feedFreshnessTable: TableSpec = {
  name: 'feed_freshness',
  comment: 'When each origin of each source was last heard; silence shows by rows that do not move, or do not come',
  rows: 'append',
  orderBy: ['at', 'topology', 'source', 'origin'],
  timeField: 'at',
  partitionBy: 'day',
  keepMs: limits.historyFeedsKeepMs,
  schema: defineSchema({
    at: field.timestamp({ description: 'engine time' }),
    topology: field.string({ repeated: true }),
    source: field.string({ repeated: true }),
    origin: field.string({ repeated: true, description: 'hospital, centre, file' }),
    newest_event_at: field.timestamp({ description: 'event time of the newest event' }),
    heard_at: field.timestamp({ description: 'engine time at which it was last heard' }),
    silent_after_ms: field.duration({
      unit: 'ms',
      description: 'silent for this long it holds nobody any more (idle)',
    }),
  }),
};

export const engineTables: readonly TableSpec[] = [engineNodesTable, feedFreshnessTable];
