/** The way back from a row, node by node, for people. */

import type { Event } from '../../stream/schema.ts';
import { entryOf } from '../../stream/state-columns.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import type { StageSnapshot } from '../stage-machine.ts';
import { type Condition, conditionsOf } from './conditions.ts';
import type { Curtain } from './curtain.ts';
import { whyLimits } from './limits.ts';
import type { CellUse, DerivedLineage, Lineage, Reason, Touch } from './lineage.ts';
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
    if (reason.kind === 'timer') visit(lastEvent(reason.setBy)?.from, depth + 1, { kind: 'timer', name: reason.name });
    for (const cell of at.cells) {
      const last = lastEvent(cell.head);
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
  const node = topology.operators.find(({ id }) => id === at.node);
  const { reason } = at;
  const from = reason.kind === 'event' ? reason.from : lastEvent(at.cells[0]?.head)?.from;
  const input = reason.kind === 'event' ? reason.input : lastEvent(at.cells[0]?.head)?.input;
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
    state: at.cells.filter(({ existed }) => existed).map((cell) => stateOf(setting, at.node, cell)),
    message: null,
  };
}

function hideValues(
  condition: Condition,
  { curtain, schema }: { curtain: Curtain; schema: { fields: object } },
): Condition {
  const fields = Object.fromEntries(Object.entries(schema.fields).filter(([name]) => name in condition.values));
  const values: Event = curtain.event(condition.values, { fields });
  return { ...condition, values };
}

function causeOf(at: DerivedLineage, reason: Reason): WhyCause {
  return {
    kind: reason.kind,
    timer: reason.kind === 'timer' ? reason.name : null,
    time: isoTime(reason.kind === 'event' ? at.time : reason.time),
    moved_by: reason.kind === 'event' ? null : placeName(at.moment),
  };
}

function stateOf({ curtain, before, after }: Setting, node: string, { state, key, head }: CellUse): WhyState {
  const valueIn = (snapshot: StageSnapshot) => {
    const columns = snapshot.nodes.get(node)?.states.get(state);
    return columns && entryOf(columns, key)?.value;
  };
  const newest: Touch[] = [];
  for (let at = head; at && newest.length < whyLimits.changesListed; at = at.previous) newest.push(at);
  return {
    state,
    key: curtain.key(key),
    before: curtain.state(valueIn(before)),
    after: curtain.state(valueIn(after)),
    changes: head?.count ?? 0,
    complete: head?.whole ?? false,
    newest: newest.map(changeOf),
  };
}

/** The newest change that an event made. */
function lastEvent(head: Touch | undefined): (Reason & { kind: 'event' }) | undefined {
  let passed = 0;
  for (let at = head; at && passed < changesPassedMax; at = at.previous, passed++) {
    if (at.reason.kind === 'event') return at.reason;
  }
  return undefined;
}

export function changeOf({ moment, reason }: Touch): WhyChange {
  return { message: placeName(moment), by: reason.kind, time: isoTime(timeOf(reason)) };
}

function timeOf(reason: Reason): number | undefined {
  return reason.kind === 'event' ? reason.from?.time : reason.time;
}
