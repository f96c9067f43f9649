import type { NodeState } from '../../runtime/stream/index.ts';

/** The state with every value in another form; `name` is that of the keyed state. */
export function mapState(state: NodeState, change: (name: string, value: unknown) => unknown): NodeState {
  const states = [...state.states].map(([name, entries]) => {
    const changed = [...entries].map(([key, { value, time }]) => [key, { value: change(name, value), time }] as const);
    return [name, new Map(changed)] as const;
  });
  return { ...state, states: new Map(states) };
}
