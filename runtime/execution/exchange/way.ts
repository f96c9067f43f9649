/** The way of what the input log brings for a node of a later stage: a redriven letter, an answer of a look-up. */
import type { Event } from '../../stream/schema.ts';
import { partitionsOfStage, type SpreadPlan } from '../../topology/spread.ts';
import { partitionOf } from '../key-groups.ts';
import { lanesOutOf, type Place, type StagePart } from '../stage-part.ts';

/** Where an event that comes into an input of a node belongs. Undefined where every partition would have it. */
export function redriveGoal(plan: SpreadPlan, node: string, input: string, event: Event): Place | undefined {
  const spread = plan.nodes.get(node);
  const edge = spread?.edges.find((one) => one.input === input);
  if (!spread || !edge) return undefined;
  const { stage } = spread;
  const first = { stage, partition: 0 };
  const byFields = (fields: readonly string[]) =>
    fields.every((name) => name in edge.schema.fields)
      ? { stage, partition: partitionOf(fields, plan.partitions)(event) }
      : first;
  if (partitionsOfStage(plan, stage) === 1) return first;
  const route = plan.exchanges.find(({ id }) => id === edge.exchange)?.route;
  if (route?.kind === 'by') return byFields(route.fields);
  if (route?.kind === 'one') return first;
  if (edge.keep.kind === 'by') return byFields(edge.keep.fields);
  if (edge.keep.kind === 'first') return first;
  // A source is everywhere.
  const before = plan.nodes.get(edge.from.node)?.out ?? { kind: 'everywhere' };
  if (before.kind === 'everywhere') return undefined;
  return before.kind === 'by' ? byFields(before.fields) : first;
}

/** The place after this part on the way from the first stage, the same for whoever asks; undefined when this part is not on it. */
export function nextHop({ plan, stage, partition }: StagePart, goal: Place): Place | undefined {
  const nameOf = (place: Place) => `${place.stage}/${place.partition}`;
  const cameFrom = new Map<string, Place | undefined>();
  const queue: Place[] = Array.from({ length: plan.partitions }, (_, number) => ({ stage: 1, partition: number }));
  for (const place of queue) cameFrom.set(nameOf(place), undefined);
  for (let place = queue.shift(); place; place = queue.shift()) {
    for (const next of lanesOutOf({ plan, ...place })) {
      if (cameFrom.has(nameOf(next))) continue;
      cameFrom.set(nameOf(next), place);
      queue.push(next);
    }
  }
  for (let place: Place | undefined = goal; place; ) {
    const before: Place | undefined = cameFrom.get(nameOf(place));
    if (before?.stage === stage && before.partition === partition) return place;
    place = before;
  }
  return undefined;
}
