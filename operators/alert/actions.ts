/** What people do about alerts: events that acknowledge, assign or note. */
import { type BoundInput, type Checker, type Event, isAssignable, type StateKey } from '../../runtime/stream/index.ts';
import { equalityKey } from '../support/state-key.ts';
import type { AlertState } from './row.ts';

const states = { acknowledge: 'acknowledged', assign: 'assigned', note: 'noted' } as const;

export interface Action {
  readonly state: AlertState;
  /** Either the alert, or the key of the one that is open. */
  readonly alertId: string | null;
  readonly key: StateKey | null;
  readonly by: string | null;
  readonly to: string | null;
  readonly note: string | null;
}

/** null: the event is no action. */
export type ReadAction = (event: Event) => Action | null;

export function bindActions({ schema, from }: BoundInput, key: readonly string[], check: Checker): ReadAction {
  const text = (name: string, needed: boolean): boolean => {
    const given = schema.fields[name];
    if (!given && needed) check.problem('actions', `"${from}" has no field ${name}`, 'add it with map');
    if (given && !isAssignable(given.type, { kind: 'string' })) {
      check.problem('actions', `field ${name} of "${from}" is a ${given.type.kind}, not a string`);
    }
    return given !== undefined;
  };
  text('action', true);
  for (const name of ['by', 'to', 'note']) text(name, false);
  const hasKey = key.every((name) => Object.hasOwn(schema.fields, name));
  if (!text('alert_id', false) && !hasKey) {
    check.problem(
      'actions',
      `"${from}" has neither alert_id nor ${key.join(', ')}`,
      'an action says which alert it is about',
    );
  }
  const keyOf = hasKey ? equalityKey(key) : () => null;
  const textOf = (event: Event, name: string) => (event[name] as string | null | undefined) ?? null;
  return (event) => {
    const action = textOf(event, 'action') ?? '';
    if (!Object.hasOwn(states, action)) return null;
    const said = { by: textOf(event, 'by'), to: textOf(event, 'to'), note: textOf(event, 'note') };
    const state = states[action as keyof typeof states];
    return { state, alertId: textOf(event, 'alert_id'), key: keyOf(event), ...said };
  };
}
