/** The part of a topology that one partition of one stage runs. */
import type { BoundTopology } from '../topology/bound.ts';
import { stageName, type TopologyNames } from '../topology/names.ts';
import {
  type Exchange,
  partitionsOfStage,
  type SpreadEdge,
  type SpreadPlan,
  spreadTopology,
  writersOf,
} from '../topology/spread.ts';

export interface Place {
  readonly stage: number;
  readonly partition: number;
}

export interface StagePart {
  readonly plan: SpreadPlan;
  /** From 1. */
  readonly stage: number;
  readonly partition: number;
}

/** The stage that keeps the accounts (`exchange/accounts.ts`): in the first partition, where there are several. */
export const accountsStage = 0;

/** Every part of a topology, earlier stages first, that of the accounts last. */
export function partsOf(plan: SpreadPlan): StagePart[] {
  const parts: StagePart[] = [];
  for (let stage = 1; stage <= plan.stages; stage++) {
    for (let partition = 0; partition < partitionsOfStage(plan, stage); partition++)
      parts.push({ plan, stage, partition });
  }
  if (plan.partitions > 1) parts.push({ plan, stage: accountsStage, partition: 0 });
  return parts;
}

/** Everything in one stage and one partition. */
export function wholePart(topology: BoundTopology): StagePart {
  return { plan: spreadTopology(topology, 1), stage: 1, partition: 0 };
}

/** A node that does the same in every partition: it counts, and speaks to the outside, in the first alone. */
export function isShadow({ plan, partition }: StagePart, node: string): boolean {
  return plan.partitions > 1 && partition !== 0 && plan.nodes.get(node)?.out.kind === 'everywhere';
}

export function exchangesOut({ plan, stage }: StagePart): readonly Exchange[] {
  return plan.exchanges.filter(({ fromStage }) => fromStage === stage);
}

export function exchangesIn({ plan, stage }: StagePart): readonly Exchange[] {
  return plan.exchanges.filter(({ toStage }) => toStage === stage);
}

/** Partitions of a later stage to which an exchange takes something from this partition. */
export function destinationsOf(part: StagePart, exchange: Exchange): readonly number[] {
  const { plan, partition } = part;
  const { whereabouts, route } = exchange;
  if (!isFed(part, exchange.from.node)) return [];
  if (route.kind === 'same') return [partition];
  const isWhole = whereabouts.kind === 'everywhere';
  if (route.kind === 'one') return isWhole && partition !== 0 ? [] : [0];
  // What is everywhere need not travel: each partition passes its own keys to its like.
  if (isWhole) return [partition];
  return Array.from({ length: plan.partitions }, (_, to) => to);
}

/** Whether anything ever comes to a node in this partition. What must meet does so in the first, and elsewhere no time passes for it. */
export function isFed(part: StagePart, node: string): boolean {
  const edges = part.partition === 0 ? undefined : part.plan.nodes.get(node)?.edges;
  return edges === undefined || edges.some((edge) => comesBy(part, edge));
}

export function comesBy(part: StagePart, { exchange, from }: Pick<SpreadEdge, 'exchange' | 'from'>): boolean {
  const { plan, partition } = part;
  if (exchange === null) return isFed(part, from.node);
  const way = plan.exchanges.find(({ id }) => id === exchange) as Exchange;
  const { fromStage: stage } = way;
  const froms = Array.from({ length: partitionsOfStage(plan, stage) }, (_, at) => ({ plan, stage, partition: at }));
  return froms.some((one) => destinationsOf(one, way).includes(partition));
}

/** Name of a lane: the stage and partition that it comes from. */
export function laneName(stage: number, partition: number): string {
  return `${stageName(stage)}/${partition}`;
}

/** Where in the log the lane between two parts stands. */
export function laneSubject(names: TopologyNames, from: Place, to: Place): string {
  const named = ({ stage, partition }: Place) => ({ stage: stageName(stage), partition });
  return names.exchangeSubject(named(from), named(to));
}

/** The lanes that enter this part, each with the exchanges that come on it. */
export function lanesInto(part: StagePart): ReadonlyMap<string, readonly Exchange[]> {
  const lanes = new Map<string, Exchange[]>();
  if (part.stage === accountsStage) {
    for (const { stage, partition } of partsOf(part.plan))
      if (stage !== accountsStage) lanes.set(laneName(stage, partition), []);
    return lanes;
  }
  for (const exchange of exchangesIn(part)) {
    const froms = partitionsOfStage(part.plan, exchange.fromStage);
    for (let partition = 0; partition < froms; partition++) {
      const from = { plan: part.plan, stage: exchange.fromStage, partition };
      if (!destinationsOf(from, exchange).includes(part.partition)) continue;
      const lane = laneName(exchange.fromStage, partition);
      lanes.set(lane, [...(lanes.get(lane) ?? []), exchange]);
    }
  }
  return lanes;
}

/** Stage and partition of the lanes that enter this part. */
export function lanesFrom(part: StagePart): readonly Place[] {
  return [...lanesInto(part).keys()].map((lane) => {
    const [stage = '', partition] = lane.split('/');
    return { stage: Number(stage.slice(1)), partition: Number(partition) };
  });
}

/** Stage and partition to which this part passes something. */
export function lanesOutOf(part: StagePart): readonly Place[] {
  const goals = new Map<string, Place>();
  for (const exchange of exchangesOut(part)) {
    for (const partition of destinationsOf(part, exchange))
      goals.set(laneName(exchange.toStage, partition), { stage: exchange.toStage, partition });
  }
  if (part.plan.partitions > 1 && part.stage !== accountsStage)
    goals.set(laneName(accountsStage, 0), { stage: accountsStage, partition: 0 });
  return [...goals.values()];
}

/** Whether this part ever writes to a sink. */
export function writesTo({ plan, stage, partition }: StagePart, sink: string): boolean {
  return plan.nodes.get(sink)?.stage === stage && writersOf(plan, sink).includes(partition);
}
