/**
 * What an operator promises of its state: what it hangs on, its version, and how older state becomes today's. With it a topology
 * that is changed keeps the state of a node whose change does not touch what the state means.
 */
import type { z } from 'zod';
import type { BoundInput } from './definition.ts';
import type { StateKey } from './operator-state.ts';

/** Plain JSON. It stands in checkpoints: never a secret. */
export type StateBasis = Readonly<Record<string, unknown>>;

/** The keyed states of one node by name, as they stand in a checkpoint; entries in order of their last setting. */
export type NodeStates = Map<string, Map<StateKey, { value: unknown; time: number }>>;

export interface NodeTimer {
  readonly key: StateKey;
  readonly name: string;
  readonly time: number;
}

/** What a migration is given and gives back. */
export interface NodeState {
  readonly states: NodeStates;
  readonly timers: readonly NodeTimer[];
}

export interface StateMigration {
  /** For `mach plan`: `values are taken out of open windows`. */
  readonly summary: string;
  /** Version of the state that it takes, and that of what it gives: the next one, or the same for a change of options. */
  readonly from: number;
  readonly to: number;
  /** The basis of what it gives; null when it cannot take this state. Default: the basis that it had. */
  basis?(before: StateBasis, after: StateBasis): StateBasis | null;
  /** Pure. */
  migrate(state: NodeState, change: { readonly before: StateBasis; readonly after: StateBasis }): NodeState;
}

export interface StateContract<O extends z.ZodType = z.ZodType> {
  /** Raised, together with a migration, whenever what is in the state changes its form. Default 1. */
  readonly version?: number;
  /**
   * What the state hangs on: those options, and fields of the inputs, that give what is kept its meaning. While it stays equal the
   * state is kept, whatever else changes. Without a contract it is everything.
   */
  basis(args: { options: z.output<O>; inputs: Readonly<Record<string, BoundInput>> }): StateBasis;
  readonly migrations?: readonly StateMigration[];
}
