/** The status of several workers as that of one engine: counts are added up, of times the one that is furthest behind counts. */
import { mergeAccounting } from '../stream/ledger.ts';
import type { EngineStatus, NodeStatus } from './status.ts';

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const known = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null);

/** One node as it is in several partitions; one at least. */
export function mergeNodes(nodes: readonly NodeStatus[]): NodeStatus {
  const first = nodes[0] as NodeStatus;
  const add = (
    name:
      | 'in'
      | 'out'
      | 'filtered'
      | 'late'
      | 'dropped'
      | 'dead'
      | 'queue'
      | 'stateKeys'
      | 'refusedRequests'
      | 'retries'
      | 'repeatedBatches',
  ) => sum(nodes.map((node) => node[name]));
  const watermarks = known(nodes.map(({ watermark }) => watermark));
  const lags = known(nodes.map(({ lagMs }) => lagMs));
  const latencies = nodes.map(({ latencyMs }) => latencyMs).filter((one) => one !== null);
  const details = [...new Set(nodes.map(({ detail }) => detail).filter((one) => one !== null))];
  return {
    ...first,
    in: add('in'),
    out: add('out'),
    filtered: add('filtered'),
    late: add('late'),
    dropped: add('dropped'),
    dead: add('dead'),
    queue: add('queue'),
    stateKeys: add('stateKeys'),
    refusedRequests: add('refusedRequests'),
    retries: add('retries'),
    repeatedBatches: add('repeatedBatches'),
    busyMs: sum(nodes.map(({ busyMs }) => busyMs)),
    backpressuredMs: sum(nodes.map(({ backpressuredMs }) => backpressuredMs)),
    watermark: watermarks.length > 0 ? Math.min(...watermarks) : null,
    lagMs: lags.length > 0 ? Math.max(...lags) : null,
    idle: nodes.every(({ idle }) => idle),
    latencyMs:
      latencies.length > 0
        ? {
            p50: Math.max(...latencies.map(({ p50 }) => p50)),
            p95: Math.max(...latencies.map(({ p95 }) => p95)),
            p99: Math.max(...latencies.map(({ p99 }) => p99)),
          }
        : null,
    detail: details.length > 0 ? details.join(' · ') : null,
  };
}

const order = ['source', 'operator', 'sink'] as const;

/** `all`: one at least, of one topology. */
export function mergeStatus(all: readonly EngineStatus[]): EngineStatus {
  const first = all[0] as EngineStatus;
  const byNode = new Map<string, NodeStatus[]>();
  for (const { nodes } of all) for (const node of nodes) byNode.set(node.id, [...(byNode.get(node.id) ?? []), node]);
  const add = (name: keyof EngineStatus['stage']) => sum(all.map(({ stage }) => stage[name]));
  const states = [...new Set(all.map(({ state }) => state))];
  return {
    ...first,
    state: states.length === 1 ? first.state : states.join(', '),
    engineTime: Math.max(...all.map(({ engineTime }) => engineTime)),
    uptimeMs: Math.max(...all.map(({ uptimeMs }) => uptimeMs)),
    logSilentMs: Math.max(...all.map(({ logSilentMs }) => logSilentMs)),
    accounting: mergeAccounting(all.map(({ accounting }) => accounting)),
    stage: {
      sequence: Math.min(...all.map(({ stage }) => stage.sequence)),
      lastSequence: Math.max(...all.map(({ stage }) => stage.lastSequence)),
      events: add('events'),
      busyMs: add('busyMs'),
      backpressuredMs: add('backpressuredMs'),
      checkpoints: add('checkpoints'),
      checkpointBytes: add('checkpointBytes'),
      outputsRepeated: add('outputsRepeated'),
    },
    nodes: order.flatMap((kind) => [...byNode.values()].map(mergeNodes).filter((node) => node.kind === kind)),
    partitions: {
      count: first.partitions.count,
      owned: all.flatMap(({ partitions }) => partitions.owned).sort((one, other) => one - other),
    },
    workers: all.find(({ workers }) => workers.length > 0)?.workers ?? [],
  };
}
