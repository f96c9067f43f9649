/**
 * How the state of an operator whose `spread` is by key is given to the partitions of its keys when their number changes. Only the
 * operator knows which key an entry belongs to.
 */
import { valuesOfKey } from './event-key.ts';
import type { StateKey } from './operator-state.ts';
import type { NodeStates } from './state-contract.ts';

export interface CutEntry {
  /** Name of the keyed state; null of a timer. */
  readonly state: string | null;
  readonly key: StateKey;
  /** Undefined of a timer. */
  readonly value?: unknown;
}

export interface StateCut {
  /**
   * Values of the fields of `spread.out`, in their order, of the key that an entry belongs to. `shared`: it belongs to the node as a whole and
   * is the same in every partition. Undefined: it cannot be told, so the state cannot be cut.
   */
  home(entry: CutEntry, fields: number): readonly unknown[] | 'shared' | undefined;
  /** Puts right what belongs to the node as a whole, once the entries of one partition are together. */
  complete?(states: NodeStates): NodeStates;
}

/** For states whose keys are those of `eventKey(spread.out)`. `shared`: states that belong to the node as a whole. */
export function cutByKey(
  args: { readonly shared?: readonly string[]; readonly complete?: StateCut['complete'] } = {},
): StateCut {
  const { shared = [], complete } = args;
  return {
    home: ({ state, key }, fields) => (state !== null && shared.includes(state) ? 'shared' : valuesOfKey(key, fields)),
    ...(complete && { complete }),
  };
}
