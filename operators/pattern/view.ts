/** What expressions see of the events that the steps have taken. */
import type { Event } from '../../runtime/stream/index.ts';
import type { Cell } from '../aggregate/cell.ts';
import type { Step } from './program.ts';
import type { Run } from './run.ts';
import { countOf, firstOf, lastOf, type Thread } from './threads.ts';

/** Step name to `{ first, last, count, ... }`, and `previous`, the event that was taken last. */
export type Variables = Record<string, unknown>;

interface Shown {
  readonly record: Record<string, unknown>;
  /** Null where the step has no totals. */
  readonly showTotals: ((cell: Cell | null) => void) | null;
}

/** One set of objects for all evaluations: what they show is set before each. */
export class View {
  private readonly variables: Variables = { previous: null };
  private readonly steps: readonly Shown[];

  constructor(steps: readonly Step[]) {
    this.steps = steps.map(({ name, totals }) => {
      const record: Record<string, unknown> = { first: null, last: null, count: 0 };
      for (const total of totals?.names ?? []) record[total] = null;
      this.variables[name] = record;
      return { record, showTotals: totals ? totalsShower(totals, record) : null };
    });
  }

  show(thread: Thread, { events, from }: Pick<Run, 'events' | 'from'>): Variables {
    const { steps, variables } = this;
    for (let at = 0; at < steps.length; at++) {
      const { record, showTotals } = steps[at] as Shown;
      const count = countOf(thread, at);
      record.count = count;
      record.first = count === 0 ? null : (events[from + firstOf(thread, at)] as Event);
      record.last = count === 0 ? null : (events[from + lastOf(thread, at)] as Event);
      if (showTotals) showTotals(thread.cells?.[at] ?? null);
    }
    variables.previous = thread.previous < 0 ? null : (events[from + thread.previous] as Event);
    return variables;
  }
}

function totalsShower({ names, kind }: NonNullable<Step['totals']>, record: Record<string, unknown>) {
  const nothing = kind.create();
  return (cell: Cell | null) => {
    const states = cell ?? nothing;
    for (let slot = 0; slot < names.length; slot++)
      record[names[slot] as string] = kind.accumulators[slot]?.result(states[slot]);
  };
}
