/**
 * The state of a drained topology, cut anew: from the parts of one number of partitions to those of another. All parts stand at the same
 * input sequence and nothing is under way between them, so the state is what the checkpoints hold and nothing else.
 */

import type { KeyedStateSnapshot, TimersSnapshot } from '../../stream/keyed-state.ts';
import { emptyAccounting, mergeAccounting } from '../../stream/ledger.ts';
import { emptyCounts, type NodeCounts, type RunnerSnapshot } from '../../stream/node-runner.ts';
import { columnsOf, entriesOf } from '../../stream/state-columns.ts';
import type { CutEntry } from '../../stream/state-cut.ts';
import { atEnd, type Progress, unstarted } from '../../stream/watermark.ts';
import type { BoundOperatorNode, BoundSinkNode, BoundTopology, NodePort } from '../../topology/bound.ts';
import { partitionsOfStage, type SpreadPlan, spreadOf } from '../../topology/spread.ts';
import { executionErrors } from '../errors.ts';
import { isFusible } from '../fuse.ts';
import { partitionOf } from '../key-groups.ts';
import type { StageSnapshot } from '../stage-machine.ts';
import { accountsStage, exchangesIn, isFed, lanesInto, partsOf, type StagePart } from '../stage-part.ts';

/** The parts as they are, by `partKey`. */
export type Parts = ReadonlyMap<string, StageSnapshot>;

export const partKey = ({ stage, partition }: Pick<StagePart, 'stage' | 'partition'>): string =>
  `${stage}/${partition}`;

interface Cut {
  readonly topology: BoundTopology;
  readonly before: SpreadPlan;
  readonly parts: Parts;
}

/** Rejects with MACH3227 where an operator does not say which key an entry of its state belongs to. */
export function cutState(cut: Cut, after: SpreadPlan): { part: StagePart; snapshot: StageSnapshot }[] {
  return partsOf(after).map((part) => ({ part, snapshot: snapshotOf(cut, part) }));
}

function snapshotOf(cut: Cut, part: StagePart): StageSnapshot {
  const { topology, parts } = cut;
  const { sequence, sources } = parts.get(partKey({ stage: 1, partition: 0 })) as StageSnapshot;
  // What has been counted is counted on where the accounts are kept.
  const keepsAccounts = part.plan.partitions === 1 || part.stage === accountsStage;
  const accounting = keepsAccounts
    ? mergeAccounting([...parts.values()].map((one) => one.accounting))
    : emptyAccounting();
  if (part.stage === accountsStage)
    return { sequence, nodes: new Map(), sources: new Map(), exchanges: [], accounting };
  const isHere = ({ id }: { id: string }) => part.plan.nodes.get(id)?.stage === part.stage;
  const nodes = new Map<string, RunnerSnapshot>();
  for (const node of [...topology.operators, ...topology.sinks].filter(isHere)) {
    const snapshot = nodeOf(cut, node, part);
    if (snapshot) nodes.set(node.id, snapshot);
  }
  // Of a source that has ended nothing more is said to whoever it feeds by another exchange now.
  const common = { sequence, nodes, accounting, saysAnew: true };
  // Every first stage reads the whole input: what it knows of the sources is the same in each.
  if (part.stage === 1) return { ...common, sources };
  const lanes = lanesInto(part);
  const exchanges = exchangesIn(part).map(({ id, from }) => {
    const progress = progressOf(cut, from);
    const own = [...lanes].filter(([, passed]) => passed.some((exchange) => exchange.id === id));
    return [id, own.map(([lane]) => [lane, progress] as const)] as const;
  });
  return { ...common, sources: new Map(), exchanges };
}

/** The node in each of the parts in which something comes to it, in the order of their partitions: the others know nothing of it. */
function nodesBefore({ before, parts }: Cut, id: string): RunnerSnapshot[] {
  const stage = before.nodes.get(id)?.stage ?? 1;
  const found: RunnerSnapshot[] = [];
  for (let partition = 0; partition < partitionsOfStage(before, stage); partition++) {
    if (!isFed({ plan: before, stage, partition }, id)) continue;
    const snapshot = parts.get(partKey({ stage, partition }))?.nodes.get(id);
    if (snapshot) found.push(snapshot);
  }
  return found;
}

function nodeOf(cut: Cut, node: BoundOperatorNode | BoundSinkNode, part: StagePart): RunnerSnapshot | undefined {
  const old = nodesBefore(cut, node.id);
  const [first] = old;
  if (!first) return undefined;
  const isFirst = part.partition === 0;
  const state = 'bound' in node && 'ports' in node.bound ? stateOf(cut, node as BoundOperatorNode, part) : nothing;
  const stands = isFed(part, node.id);
  return {
    ...state,
    inputs: first.inputs.map(
      ([name], at) =>
        [
          name,
          stands
            ? slowest(old.flatMap(({ inputs }) => inputs.slice(at, at + 1)).map(([, progress]) => progress))
            : unstarted,
        ] as const,
    ),
    watermark: stands ? leastOf(old.map(({ watermark }) => watermark)) : unstarted.time,
    idle: old.every(({ idle }) => idle),
    forwarded: stands ? leastOf(old.map(({ forwarded }) => forwarded)) : unstarted.time,
    ...(first.passed !== undefined && { passed: Math.max(...old.map(({ passed = unstarted.time }) => passed)) }),
    counts: isFirst ? countsOf(old) : emptyCounts(),
  };
}

const nothing = {
  states: new Map<string, KeyedStateSnapshot>(),
  timers: { pending: [], nextOrder: 0 } as TimersSnapshot,
};

/** Those that have not started hold no other back; the others are all at the same time, or held back by what waits in one of them. */
function leastOf(times: readonly number[]): number {
  const started = times.filter((time) => time !== unstarted.time);
  return started.length === 0 ? unstarted.time : Math.min(...started);
}

function slowest(all: readonly Progress[]): Progress {
  const started = all.filter(({ time }) => time !== unstarted.time);
  const [first = all[0] ?? unstarted, ...others] = started;
  return others.reduce((least, one) => (one.time < least.time ? one : least), first);
}

/** How far time has come on an edge. */
function progressOf(cut: Cut, { node }: NodePort): Progress {
  const source = cut.parts.get(partKey({ stage: 1, partition: 0 }))?.sources.get(node);
  // A lane that has come to its end stands at the end of time.
  if (source?.ended) return { ...atEnd, ended: false };
  if (source) return { time: source.origins.combined, idle: source.origins.idle, ended: false };
  const operator = cut.topology.operators.find(({ id }) => id === node);
  const [edge] = operator?.inputs ?? [];
  // A loop of functions passes time on as it comes.
  if (operator && edge && isFusible(operator)) return progressOf(cut, edge.from);
  const old = nodesBefore(cut, node);
  return {
    time: leastOf(old.map(({ forwarded }) => forwarded)),
    idle: old.length > 0 && old.every(({ idle }) => idle),
    ended: false,
  };
}

type Entry = readonly [string | number, { value: unknown; time: number }];

function stateOf(cut: Cut, node: BoundOperatorNode, part: StagePart): Pick<RunnerSnapshot, 'states' | 'timers'> {
  const old = nodesBefore(cut, node.id);
  // Where every partition does the same, one of them knows all.
  const sources = cut.before.nodes.get(node.id)?.out.kind === 'everywhere' ? old.slice(0, 1) : old;
  const belongs = belongsTo(node, part);
  const cutEntries = new Map<string, Map<string | number, { value: unknown; time: number }>>();
  for (const name of old[0]?.states.keys() ?? []) {
    const lists = sources.map(({ states }, at) => {
      const state = states.get(name);
      return state ? [...entriesOf(state)].filter(([key, { value }]) => belongs({ state: name, key, value }, at)) : [];
    });
    cutEntries.set(name, new Map(merged<Entry>(lists, ([, { time }]) => time)));
  }
  const completed = node.bound.cut?.complete?.(cutEntries) ?? cutEntries;
  const evicted = (name: string) =>
    part.partition === 0 ? old.reduce((sum, { states }) => sum + (states.get(name)?.evicted ?? 0), 0) : 0;
  const timers = sources.map(({ timers: { pending } }, at) =>
    [...pending].sort((a, b) => a.order - b.order).filter(({ key }) => belongs({ state: null, key }, at)),
  );
  const pending = merged(timers, ({ time }) => time).map((timer, order) => ({ ...timer, order }));
  return {
    states: new Map([...completed].map(([name, entries]) => [name, { ...columnsOf(entries), evicted: evicted(name) }])),
    timers: { pending, nextOrder: pending.length },
  };
}

/** Whether an entry goes to this part; `source`: place among the partitions that it comes from. */
function belongsTo(node: BoundOperatorNode, part: StagePart): (entry: CutEntry, source: number) => boolean {
  const { plan, partition } = part;
  const out = plan.nodes.get(node.id)?.out;
  const spread = spreadOf(node);
  const { cut } = node.bound;
  if (spread.kind === 'key') {
    const homeOf = out?.kind === 'by' ? partitionOf(out.fields, plan.partitions) : () => 0;
    return (entry, source) => {
      const home = cut?.home(entry, spread.out.length);
      if (home === undefined) throw executionErrors.make('MACH3227', { node: node.id, operator: node.definition.name });
      if (home === 'shared') return source === 0;
      return homeOf(Object.fromEntries(spread.out.map((name, at) => [name, home[at]]))) === partition;
    };
  }
  if (out?.kind === 'everywhere') return () => true;
  return () => partition === 0;
}

/** Lists put together by time; each stays in its own order. */
function merged<T>(lists: readonly (readonly T[])[], timeOf: (item: T) => number): T[] {
  if (lists.length === 1) return [...(lists[0] as readonly T[])];
  const next = lists.map(() => 0);
  const all: T[] = [];
  for (;;) {
    let best = -1;
    let bestTime = Number.POSITIVE_INFINITY;
    lists.forEach((list, at) => {
      const item = list[next[at] as number];
      if (item === undefined || (best >= 0 && timeOf(item) >= bestTime)) return;
      best = at;
      bestTime = timeOf(item);
    });
    if (best < 0) return all;
    all.push((lists[best] as readonly T[])[next[best] as number] as T);
    next[best] = (next[best] as number) + 1;
  }
}

function countsOf(nodes: readonly RunnerSnapshot[]): NodeCounts {
  const sum = emptyCounts();
  for (const { counts } of nodes)
    for (const name of Object.keys(sum) as (keyof NodeCounts)[]) sum[name] += counts[name];
  return sum;
}
