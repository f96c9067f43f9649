/** The faults, each by its name. `inject` makes the fault and takes it back; it does not wait for the engine to be well again. */
import type { Random } from '../../../runtime/random.ts';
import { aroundFaults } from './faults-around.ts';
import { embeddedFaults } from './faults-embedded.ts';
import { engineFaults } from './faults-engine.ts';
import type { Form, World } from './world.ts';

/** What a fault is meant to cause; a run in which none of it happened has proven nothing. */
export type Effect = 'restart' | 'redelivery' | 'deduplicated insert';

export interface FaultContext {
  readonly world: World;
  readonly random: Random;
  /** A length between the two: the first in runs of 45 s and less, the second in runs of ten minutes and more. */
  span(shortMs: number, longMs: number): number;
}

export interface Fault {
  readonly name: string;
  readonly summary: string;
  readonly form: Form;
  /**
   * Faults of one lane come one after the other: first those that must be alone, because their effect is looked for; then those
   * of the engine and those around it at the same time.
   */
  readonly lane: 'alone' | 'engine' | 'around';
  readonly causes: readonly Effect[];
  /** Why it cannot be injected here, or null. */
  unavailable?(world: World): string | null;
  /** Resolves with what was done, for the report. Rejects when it had no effect. */
  inject(context: FaultContext): Promise<string>;
}

export const faults: readonly Fault[] = [...engineFaults, ...aroundFaults, ...embeddedFaults];
