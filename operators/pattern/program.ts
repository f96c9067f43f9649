/** The steps of a pattern, compiled. */
import type { CompiledExpression, Event, HeldKeys } from '../../runtime/stream/index.ts';
import type { CellKind } from '../aggregate/cell.ts';
import type { Candidates } from './candidates.ts';
import type { Variables } from './view.ts';

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
  readonly keys: HeldKeys;
  readonly keysMax: number;
  describeKey(event: Event): string;
  /** The row of a match, from its first event, the times of its first and last, and the variables. */
  toEvent(match: { first: Event; start: number; end: number; variables: Variables }): Event;
}
