/** What the state of a join hangs on: its keys, and the right fields that it keeps of each event, without their names. */
import {
  type BoundInput,
  type Event,
  fieldNames,
  type NodeState,
  type StateBasis,
  type StateMigration,
} from '../../runtime/stream/index.ts';
import { agree, eventsBasis, fieldsBasis, same } from '../support/state-basis.ts';
import type { Taken } from './fields.ts';
import { isInterval, type JoinOptions } from './options.ts';
import { isLone, type Kept, matched, type Waiting } from './waiting.ts';

const namesOf = (value: string | readonly string[]): readonly string[] => [value].flat();

/** How long a join waits or looks back is decided anew with each event: what was forgotten before stays forgotten. */
export function joinBasis(args: { options: JoinOptions; inputs: Readonly<Record<string, BoundInput>> }): StateBasis {
  const { options, inputs } = args;
  const left = (inputs.left ?? inputs.from)?.schema;
  const right = inputs.right?.schema;
  const { on } = options;
  const sides =
    typeof on === 'object' && 'left' in on
      ? { left: namesOf(on.left), right: namesOf(on.right) }
      : { left: namesOf(on), right: namesOf(on) };
  const taken = options.fields ?? fieldNames(right ?? { fields: {} }).filter((name) => !sides.right.includes(name));
  const waits = isInterval(options);
  return {
    kind: options.table ? 'table' : waits ? 'interval' : 'temporal',
    leftKey: fieldsBasis(sides.left, left),
    rightKey: fieldsBasis(sides.right, right),
    taken: fieldsBasis(taken, right),
    // Left events wait for their partners as a whole.
    left: waits ? eventsBasis(left) : null,
  };
}

type NamedFields = readonly (readonly [string, unknown])[];

/** 2: times of right events that wait in a list of their own; one right event alone as it is. 3: left events in lists, with their place among all. */
export const joinStateVersion = 3;

interface LeftOfVersion2 {
  readonly time: number;
  readonly event: Event;
  readonly matched: boolean;
}

interface WaitingOfVersion2 {
  readonly lefts: readonly LeftOfVersion2[];
  readonly rights: readonly Taken[];
  readonly rightTimes: readonly number[];
  readonly next: number;
  readonly order: number;
}

interface WaitingOfVersion1 extends Pick<WaitingOfVersion2, 'lefts' | 'next'> {
  readonly rights: readonly { readonly time: number; readonly values: Taken }[];
  readonly order?: number;
}

const timesMigration: StateMigration = {
  summary: 'what waits for partners stays as it is, and takes less room',
  from: 1,
  to: 2,
  migrate: (state) =>
    mapValues(state, (name, value) => {
      if (name !== 'waiting') return value;
      const { lefts, rights, next, order = 0 } = value as WaitingOfVersion1;
      const [values, rightTimes] = [rights.map((right) => right.values), rights.map(({ time }) => time)];
      return { lefts, rights: values, rightTimes, next, order } satisfies WaitingOfVersion2;
    }),
};

/** Keys had a place among all, which decided between left events of one time. */
const placesMigration: StateMigration = {
  summary: 'what waits for partners stays as it is, in the order in which it came',
  from: 2,
  to: 3,
  migrate(state) {
    const all = [...(state.states.get('waiting')?.values() ?? [])].map(({ value }) => value);
    const waiting = all.filter((value) => !Array.isArray(value)) as WaitingOfVersion2[];
    const lefts = [...waiting].sort((a, b) => a.order - b.order).flatMap((of) => of.lefts);
    const orders = new Map(lefts.map((left, order) => [left, order]));
    return mapValues(state, (name, value) => {
      if (name !== 'waiting' || Array.isArray(value)) return value;
      const { lefts: own, rights, rightTimes } = value as WaitingOfVersion2;
      return {
        lefts: own.map(({ event }) => event),
        leftTimes: own.map(({ time }) => time),
        leftOrders: own.map((left) => orders.get(left) as number),
        leftMatches: own.map((left) => (left.matched ? matched : 0)),
        rights,
        rightTimes,
      } satisfies Waiting;
    });
  },
};

const takenMigration: StateMigration = {
  summary: 'of the right events that are kept, the fields that are still wanted stay',
  from: 3,
  to: 3,
  basis: (before, after) => {
    const [old, now] = [before.taken, after.taken] as [NamedFields, NamedFields];
    const isKept = now.every((field) => old.some((one) => same(one, field)));
    return isKept && agree(before, after, { except: ['taken'] }) ? after : null;
  },
  migrate(state, { before, after }) {
    const [old, now] = [before.taken, after.taken] as [NamedFields, NamedFields];
    const places = now.map(([name]) => old.findIndex(([one]) => one === name));
    const pick = (values: Taken): Taken => places.map((place) => values[place]);
    return mapValues(state, (name, value) => {
      if (name === 'right')
        return (value as { values: Taken }[]).map((version) => ({ ...version, values: pick(version.values) }));
      const kept = value as Kept;
      return isLone(kept) ? pick(kept) : { ...kept, rights: kept.rights.map(pick) };
    });
  },
};

export const joinMigrations: readonly StateMigration[] = [timesMigration, placesMigration, takenMigration];

function mapValues(state: NodeState, change: (name: string, value: unknown) => unknown): NodeState {
  const states = [...state.states].map(([name, entries]) => {
    const changed = [...entries].map(([key, { value, time }]) => [key, { value: change(name, value), time }] as const);
    return [name, new Map(changed)] as const;
  });
  return { ...state, states: new Map(states) };
}
