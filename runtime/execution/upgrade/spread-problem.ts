/** Whether a change can be made while a topology runs in several partitions. */
import { isDeepStrictEqual } from 'node:util';
import type { BoundTopology } from '../../topology/bound.ts';
import { type SpreadPlan, spreadTopology } from '../../topology/spread.ts';
import { schemaId } from '../schema-book.ts';

/** Why it cannot, or undefined. What passes between stages has no version, and a state cannot move to another stage. */
export function spreadProblem(plan: SpreadPlan, next: BoundTopology): string | undefined {
  const { partitions } = plan;
  if (partitions === 1) return undefined;
  const after = spreadTopology(next, partitions);
  const moved = [...plan.nodes.values()].find(({ id, stage }) => (after.nodes.get(id)?.stage ?? stage) !== stage);
  if (moved) {
    return `with ${partitions} partitions ${moved.id} would move from stage ${moved.stage} to another, and its state cannot go with it: give the new version another name, or leave what decides the keys of ${moved.id} as it is`;
  }
  if (isDeepStrictEqual(passed(plan), passed(after))) return undefined;
  return `with ${partitions} partitions other events would pass between the stages: end the engine (Ctrl-C drains), then start the new version`;
}

const passed = ({ exchanges }: SpreadPlan) => exchanges.map(({ id, schema }) => [id, schemaId(schema)]);
