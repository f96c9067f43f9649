/**
 * Makes the state of one topology that of another: what did not change is kept, what a migration takes is migrated, nodes that are new
 * begin where time is now on the edges that feed them, as if they had always stood there without a state.
 */
import type { KeyedStateSnapshot, TimersSnapshot } from '../../stream/keyed-state.ts';
import { emptyCounts, type RunnerSnapshot } from '../../stream/node-runner.ts';
import type { OperatorDefinition } from '../../stream/operator-definition.ts';
import { columnsOf, entriesOf } from '../../stream/state-columns.ts';
import type { NodeState } from '../../stream/state-contract.ts';
import { atEnd, combineEdges, type Progress, unstarted } from '../../stream/watermark.ts';
import type { BoundEdge, BoundOperatorNode, BoundTopology } from '../../topology/bound.ts';
import { ReferenceNode } from '../../topology/ir/reference-node.ts';
import { spreadTopology } from '../../topology/spread.ts';
import { changedNodes, fingerprintsOf } from '../fingerprint.ts';
import { isFusible } from '../fuse.ts';
import type { StageSnapshot } from '../stage-machine.ts';
import type { StagePart } from '../stage-part.ts';
import {
  compareState,
  keepsState,
  type MigrationStep,
  type NodeIdentities,
  nodeIdentitiesOf,
  type StateVerdict,
} from './state-identity.ts';

/** Of whoever wrote a checkpoint. */
export interface StateOrigin {
  readonly hash: string;
  readonly fingerprints: Readonly<Record<string, string>>;
  /** Absent in checkpoints of early versions: then a node keeps its state only when nothing of it has changed. */
  readonly nodes?: NodeIdentities;
  /** Absent: one. */
  readonly partitions?: number;
}

/** Of every node of the old topology with state: what becomes of it in the new one. */
export function stateVerdicts(before: StateOrigin, topology: BoundTopology): ReadonlyMap<string, StateVerdict> {
  const verdicts = new Map<string, StateVerdict>();
  const now = nodeIdentitiesOf(topology, spreadTopology(topology, before.partitions ?? 1));
  const definitions = new Map<string, OperatorDefinition>(topology.operators.map((node) => [node.id, node.definition]));
  if (!before.nodes) {
    const changed = new Set(changedNodes(before.fingerprints, fingerprintsOf(topology)));
    const reason = 'it changed since, and the checkpoint is of a version that keeps only what did not';
    for (const node of Object.keys(before.fingerprints)) {
      const state = now[node]?.state;
      if (changed.has(node)) verdicts.set(node, { kind: 'lost', reason });
      // It hangs on the same as then; its form was the first, and may have changed since.
      else if (state) verdicts.set(node, compareState({ ...state, version: 1 }, state, definitions.get(node)));
      else verdicts.set(node, { kind: 'kept' });
    }
    return verdicts;
  }
  for (const [node, { state }] of Object.entries(before.nodes)) {
    if (!state) continue;
    const verdict: StateVerdict = now[node]
      ? compareState(state, now[node].state, definitions.get(node))
      : { kind: 'lost', reason: 'it is gone' };
    verdicts.set(node, verdict);
  }
  return verdicts;
}

/** The nodes whose state would be lost and that nobody has accepted to lose. */
export function refusedLosses(
  verdicts: ReadonlyMap<string, StateVerdict>,
  acceptLoss: ReadonlySet<string>,
): { node: string; reason: string }[] {
  return [...verdicts].flatMap(([node, verdict]) =>
    verdict.kind === 'lost' && !acceptLoss.has(node) ? [{ node, reason: verdict.reason }] : [],
  );
}

/** Nodes whose state is in this checkpoint, and which the topology of now has in another stage: it cannot follow them. */
export function movedAway(before: StateOrigin, snapshot: StageSnapshot, { plan, stage }: StagePart) {
  const moved: { node: string; reason: string }[] = [];
  for (const node of snapshot.nodes.keys()) {
    const now = plan.nodes.get(node)?.stage;
    if (now === undefined || now === stage || !before.nodes?.[node]?.state) continue;
    moved.push({ node, reason: `with ${plan.partitions} partitions it moves from stage ${stage} to ${now}` });
  }
  return moved;
}

/** Look-ups of which something waits here, from when they stood in every partition: they stand in the first alone, and answers do not come here. */
export function waitsApart(snapshot: StageSnapshot, topology: BoundTopology, { plan, partition }: StagePart) {
  if (partition === 0) return [];
  return topology.operators.flatMap(({ id: node, bound }) => {
    const isApart = bound.lookup && plan.nodes.get(node)?.out.kind === 'one';
    const states = isApart ? [...(snapshot.nodes.get(node)?.states.values() ?? [])] : [];
    const waiting = states.reduce((sum, { keys }) => sum + keys.length, 0);
    if (waiting === 0) return [];
    return [
      {
        node,
        reason: `${waiting} events wait for answers in partition ${partition}, and it stands in the first alone now`,
      },
    ];
  });
}

/** The snapshot as the new topology takes it. What is lost is left out; whether it may be is for the caller to ask before. */
export function adoptSnapshot(snapshot: StageSnapshot, before: StateOrigin, topology: BoundTopology): StageSnapshot {
  if (before.hash === topology.hash && !hasMigrations(before, topology)) return snapshot;
  const verdicts = stateVerdicts(before, topology);
  const nodes = new Map<string, RunnerSnapshot>();
  const outgoing = progressOfSources(snapshot);
  for (const node of topology.operators) {
    const old = snapshot.nodes.get(node.id);
    // Its state is in the checkpoint of another stage.
    if (!old && before.nodes?.[node.id]) continue;
    const verdict = verdicts.get(node.id);
    const adopted =
      old && verdict?.kind !== 'lost'
        ? keptNode(migrate(old, verdict), node.inputs, before.nodes?.[node.id]?.inputs, outgoing)
        : newNode(node.inputs, outgoing, keepsState(node));
    nodes.set(node.id, adopted);
    outgoing.set(node.id, progressOut(node, adopted, outgoing));
  }
  for (const { id, inputs } of topology.sinks) {
    const old = snapshot.nodes.get(id);
    if (!old && before.nodes?.[id]) continue;
    nodes.set(id, old ? keptNode(old, inputs, before.nodes?.[id]?.inputs, outgoing) : newNode(inputs, outgoing, false));
  }
  const known = new Set(topology.sources.map(({ id }) => id));
  return {
    ...snapshot,
    saysAnew: true,
    nodes,
    sources: new Map([...snapshot.sources].filter(([id]) => known.has(id))),
  };
}

function hasMigrations(before: StateOrigin, topology: BoundTopology): boolean {
  return [...stateVerdicts(before, topology).values()].some(({ kind }) => kind === 'migrated');
}

function progressOfSources(snapshot: StageSnapshot): Map<string, Progress> {
  return new Map(
    [...snapshot.sources].map(([id, { origins, ended = false }]) => [
      id,
      ended ? atEnd : { time: origins.combined, idle: origins.idle, ended },
    ]),
  );
}

/** How far time has come on the edges that leave a node. What is silent or has ended does not say so again to whoever is new. */
function progressOut(
  node: BoundOperatorNode,
  { inputs, forwarded, idle }: RunnerSnapshot,
  outgoing: ReadonlyMap<string, Progress>,
): Progress {
  const [edge] = node.inputs;
  // A step of a loop passes on what comes to it, and keeps nothing of it but the time.
  const passed = edge && isFusible(node) ? outgoing.get(edge.from.node) : undefined;
  if (passed) return passed;
  return inputs.length > 0 && inputs.every(([, { ended }]) => ended) ? atEnd : { time: forwarded, idle, ended: false };
}

/** An input that is fed by another node than before stands where that node has come to. The node itself never goes back: what is behind its time is late. */
function keptNode(
  old: RunnerSnapshot,
  edges: readonly BoundEdge[],
  oldInputs: Readonly<Record<string, string>> | undefined,
  outgoing: ReadonlyMap<string, Progress>,
): RunnerSnapshot {
  const rewired = edges.filter(({ input, from }) => oldInputs && oldInputs[input] !== ReferenceNode.format(from));
  if (rewired.length === 0) return old;
  const inputs = new Map(old.inputs);
  for (const { input, from } of rewired) {
    const { time } = inputs.get(input) ?? unstarted;
    // How far time has come in another stage is not known here: it says so with the first message.
    inputs.set(input, outgoing.get(from.node) ?? { time, idle: false, ended: false });
  }
  return { ...old, inputs: [...inputs] };
}

function newNode(
  edges: readonly BoundEdge[],
  outgoing: ReadonlyMap<string, Progress>,
  mayHoldBack: boolean,
): RunnerSnapshot {
  const inputs = edges.map(({ input, from }) => [input, outgoing.get(from.node) ?? unstarted] as const);
  const { time, idle } = combineEdges(inputs.map(([, progress]) => progress));
  return {
    states: new Map(),
    timers: { pending: [], nextOrder: 0 },
    inputs,
    watermark: time,
    idle,
    // What it will hold back is not known before its first event: it promises nothing until time moves.
    forwarded: mayHoldBack ? unstarted.time : time,
    counts: emptyCounts(),
  };
}

function migrate(snapshot: RunnerSnapshot, verdict: StateVerdict | undefined): RunnerSnapshot {
  if (verdict?.kind !== 'migrated') return snapshot;
  return verdict.steps.reduce(carryOut, snapshot);
}

function carryOut(snapshot: RunnerSnapshot, { migration, before, after }: MigrationStep): RunnerSnapshot {
  const state: NodeState = {
    states: new Map([...snapshot.states].map(([name, state]) => [name, entriesOf(state)])),
    timers: snapshot.timers.pending.map(({ key, name, time }) => ({ key, name, time })),
  };
  const migrated = migration.migrate(state, { before, after });
  const states = new Map<string, KeyedStateSnapshot>();
  for (const [name, entries] of migrated.states) {
    states.set(name, { ...columnsOf(entries), evicted: snapshot.states.get(name)?.evicted ?? 0 });
  }
  const pending = migrated.timers.map((timer, order) => ({ ...timer, order }));
  const timers: TimersSnapshot = { pending, nextOrder: pending.length };
  return { ...snapshot, states, timers };
}
