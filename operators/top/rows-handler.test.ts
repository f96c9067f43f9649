/** Rankings kept as rows of numbers beside the same kept as objects: neither what comes out nor what a checkpoint holds tells which it was. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineSchema, field } from '../../runtime/stream/index.ts';
import {
  bindOperator,
  expectSameForAnyCut,
  operatorRun,
  type Step,
  stepsOf,
} from '../../runtime/testing/operator-harness.ts';
import { restartedRun } from '../../runtime/testing/restarted-run.ts';
import { topLimits } from './limits.ts';
import { top } from './top.ts';

const schema = defineSchema({
  city: field.string(),
  ward: field.int(),
  load: field.float({ nullable: true }),
  note: field.json({ nullable: true }),
});
const whole = fc.integer({ min: 0, max: 9 });
const odd = fc.constantFrom(null, -0, Number.POSITIVE_INFINITY);
const stepsWith = (load: fc.Arbitrary<number | null>) =>
  stepsOf(
    fc.record({
      city: fc.constantFrom('Q1', 'Q7'),
      ward: fc.integer({ min: 1, max: 2 }),
      load,
      note: fc.constantFrom(null, 'a', [1]),
    }),
    { stepMs: 20_000, disorderMs: 40_000 },
  );
/** Where there is NaN, which is neither more nor less than anything, the order hangs on all that is compared. */
const steps = stepsWith(fc.oneof(whole, odd, fc.constant(Number.NaN)));
const ordered = stepsWith(fc.oneof(whole, odd));
/** Nothing of these steps is so old; what could be forgotten is kept as objects. */
const asObjects = { forget: '3650d' };

function optionsOf(extra: object) {
  return { from: 'in', by: 'load', key: 'city', every: '10s', ...extra };
}

const bind = (extra: object) => bindOperator({ definition: top, options: optionsOf(extra), schema }).bound;

describe.each([
  { rows: 1 },
  { rows: 3, order: 'asc' },
  { rows: topLimits.roomyRowsMax, key: ['city', 'ward'] },
  { rows: 2, key: undefined },
  { rows: 2, by: 'load * 2 + ward' },
])('rankings as rows of numbers, %j', (options) => {
  it('are taken from columns', () => {
    expect(bind(options).readsColumns).toBe(true);
    expect(bind({ ...options, ...asObjects }).readsColumns).toBeFalsy();
  });

  it('are what they are as objects, before and after a restart as either', () => {
    const [rows, objects] = [bind(options), bind({ ...options, ...asObjects })];
    fc.assert(
      fc.property(steps, steps, (before, after) => {
        expect(restartedRun([rows, before])).toEqual(restartedRun([objects, before]));
        const expected = restartedRun([objects, before], [objects, after]);
        expect(restartedRun([rows, before], [rows, after])).toEqual(expected);
        expect(restartedRun([rows, before], [objects, after])).toEqual(expected);
        expect(restartedRun([objects, before], [rows, after])).toEqual(expected);
      }),
    );
  });

  it('are the same for any cut and crash', () => {
    expectSameForAnyCut(operatorRun({ definition: top, options: optionsOf(options), schema }), steps);
  });
});

it('show fewer after a restart: as objects they may be given once more, where an event has come that is not shown', () => {
  const many = bind({ rows: topLimits.roomyRowsMax + 1 });
  fc.assert(
    fc.property(ordered, ordered, (before, after) => {
      const given = restartedRun([many, before], [bind({ rows: 2 }), after]);
      const asObjectsGiven = restartedRun([many, before], [bind({ rows: 2, ...asObjects }), after]);
      expect(asObjectsGiven).toEqual(expect.arrayContaining([...given]));
      expect(given.every(({ event: { rank } }) => Number(rank) <= 2)).toBe(true);
    }),
  );
});

it('are forgotten as the same as objects are, where a change begins to forget', () => {
  const few = (list: readonly Step[]) => list.filter(({ kind }, at) => kind === 'watermark' || at % 8 === 0);
  const forgets = { rows: topLimits.roomyRowsMax + 1, forget: '30s' };
  fc.assert(
    fc.property(ordered, ordered, (before, after) => {
      const [first, second] = [few(before), few(after)];
      const rows = restartedRun([bind({ rows: topLimits.roomyRowsMax }), first], [bind(forgets), second]);
      const objects = restartedRun([bind({ rows: topLimits.roomyRowsMax + 1 }), first], [bind(forgets), second]);
      expect(rows).toEqual(objects);
    }),
  );
});

it('are objects where one has to be compared by more than a number, or may be long', () => {
  const texts = defineSchema({ name: field.string() });
  expect(
    bindOperator({ definition: top, options: { from: 'in', by: 'name' }, schema: texts }).bound.readsColumns,
  ).toBeFalsy();
  for (const extra of [
    { ties: 'all' },
    { of: 'city' },
    { rows: topLimits.roomyRowsMax + 1 },
    { then_by: [{ by: 'ward' }] },
  ])
    expect(bind(extra).readsColumns).toBeFalsy();
});
