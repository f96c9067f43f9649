/** Which changes of a state are part of a result that was made of it: the state of a key may hold what is part of other results alone. */
import type { BoundOperator } from '../../stream/operator-definition.ts';
import type { DerivedLineage, Touch } from './lineage.ts';

/** The newest first. */
export function* changesFrom(newest: Touch | undefined): IterableIterator<Touch> {
  for (let change = newest; change; change = change.previous) yield change;
}

/** The newest first. Where the operator tells what is part of a result: the events that are known to be. */
export function* partsOf(
  { event: result, port }: DerivedLineage,
  newest: Touch | undefined,
  operator: BoundOperator | undefined,
): IterableIterator<Touch> {
  // What leaves by another port is an event that came in.
  const isPartOf = port === 'out' ? operator?.isPartOf : undefined;
  for (const change of changesFrom(newest)) {
    const from = change.reason.kind === 'event' ? change.reason.from : undefined;
    if (!isPartOf || (from && isPartOf(result, from.event, from.time))) yield change;
  }
}
