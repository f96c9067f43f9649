/** Which changes of a state are part of a result that was made of it: the state of a key may hold what is part of other results alone. */
import type { BoundOperator } from '../../stream/operator-definition.ts';
import type { CellUse, DerivedLineage, Touch } from './lineage.ts';

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

/** Without those that hold nothing of a single result. What leaves by another port may be there because of them: an event that is late. */
export function tellingCells({ cells, port }: DerivedLineage, operator: BoundOperator | undefined): readonly CellUse[] {
  return port === 'out' ? cells.filter(({ state }) => !operator?.bookkeeping?.includes(state)) : cells;
}
