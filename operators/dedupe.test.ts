import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineSchema, field, type OperatorContext, type Output } from '../runtime/stream/index.ts';
import { KeyedStateMap } from '../runtime/stream/keyed-state.ts';
import { entriesOf } from '../runtime/stream/state-columns.ts';
import {
  at,
  BindProblems,
  bindOperator,
  expectSameForAnyCut,
  operatorRun,
  type Step,
  stepsOf,
  watermark,
} from '../runtime/testing/operator-harness.ts';
import { dedupe } from './dedupe.ts';

const schema = defineSchema({ id: field.string({ nullable: true }), part: field.int({ nullable: true }) });
const event = fc.record({ id: fc.constantFrom('A', 'B', 'C', null), part: fc.constantFrom(1, 2, null) });

/** Everything seen with its newest time, forgotten once that is long enough before the watermark. */
function naive(steps: readonly Step[], by: (one: Record<string, unknown>) => string | null, within: number) {
  const seen = new Map<string, number>();
  const passed: unknown[] = [];
  const repeated: unknown[] = [];
  for (const step of steps) {
    if (step.kind === 'watermark') {
      for (const [identity, time] of seen) if (time + within <= step.time) seen.delete(identity);
      continue;
    }
    const identity = by(step.event);
    if (identity === null) {
      passed.push(step.event);
      continue;
    }
    const last = seen.get(identity);
    const again = last !== undefined && step.time < last + within;
    (again ? repeated : passed).push(step.event);
    seen.set(identity, again ? Math.max(last, step.time) : step.time);
  }
  return { passed, repeated };
}

describe.each([
  { by: 'id', of: (one: Record<string, unknown>) => one.id as string | null },
  {
    by: ['id', 'part'],
    of: (one: Record<string, unknown>) => (one.id === null || one.part === null ? null : `${one.id}/${one.part}`),
  },
])('dedupe by $by', ({ by, of }) => {
  const run = operatorRun({ definition: dedupe, options: { from: 'adt', by, within: '1m' }, schema });

  it('passes and turns away what a plain list does', () => {
    fc.assert(
      fc.property(stepsOf(event, { stepMs: 20_000 }), (steps) => {
        const { passed, repeated } = naive(steps, of, 60_000);
        const result = run(steps);
        expect(result.events()).toEqual(passed);
        expect(result.events('duplicate')).toEqual(repeated);
        expect(result.accounting.in).toBe(passed.length + repeated.length);
      }),
      { numRuns: 300 },
    );
  });

  it('is the same for any cut and crash', () => {
    expectSameForAnyCut(run, stepsOf(event, { stepMs: 20_000 }));
  });
});

describe('dedupe', () => {
  it('remembers for so long after the last time', () => {
    const run = operatorRun({ definition: dedupe, options: { from: 'adt', by: 'id', within: '1m' }, schema });
    const one = { id: 'A', part: null };
    const steps = [
      at(0, one),
      watermark(50_000),
      at(50_000, one),
      watermark(109_999),
      at(109_999, one),
      watermark(169_999),
      at(170_000, one),
    ];
    const result = run(steps);
    expect(result.ports.out?.map(({ time }) => time)).toEqual([0, 170_000]);
  });

  it('takes no number for a text, and null for nothing', () => {
    const json = defineSchema({ id: field.json({ nullable: true }) });
    const run = operatorRun({ definition: dedupe, options: { from: 'adt', by: 'id', within: '1m' }, schema: json });
    const list = [1, '1', null, null, [1], [1]].map((id, time) => at(time, { id }));
    expect(
      run(list)
        .events()
        .map(({ id }) => id),
    ).toEqual([1, '1', null, null, [1]]);
  });

  it('takes no text of any shape for the JSON of something else', () => {
    const json = defineSchema({ id: field.json({ nullable: true }) });
    const run = operatorRun({ definition: dedupe, options: { from: 'adt', by: 'id', within: '1m' }, schema: json });
    const value = fc.oneof(fc.jsonValue(), fc.json(), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(
        // A value, and the text that reads the same.
        value.map((one) => [one, JSON.stringify(one)] as const),
        ([one, text]) => {
          const ids = [one, text, one, text].filter((id) => id !== null);
          const events = run(ids.map((id, time) => at(time, { id }))).events();
          expect(events).toHaveLength(one === null ? 1 : 2);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('tells numbers from each other that JSON does not know, also where its state is cut', () => {
    const floats = defineSchema({ f: field.float({ nullable: true }), part: field.int({ nullable: true }) });
    const options = { from: 'adt', by: ['f', 'part'], within: '1m' };
    const run = operatorRun({ definition: dedupe, options, schema: floats });
    const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1.5];
    const once = run([...odd, null, ...odd].map((f, time) => at(time, { f, part: 1 })));
    expect(once.events().map(({ f }) => f)).toEqual([...odd, null]);

    const { cut } = bindOperator({ definition: dedupe, options, schema: floats }).bound;
    const seen = new KeyedStateMap<number>({ ttlMs: 60_000 });
    const context = { watermark: () => 0, keyedState: () => seen } as unknown as OperatorContext;
    const out = { emit() {}, dropped() {} } as unknown as Output;
    const handler = bindOperator({ definition: dedupe, options, schema: floats }).bound.create?.(context);
    for (const f of odd) handler?.event({ f, part: 1 }, 0, out, 'from');
    const homes = [...entriesOf(seen.snapshot())].map(([key, { value }]) =>
      cut?.home({ state: 'seen', key, value }, 2),
    );
    expect(homes).toEqual(odd.map((f) => [f, 1]));
  });

  it('forgets the oldest identity at its bound', () => {
    const options = { from: 'adt', by: 'id', within: '1h', identities: 2 };
    const run = operatorRun({ definition: dedupe, options, schema });
    const ids = ['A', 'B', 'A', 'C', 'A', 'B'];
    expect(
      run(ids.map((id, time) => at(time, { id, part: null })))
        .events()
        .map(({ id }) => id),
    ).toEqual(['A', 'B', 'C', 'B']);
  });

  it.each([{ by: 'idd' }, { by: ['id', 'prat'] }])('refuses %j', (wrong) => {
    expect(() =>
      bindOperator({ definition: dedupe, options: { from: 'adt', within: '1m', ...wrong }, schema }),
    ).toThrow(BindProblems);
  });

  it('refuses what is not a duration', () => {
    expect(dedupe.options.safeParse({ from: 'adt', by: 'id', within: '60' }).success).toBe(false);
    expect(dedupe.options.safeParse({ from: 'adt', by: [], within: '1m' }).success).toBe(false);
  });

  it('goes on with the identities of version 1', () => {
    // Of A and B, A again, and B late, when it was due to be forgotten.
    const came = [
      ['A', 100_000, 50_000],
      ['B', 10_000, 50_000],
      ['A', 90_000, 60_000],
      ['B', 8_000, 80_000],
    ] as const;
    const version1 = new Map([
      ['A', { value: { time: 100_000, watermark: 60_000 }, time: 100_000 }],
      ['B', { value: { time: 8_000, watermark: 80_000 }, time: 10_000 }],
    ]);
    const [migration] = dedupe.state?.migrations ?? [];
    const change = { before: {}, after: {} };
    const migrated = migration?.migrate({ states: new Map([['seen', version1]]), timers: [] }, change);

    let now = 0;
    const seen = new KeyedStateMap<number>({ ttlMs: 60_000 });
    const context = { watermark: () => now, keyedState: () => seen } as unknown as OperatorContext;
    const out = { emit() {}, dropped() {} } as unknown as Output;
    const handler = bindOperator({
      definition: dedupe,
      options: { from: 'adt', by: 'id', within: '1m' },
      schema,
    }).bound.create?.(context);
    for (const [id, time, watermark] of came) {
      now = watermark;
      handler?.event({ id, part: null }, time, out, 'from');
    }
    expect([...(migrated?.states.get('seen') ?? [])]).toEqual([...entriesOf(seen.snapshot())]);
  });
});
