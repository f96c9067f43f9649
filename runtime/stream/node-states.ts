/** The named states of one node, whatever form each has. */
import { KeyedStateMap, type KeyedStateSnapshot } from './keyed-state.ts';
import { NumberRows } from './number-rows.ts';
import type { KeyedState, OwnState, RowState, RowStateOptions, StateKey, StateOptions } from './operator-state.ts';

type NamedState = Pick<
  KeyedStateMap<unknown>,
  'size' | 'evicted' | 'entryOfWritten' | 'expire' | 'snapshot' | 'restore'
>;

export class NodeStates {
  private readonly node: string;
  private readonly states = new Map<string, NamedState>();

  constructor(node: string) {
    this.node = node;
  }

  keyedState<V>(name: string, options?: StateOptions<V>): KeyedState<V> {
    return this.named(
      name,
      new KeyedStateMap<V>(options) as KeyedStateMap<unknown>,
    ) as KeyedState<unknown> as KeyedState<V>;
  }

  rowState<V>(name: string, options: RowStateOptions<V>): RowState {
    return this.named(name, new NumberRows(options));
  }

  ownState(name: string, state: OwnState): undefined {
    this.named(name, stateOfOwn(state));
  }

  get keys(): number {
    let keys = 0;
    for (const { size } of this.states.values()) keys += size;
    return keys;
  }

  get evicted(): number {
    let evicted = 0;
    for (const state of this.states.values()) evicted += state.evicted;
    return evicted;
  }

  /** What they have of a key, as it stands in checkpoints. */
  entriesOf(key: StateKey) {
    return [...this.states].flatMap(([state, entries]) => {
      const entry = entries.entryOfWritten(key);
      return entry ? [{ state, value: entry.value, time: entry.time }] : [];
    });
  }

  expire(time: number): void {
    for (const state of this.states.values()) state.expire(time);
  }

  snapshot(): Map<string, KeyedStateSnapshot> {
    return new Map([...this.states].map(([name, state]) => [name, state.snapshot()]));
  }

  restore(snapshots: ReadonlyMap<string, KeyedStateSnapshot>): void {
    for (const [name, snapshot] of snapshots) this.states.get(name)?.restore(snapshot);
  }

  private named<State extends NamedState>(name: string, state: State): State {
    if (this.states.has(name)) throw new Error(`node ${this.node} has two states named ${name}`);
    this.states.set(name, state);
    return state;
  }
}

/** A state that the operator keeps itself. */
function stateOfOwn(state: OwnState): NamedState {
  return {
    get size() {
      return state.size;
    },
    evicted: 0,
    entryOfWritten: (key) => state.entry(key),
    expire() {},
    snapshot: () => ({ ...state.snapshot(), evicted: 0 }),
    restore: (snapshot) => state.restore(snapshot),
  };
}
