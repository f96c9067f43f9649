/** What decides between equals, rankings that show all of them, and rankings that are forgotten. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineSchema, type Event, field } from '../../runtime/stream/index.ts';
import { expectKeysApart } from '../../runtime/testing/keys-apart.ts';
import {
  at,
  bindOperator,
  expectSameForAnyCut,
  operatorRun,
  type Step,
  stepsOf,
  watermark,
} from '../../runtime/testing/operator-harness.ts';
import { restartedRun } from '../../runtime/testing/restarted-run.ts';
import { topLimits } from './limits.ts';
import { top } from './top.ts';

const schema = defineSchema({
  city: field.string(),
  unit: field.string(),
  load: field.int(),
  age: field.int({ nullable: true }),
});
const event = fc.record({
  city: fc.constantFrom('Q1', 'Q7'),
  unit: fc.constantFrom('A', 'B', 'C'),
  load: fc.integer({ min: 0, max: 3 }),
  age: fc.option(fc.integer({ min: 0, max: 2 })),
});
const steps = stepsOf(event, { stepMs: 20_000, disorderMs: 40_000 });
const options = { from: 'in', by: 'load', key: 'city', every: '1s' };
const runOf = (extra: object) => operatorRun({ definition: top, options: { ...options, ...extra }, schema });

const eventsOf = (list: readonly Step[]) => list.flatMap((step) => (step.kind === 'event' ? [step.event] : []));

/** The rows of each city that were given last. */
function lastOf(rows: readonly Event[], city: string): Event[] {
  const mine = rows.filter((row) => row.city === city);
  const last = mine.at(-1)?.ranked_at;
  // Several may be given at the end, at one time: the last begins with the best.
  const of = mine.filter(({ ranked_at: at }) => at === last);
  return of.slice(of.findLastIndex(({ rank }, index) => rank === 1 && (index === 0 || of[index - 1]?.rank !== 1)));
}

const shown = ({ rank, unit, load, age }: Event) => [rank, unit, load, age];

describe('then_by', () => {
  const thenBy = { then_by: [{ by: 'age', order: 'asc' }, { by: 'unit' }] };

  it.each([{ order: 'desc' }, { order: 'asc' }])('sorts equals as sorting everything does, %j', ({ order }) => {
    const run = runOf({ ...thenBy, rows: 4, order });
    const sign = order === 'asc' ? 1 : -1;
    const ageOf = ({ age }: Event) => (age === null ? Number.POSITIVE_INFINITY : Number(age));
    fc.assert(
      fc.property(steps, (list) => {
        for (const city of ['Q1', 'Q7']) {
          const expected = eventsOf(list)
            .filter((one) => one.city === city)
            .sort(
              (a, b) =>
                sign * (Number(a.load) - Number(b.load)) ||
                (ageOf(a) === ageOf(b) ? 0 : ageOf(a) - ageOf(b)) ||
                (String(a.unit) < String(b.unit) ? 1 : String(a.unit) > String(b.unit) ? -1 : 0),
            )
            .slice(0, 4)
            .map((one, index) => shown({ ...one, rank: index + 1 }));
          expect(lastOf(run(list).events(), city).map(shown)).toEqual(expected);
        }
      }),
    );
  });

  it('does not depend on cuts and crashes', () => expectSameForAnyCut(runOf({ ...thenBy, rows: 3 }), steps));
  it('does not depend on cuts and crashes with things', () =>
    expectSameForAnyCut(runOf({ ...thenBy, rows: 2, of: 'unit' }), steps));

  it('refuses what cannot be compared', () => {
    const bind = () =>
      bindOperator({ definition: top, options: { ...options, then_by: [{ by: 'load > 1' }] }, schema });
    expect(bind).toThrow('a bool cannot be ranked');
  });
});

describe('ties', () => {
  const all = { ties: 'all', rows: 2, every: '1s' };

  it.each([{}, { of: 'unit' }])('shows everything that equals the last one shown: %j', (extra) => {
    const run = runOf({ ...all, ...extra, window: { tumbling: '1000h' } });
    fc.assert(
      fc.property(steps, (list) => {
        const rows = run(list).events();
        for (const city of ['Q1', 'Q7']) {
          let mine = list.flatMap((step) => (step.kind === 'event' && step.event.city === city ? [step] : []));
          if ('of' in extra) {
            const newest = new Map<unknown, (typeof mine)[number]>();
            for (const one of mine) {
              const before = newest.get(one.event.unit);
              if (!before || before.time <= one.time) newest.set(one.event.unit, one);
            }
            mine = [...newest.values()];
          }
          const rankOf = ({ load }: Event) => 1 + mine.filter((one) => Number(one.event.load) > Number(load)).length;
          const expected = mine
            .map((one) => ({ ...one.event, rank: rankOf(one.event) }))
            .filter(({ rank }) => rank <= 2);
          const text = (list: readonly Event[]) => list.map((row) => JSON.stringify(shown(row))).sort();
          expect(text(rows.filter((row) => row.city === city))).toEqual(text(expected));
        }
      }),
    );
  });

  it('does not depend on cuts and crashes', () => expectSameForAnyCut(runOf(all), steps));

  it('are bounded', () => {
    const { thingsMax } = topLimits;
    const unit = { city: 'Q1', unit: 'A', load: 1, age: null };
    const many = Array.from({ length: thingsMax + 1 }, () => at(0, unit));
    const result = runOf({ ...all, rows: 1 })([...many, at(0, { ...unit, load: 0 }), at(0, { ...unit, load: 2 })]);
    expect(result.events('dead')).toMatchObject([{ ...unit, code: 'MACH1803' }]);
    expect(result.events()).toMatchObject([{ rank: 1, load: 2 }]);
  });
});

describe('rankings that are forgotten', () => {
  const forgetful = { rows: 2, every: '10s', forget: '1m' };

  it('begin anew', () => {
    const unit = { city: 'Q1', unit: 'A', age: null };
    const result = runOf(forgetful)([
      at(0, { ...unit, load: 9 }),
      watermark(20_000),
      watermark(90_000),
      at(90_000, { ...unit, load: 1 }),
      at(20_000, { ...unit, load: 2 }),
      watermark(120_000),
    ]);
    expect(result.events().map(({ rank, load }) => [rank, load])).toEqual([
      [1, 9],
      [1, 1],
    ]);
    expect(result.accounting).toMatchObject({ delivered: 2, late: 1 });
  });

  it('do not depend on cuts and crashes', () => expectSameForAnyCut(runOf(forgetful), steps));

  it.each([
    { every: '30s', forget: '30s' },
    { every: '20s', forget: '25s', of: 'unit' },
  ])('have nothing to do with each other: %j', (extra) => expectKeysApart(runOf({ rows: 2, ...extra }), steps, 'city'));

  it('lose their things in time, also where they were not forgotten before a restart', () => {
    const bind = (forget: object) => {
      const asked = { ...options, of: 'unit', every: '10s', ...forget };
      return bindOperator({ definition: top, options: asked, schema }).bound;
    };
    const unit = { city: 'Q1', load: 1, age: null };
    const before = [at(0, { ...unit, unit: 'A' }), at(90_000, { ...unit, unit: 'B' }), watermark(100_000)];
    const after = [watermark(105_000), watermark(110_000)];
    const given = restartedRun([bind({}), before], [bind({ forget: '1m' }), after]);
    expect(given.map(({ event: row, time }) => [row.unit, time])).toEqual([['B', 110_000]]);
  });
});
