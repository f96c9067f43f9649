/** Which part of a topology takes in an event that is redriven into an input of a node. */
import type { Event } from '../stream/schema.ts';
import { nextHop, redriveGoal } from './exchange/way.ts';
import type { Place, StagePart } from './stage-part.ts';

export type RedriveHome =
  /** This one; or all partitions, where all do the same (`shared`). */
  | { readonly kind: 'here'; readonly shared: boolean }
  /** Another one, to which this one passes it on by way of `next`. */
  | { readonly kind: 'on'; readonly next: Place }
  /** Others see to it. */
  | { readonly kind: 'elsewhere' };

export function redriveHome(part: StagePart, node: string, input: string, event: Event): RedriveHome {
  const { plan, stage, partition } = part;
  if (plan.partitions === 1) return { kind: 'here', shared: false };
  const goal = redriveGoal(plan, node, input, event);
  if (!goal || (goal.stage === stage && goal.partition === partition)) return { kind: 'here', shared: !goal };
  const next = goal.stage > stage ? nextHop(part, goal) : undefined;
  return next ? { kind: 'on', next } : { kind: 'elsewhere' };
}
