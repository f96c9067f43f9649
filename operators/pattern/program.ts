/** The steps of a pattern, compiled, and what expressions see of the events that they have taken. */
import type { CompiledExpression, Event, StateKey } from '../../runtime/stream/index.ts';
import { type CellKind, resultsOf } from '../aggregate/cell.ts';
import type { Candidates, Thread } from './threads.ts';

export interface Row {
  readonly time: number;
  readonly event: Event;
}

export interface Step {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly shortest: boolean;
  readonly later: boolean;
  readonly when: CompiledExpression | undefined;
  readonly until: CompiledExpression | undefined;
  readonly totals: { readonly names: readonly string[]; readonly kind: CellKind } | undefined;
  /** All steps behind this one may be left out. */
  readonly mayBeLast: boolean;
}

export type GoOn =
  | { readonly kind: 'after_match' }
  | { readonly kind: 'next_event' }
  | { readonly kind: 'at_first' | 'at_last'; readonly step: number };

export interface PatternProgram {
  readonly steps: readonly Step[];
  readonly candidates: Candidates;
  readonly withinMs: number;
  readonly goOn: GoOn;
  keyOf(event: Event): StateKey;
  readonly keysMax: number;
  describeKey(event: Event): string;
  /** The row of a match, from its first event and the variables. */
  toEvent(match: { first: Row; last: Row; variables: Variables }): Event;
}

/** Step name to `{ first, last, count, ... }`, and `previous`, the event that was taken last. */
export type Variables = Record<string, unknown>;

/** One set of objects for all evaluations: what they show is set before each. */
export class View {
  readonly variables: Variables = { previous: null };
  private readonly records: Record<string, unknown>[];
  private readonly steps: readonly Step[];

  constructor(steps: readonly Step[]) {
    this.steps = steps;
    this.records = steps.map(({ name, totals }) => {
      const record: Record<string, unknown> = { first: null, last: null, count: 0 };
      for (const total of totals?.names ?? []) record[total] = null;
      this.variables[name] = record;
      return record;
    });
  }

  show(thread: Thread, rows: readonly Row[]): Variables {
    const { steps, records, variables } = this;
    for (let at = 0; at < steps.length; at++) {
      const record = records[at] as Record<string, unknown>;
      const count = thread.counts[at] as number;
      record.count = count;
      record.first = count === 0 ? null : rows[thread.firsts[at] as number]?.event;
      record.last = count === 0 ? null : rows[thread.lasts[at] as number]?.event;
      const { totals } = steps[at] as Step;
      if (!totals) continue;
      const results = resultsOf(totals.kind, thread.cells[at] ?? totals.kind.create());
      for (let slot = 0; slot < results.length; slot++) record[totals.names[slot] as string] = results[slot];
    }
    variables.previous = thread.previous < 0 ? null : rows[thread.previous]?.event;
    return variables;
  }
}
