/** What runs in a simulation: five topologies, each with what a batch computation over the same log says of it. */
import { z } from 'zod';
import { clickhouse } from '../../../connectors/clickhouse/index.ts';
import { operators } from '../../../operators/index.ts';
import type { Catalogue } from '../../../runtime/stream/definition.ts';
import { defineSchema, field } from '../../../runtime/stream/schema.ts';
import { defineSource } from '../../../runtime/stream/source-definition.ts';
import { smallCatalogue } from '../../../runtime/testing/small-catalogue.ts';
import { type BoundTopology, loadTopology } from '../../../runtime/topology/index.ts';

export const workloadNames = ['identity', 'windows', 'join', 'alert', 'look-up'] as const;
export type WorkloadName = (typeof workloadNames)[number];

export const sourceNames = ['beds', 'calls'] as const;
export type SourceName = (typeof sourceNames)[number];

export const sentSchema = defineSchema({
  /** Of its own for each event that a sender makes. */
  serial: field.int(),
  /** Two events with one id are the same said twice. */
  id: field.string(),
  hospital: field.string({ repeated: true }),
  value: field.int({ nullable: true }),
});

export const disorderMs = 5_000;
export const windowMs = 10_000;
export const latenessMs = 5_000;
export const joinBeforeMs = 20_000;
export const joinAfterMs = 5_000;
export const alertRule = { raiseAbove: 6, holdMs: 5_000, clearBelow: 4, clearHoldMs: 2_000 } as const;

const parts: Readonly<Record<WorkloadName, string>> = {
  identity: `
sinks:
  rows: { clickhouse: { from: calls, table: rows, order_by: [serial] } }
  valid: { clickhouse: { from: able, table: valid, order_by: [serial] } }
`,
  windows: `
  once: { dedupe: { from: able, by: id, within: 30d } }
  counts:
    aggregate:
      from: once
      key: hospital
      window: { tumbling: ${windowMs}ms, lateness: ${latenessMs}ms }
      values: { patients: count(), total: sum(value), most: max(value) }
sinks:
  rows: { clickhouse: { from: calls, table: rows, order_by: [serial] } }
  sums: { clickhouse: { from: counts, table: sums, order_by: [hospital, window_start, revision] } }
`,
  join: `
  pairs:
    join:
      left: able
      right: calls
      on: hospital
      within: { before: ${joinBeforeMs}ms, after: ${joinAfterMs}ms }
      fields: [serial]
      prefix: right_
sinks:
  rows: { clickhouse: { from: calls, table: rows, order_by: [serial] } }
  paired: { clickhouse: { from: pairs, table: paired, order_by: [serial, right_serial] } }
`,
  alert: `
  alarms:
    alert:
      from: able
      key: hospital
      raise: value > ${alertRule.raiseAbove}
      hold: ${alertRule.holdMs}ms
      clear: value < ${alertRule.clearBelow}
      clear_hold: ${alertRule.clearHoldMs}ms
sinks:
  rows: { clickhouse: { from: calls, table: rows, order_by: [serial] } }
  alerts: { clickhouse: { from: alarms, table: alerts, order_by: [hospital, at] } }
`,
  'look-up': `
  asked: { ask: { from: able, order: ORDER, concurrency: 3, timeout: 2s } }
sinks:
  rows: { clickhouse: { from: calls, table: rows, order_by: [serial] } }
  answers: { clickhouse: { from: asked, table: answers, order_by: [serial] } }
`,
};

export interface WorkloadVariant {
  readonly name: WorkloadName;
  /** After how long a silent origin holds nobody any more. */
  readonly idle: '20s' | '30d';
  /** Of the answers of look-ups. */
  readonly order: 'kept' | 'free';
}

/** How the topology is run. */
export interface Form {
  readonly partitions: number;
  /** Processes that share the partitions by leases; undefined: one process has them all. */
  readonly workers: number | undefined;
}

const source = defineSource({
  name: 'sender',
  status: 'stable',
  summary: 'Events that the simulation sends.',
  options: z.strictObject({}),
  durability: 'disk',
  examples: [],
  bind: () => ({
    ports: { out: sentSchema },
    async open() {
      throw new Error('invariant broken: the simulation opens its sources itself');
    },
  }),
});

const loaded = new Map<string, BoundTopology>();
let catalogue: Catalogue | undefined;

function catalogueOfChaos(): Catalogue {
  const small = smallCatalogue();
  const wanted = new Set(['refuses', 'ask']);
  catalogue ??= {
    sources: [source],
    operators: [...operators, ...small.operators.filter(({ name }) => wanted.has(name))],
    sinks: [clickhouse],
  };
  return catalogue;
}

/** Its sources are not to be opened, and its look-ups have no answers: the simulation puts its own in their place. */
export function topologyOf({ name, idle, order }: WorkloadVariant): BoundTopology {
  const text = `
version: 1
name: chaos-${name}
sources:
  beds: { sender: {}, idle: ${idle}, disorder: ${disorderMs}ms }
  calls: { sender: {}, idle: ${idle}, disorder: ${disorderMs}ms }
operators:
  able: { refuses: { from: beds } }
${parts[name].replace(/^\n/, '').replace('ORDER', order)}`;
  const known = loaded.get(text);
  if (known) return known;
  const readFile = () => new TextEncoder().encode(text);
  const { topology, diagnostics } = loadTopology('chaos.yaml', { catalogue: catalogueOfChaos(), env: {}, readFile });
  if (!topology) throw new Error(diagnostics.map(({ line, message }) => `${line}: ${message}`).join('\n'));
  loaded.set(text, topology);
  return topology;
}
