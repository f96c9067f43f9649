/** State that version 1 kept, written down from it, becomes what today's pattern keeps of the same events. */
import { expect, it } from 'vitest';
import {
  defineSchema,
  type Event,
  field,
  type OperatorContext,
  type Output,
  type StateColumns,
  type StateOptions,
} from '../../runtime/stream/index.ts';
import { NodeStates } from '../../runtime/stream/node-states.ts';
import { bindOperator } from '../../runtime/testing/operator-harness.ts';
import { pattern } from './pattern.ts';
import { oneListMigration } from './state.ts';

const schema = defineSchema({ bed: field.string(), pulse: field.int() });
const options = {
  from: 'in',
  key: 'bed',
  within: '3s',
  go_on: 'next_event',
  steps: [
    { name: 'some', times: '1,3', when: 'pulse > 1', totals: { all: 'sum(pulse)' } },
    { name: 'perhaps', times: '?', when: 'pulse > 2' },
    { name: 'even', times: '2,', when: 'pulse % 2 == 0' },
  ],
  values: { all: 'some.all', last: 'even.last.pulse' },
};
const came: readonly (readonly [bed: string, pulse: number, time: number])[] = [
  ...[4, 4, 2, 6, 4, 6, 2, 4, 6].map((pulse, at) => ['B1', pulse, at * 1_000] as const),
  ['B2', 3, 5_200],
  ['B3', 3, 7_500],
];
const watermark = 5_500;

const seen = (from: number, to: number) =>
  came.slice(from, to).map(([bed, pulse, time]) => ({ time, event: { bed, pulse } }));
const thread = (at: number, ...[firsts, lasts, counts, all]: [number[], number[], number[], number]) => ({
  ...{ at, previous: lasts[at], firsts, lasts, counts },
  cells: [[all], null, null],
});

/** Places counted from the first of the rows. */
const runsOfVersion1 = {
  B1: {
    ...{ order: 0, waiting: seen(6, 9), rows: seen(0, 6), from: 3, at: 6, dueAt: 6_001 },
    threads: [
      thread(0, [3, 0, 0], [5, 0, 0], [3, 0, 0], 16),
      thread(1, [3, 5, 0], [4, 5, 0], [2, 1, 0], 10),
      thread(2, [3, 0, 5], [4, 0, 5], [2, 0, 1], 10),
      thread(2, [3, 4, 5], [3, 4, 5], [1, 1, 1], 6),
      thread(2, [3, 0, 4], [3, 0, 5], [1, 0, 2], 6),
    ],
    complete: thread(2, [3, 0, 4], [3, 0, 5], [1, 0, 2], 6),
  },
  B2: {
    ...{ order: 1, waiting: [], rows: seen(9, 10), from: 0, at: 1, complete: null, dueAt: 8_201 },
    threads: [thread(0, [0, 0, 0], [0, 0, 0], [1, 0, 0], 3)],
  },
  B3: { order: 2, waiting: seen(10, 11), rows: [], from: 0, at: 0, threads: [], complete: null, dueAt: 7_501 },
};

/** What a pattern of today keeps of the events once the watermark has come. */
function keptToday(): Map<unknown, unknown> {
  const states = new NodeStates('pattern');
  let now = Number.NEGATIVE_INFINITY;
  const context = {
    watermark: () => now,
    keyedState: (name: string, asked?: StateOptions) => states.keyedState(name, asked),
  } as unknown as OperatorContext;
  const out = { emit() {} } as unknown as Output;
  const handler = bindOperator({ definition: pattern, options, schema }).bound.create?.(context);
  for (const [bed, pulse, time] of came) handler?.event({ bed, pulse } satisfies Event, time, out, 'from');
  now = watermark;
  handler?.watermark?.(watermark, out);
  const { keys, values } = states.snapshot().get('runs') as StateColumns;
  return new Map(keys.map((key, at) => [key, values[at]]));
}

it('goes on with the events and the ways of version 1', () => {
  const runs = new Map(Object.entries(runsOfVersion1).map(([key, value]) => [key, { value, time: 7_000 }] as const));
  const basis = {};
  const migrated = oneListMigration.migrate(
    { states: new Map([['runs', runs]]), timers: [] },
    { before: basis, after: basis },
  );
  const values = [...(migrated.states.get('runs') ?? [])].map(([key, { value }]) => [key, value] as const);
  expect(new Map(values)).toEqual(keptToday());
  expect(migrated.states.get('runs')?.get('B1')?.time).toBe(7_000);
});

it('writes down a key with one event as any other, by its own fields, and goes on with it', () => {
  const two = { ...options, key: ['bed', 'ward'] };
  const wards = defineSchema({ bed: field.string(), ward: field.int(), pulse: field.int() });
  const { bound } = bindOperator({ definition: pattern, options: two, schema: wards });
  const states = [new NodeStates('before'), new NodeStates('after')] as const;
  const [before, after] = states.map((state) => {
    const keyedState = (name: string, asked?: StateOptions) => state.keyedState(name, asked);
    return bound.create?.({ watermark: () => 0, keyedState } as unknown as OperatorContext);
  });
  const out = { emit() {} } as unknown as Output;
  before?.event({ bed: 'B1', ward: 7, pulse: 4 }, 1_000, out, 'from');
  before?.watermark?.(2_000, out);
  const snapshot = states[0].snapshot();
  const { keys, values } = snapshot.get('runs') as StateColumns;
  const key = '\u0000s2:B1n7;';
  expect(keys).toEqual([key]);
  const begun = { at: 0, previous: 0, spans: [0, 0, 1, 0, 0, 0, 0, 0, 0], cells: [[4], null, null] };
  expect(values).toEqual([
    {
      ...{ key, order: 0, events: [{ bed: 'B1', ward: 7, pulse: 4 }], times: [1_000], from: 0, at: 1 },
      ...{ threads: [begun], complete: null, dueAfter: 4_000 },
    },
  ]);
  expect(states[0].entriesOf(key)).toMatchObject([{ state: 'runs', value: { key, threads: [begun] } }]);
  states[1].restore(structuredClone(snapshot));
  after?.resume?.();
  expect(states[1].snapshot()).toEqual(snapshot);
});
