/** Which partition takes in an event that is redriven into an input of a node. */
import type { Event } from '../stream/schema.ts';
import { partitionOf, type StagePart } from './stage-part.ts';

/**
 * Whether an event is this partition's: as if the node before it had sent it. Every partition of the first stage sees every redriven
 * letter, and one alone handles it; all do where all do the same. Undefined where the input is fed from the log between stages.
 */
export function redriveHome(part: StagePart, node: string, input: string): ((event: Event) => boolean) | undefined {
  const { plan, partition } = part;
  if (plan.partitions === 1) return () => true;
  const spread = plan.nodes.get(node);
  const edge = spread?.edges.find((one) => one.input === input);
  if (!edge || spread?.stage !== 1 || edge.exchange !== null) return undefined;
  const isFirst = () => partition === 0;
  const byFields = (fields: readonly string[]) => {
    const homeOf = partitionOf(fields, plan.partitions);
    return (event: Event) => homeOf(event) === partition;
  };
  if (edge.keep.kind === 'by') return byFields(edge.keep.fields);
  if (edge.keep.kind === 'first') return isFirst;
  // A source is everywhere.
  const before = plan.nodes.get(edge.from.node)?.out ?? { kind: 'everywhere' };
  if (before.kind === 'everywhere') return () => true;
  const hasFields = before.kind === 'by' && before.fields.every((name) => name in edge.schema.fields);
  return hasFields ? byFields(before.fields) : isFirst;
}
