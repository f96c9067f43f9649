/** The way back from a row, node by node, for people. */

import type { BoundOperator } from '../../stream/operator-definition.ts';
import { hasPersonal } from '../../stream/privacy.ts';
import type { Event, Schema } from '../../stream/schema.ts';
import { entryOf } from '../../stream/state-columns.ts';
import type { BoundOperatorNode, BoundTopology } from '../../topology/bound.ts';
import type { StageSnapshot } from '../stage-machine.ts';
import { inOrder } from './collect.ts';
import { type Condition, conditionsOf } from './conditions.ts';
import type { Curtain } from './curtain.ts';
import { whyLimits } from './limits.ts';
import type { CellUse, DerivedLineage, Lineage, Reason, Touch } from './lineage.ts';
import { changesFrom, partsOf, tellingCells } from './parts.ts';
import type { WhyCause, WhyChange, WhyState, WhyStep } from './report.ts';
import { isoTime, placeName, schemaOfEdge } from './shown.ts';

/** Steps of one answer; beyond it the way back ends, and the messages alone are told. */
const stepsMax = 60;
/** Changes by time alone that are passed over in search of the event that changed a state last. */
const changesPassedMax = 500;

interface Setting {
  readonly topology: BoundTopology;
  readonly curtain: Curtain;
  readonly before: StageSnapshot;
  readonly after: StageSnapshot;
}

type Via = WhyStep['via'];

export function stepsOf(args: Setting & { sink: string; lineage: DerivedLineage }): WhyStep[] {
  const { topology, curtain, sink, lineage } = args;
  const steps: WhyStep[] = [];
  const visited = new Set<Lineage>();
  const row = {
    time: isoTime(lineage.time) ?? '',
    event: curtain.event(lineage.event, schemaOfEdge(topology, lineage)),
  };
  steps.push({
    depth: 0,
    node: sink,
    definition: topology.sinks.find(({ id }) => id === sink)?.definition.name ?? '',
    port: null,
    via: { kind: 'result', name: sink },
    by: { kind: 'event', timer: null, time: row.time, moved_by: null },
    in: row,
    out: null,
    conditions: [],
    state: [],
    message: null,
  });
  const visit = (at: Lineage | undefined, depth: number, via: Via) => {
    if (!at || visited.has(at) || steps.length >= stepsMax) return;
    visited.add(at);
    if (at.kind === 'source') {
      steps.push(sourceStep(args, at, { depth, via }));
      return;
    }
    if (at.node !== sink) steps.push(nodeStep(args, at, { depth, via }));
    const { reason } = at;
    if (reason.kind === 'event') visit(reason.from, depth + 1, { kind: 'input', name: reason.input });
    if (reason.kind === 'timer')
      visit(lastEvent(changesFrom(reason.setBy))?.from, depth + 1, { kind: 'timer', name: reason.name });
    for (const cell of tellingCells(at, operatorOf(topology, at.node)?.bound)) {
      const last = lastEvent(partsOf(at, cell.head, operatorOf(topology, at.node)?.bound));
      // What came in by the same input before is told by the changes of the state.
      if (!last || (reason.kind === 'event' && last.input === reason.input)) continue;
      visit(last.from, depth + 1, { kind: 'state', name: cell.state });
    }
  };
  visit(lineage, 1, { kind: 'input', name: 'from' });
  return steps;
}

function sourceStep(
  { topology, curtain }: Setting,
  at: Lineage & { kind: 'source' },
  { depth, via }: { depth: number; via: Via },
): WhyStep {
  const event = curtain.event(at.event, schemaOfEdge(topology, at.edge ?? { node: at.node, port: 'out' }));
  return {
    depth,
    node: at.node,
    definition: at.edge ? 'a dead letter' : (topology.sources.find(({ id }) => id === at.node)?.definition.name ?? ''),
    port: at.edge ? null : 'out',
    via,
    by: { kind: 'event', timer: null, time: isoTime(at.time), moved_by: null },
    in: null,
    out: { time: isoTime(at.time) ?? '', event },
    conditions: [],
    state: [],
    message: placeName(at),
  };
}

function nodeStep(setting: Setting, at: DerivedLineage, { depth, via }: { depth: number; via: Via }): WhyStep {
  const { topology, curtain } = setting;
  const node = operatorOf(topology, at.node);
  const { reason } = at;
  const cause = reason.kind === 'event' ? reason : newestEvent(at, node?.bound);
  const { from, input } = cause ?? {};
  const edge = node?.inputs.find((one) => one.input === input);
  const schema = edge?.schema ?? { fields: {} };
  const conditions = node ? conditionsOf(topology, node, { event: from?.event, schema }) : [];
  return {
    depth,
    node: at.node,
    definition: node?.definition.name ?? '',
    port: at.port,
    via,
    by: causeOf(at, reason),
    in:
      reason.kind === 'event' && from
        ? { time: isoTime(from.time) ?? '', event: curtain.event(from.event, schema) }
        : null,
    out: { time: isoTime(at.time) ?? '', event: curtain.event(at.event, schemaOfEdge(topology, at)) },
    conditions: conditions.map((condition) => hideValues(condition, { curtain, schema })),
    state: tellingCells(at, node?.bound)
      .filter(({ existed }) => existed)
      .map((cell) => stateOf(setting, { at, bound: node?.bound, cell })),
    message: null,
  };
}

function hideValues(condition: Condition, { curtain, schema }: { curtain: Curtain; schema: Schema }): Condition {
  const fields = Object.fromEntries(Object.entries(schema.fields).filter(([name]) => name in condition.values));
  const values: Event = curtain.event(condition.values, { fields });
  const result = curtain.result(condition.result, { isPersonal: hasPersonal({ fields }) });
  return { ...condition, values, result };
}

function causeOf(at: DerivedLineage, reason: Reason): WhyCause {
  return {
    kind: reason.kind,
    timer: reason.kind === 'timer' ? reason.name : null,
    time: isoTime(reason.kind === 'event' ? at.time : reason.time),
    moved_by: reason.kind === 'event' ? null : placeName(at.moment),
  };
}

function stateOf(
  { curtain, before, after }: Setting,
  { at, bound, cell }: { at: DerivedLineage; bound: BoundOperator | undefined; cell: CellUse },
): WhyState {
  const { state, key, head } = cell;
  const valueIn = (snapshot: StageSnapshot) => {
    const columns = snapshot.nodes.get(at.node)?.states.get(state);
    const entry = columns && entryOf(columns, key);
    if (!entry || !bound?.heldFor || at.port !== 'out') return entry?.value;
    return bound.heldFor(at.event, { state, value: entry.value });
  };
  const parts = [...partsOf(at, head, bound)];
  return {
    state,
    key: curtain.key(key, bound?.key ?? []),
    before: curtain.state(valueIn(before)),
    after: curtain.state(valueIn(after)),
    changes: parts.length,
    complete: head?.whole ?? false,
    newest: parts.slice(0, whyLimits.changesListed).map(changeOf),
  };
}

function operatorOf(topology: BoundTopology, node: string): BoundOperatorNode | undefined {
  return topology.operators.find(({ id }) => id === node);
}

/** That changed what the node looked at; where parts are not told apart, its first state. */
function newestEvent(
  at: DerivedLineage,
  operator: BoundOperator | undefined,
): (Reason & { kind: 'event' }) | undefined {
  if (!operator?.isPartOf) return lastEvent(changesFrom(at.cells[0]?.head));
  const newest = at.cells.flatMap(({ head }) => partsOf(at, head, operator).next().value ?? []);
  return lastEvent(newest.sort((a, b) => inOrder(b.moment, a.moment)));
}

/** The newest change that an event made. */
function lastEvent(newestFirst: Iterable<Touch>): (Reason & { kind: 'event' }) | undefined {
  let passed = 0;
  for (const { reason } of newestFirst) {
    if (reason.kind === 'event') return reason;
    if (++passed >= changesPassedMax) return undefined;
  }
  return undefined;
}

export function changeOf({ moment, reason }: Touch): WhyChange {
  return { message: placeName(moment), by: reason.kind, time: isoTime(timeOf(reason)) };
}

function timeOf(reason: Reason): number | undefined {
  return reason.kind === 'event' ? reason.from?.time : reason.time;
}
