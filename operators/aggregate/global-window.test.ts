/** The global window: results with every change, keys that are forgotten, and totals of which only the newest event of a thing counts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineSchema, type Event, field } from '../../runtime/stream/index.ts';
import { expectKeysApart } from '../../runtime/testing/keys-apart.ts';
import {
  at,
  BindProblems,
  bindOperator,
  expectSameForAnyCut,
  operatorRun,
  type Step,
  stepsOf,
  watermark,
} from '../../runtime/testing/operator-harness.ts';
import { restartedRun } from '../../runtime/testing/restarted-run.ts';
import { aggregate } from './aggregate.ts';

const schema = defineSchema({
  ward: field.string(),
  bed: field.string(),
  minutes: field.int({ nullable: true }),
  cost: field.float(),
});
const options = { from: 'in', key: 'ward', window: { global: true, early: 'change' }, values: { n: 'count()' } };
const runOf = (extra: object) => operatorRun({ definition: aggregate, options: { ...options, ...extra }, schema });
const event = fc.record({
  ward: fc.constantFrom('ED', 'ICU'),
  bed: fc.constantFrom('1', '2', '3', '4'),
  minutes: fc.option(fc.integer({ min: 0, max: 9 })),
  cost: fc.integer({ min: 0, max: 9 }).map((value) => value / 10),
});
const disorder = { stepMs: 20_000, disorderMs: 40_000 };
const steps = stepsOf(event, disorder);
const values = {
  n: 'count()',
  long: 'count(minutes > 5)',
  total: 'sum(minutes)',
  cost: 'sum(cost)',
  mean: 'mean(minutes)',
  least: 'min(minutes)',
  most: 'max(minutes)',
  middle: 'quantile(minutes, 0.5)',
  kinds: 'distinct(minutes, cost > 0.3)',
};

interface Seen {
  readonly event: Event;
  readonly time: number;
}

/** The values over a list of events, each computed on its own. */
function naive(list: readonly Seen[]): Event {
  const present = list.flatMap(({ event: { minutes } }) => (minutes === null ? [] : [Number(minutes)]));
  const sorted = [...present].sort((a, b) => a - b);
  const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
  return {
    n: list.length,
    long: present.filter((minutes) => minutes > 5).length,
    total: sum(present),
    cost: sum(list.map(({ event: { cost } }) => Number(cost))),
    mean: present.length === 0 ? null : sum(present) / present.length,
    least: sorted[0] ?? null,
    most: sorted.at(-1) ?? null,
    middle: sorted[Math.floor((sorted.length - 1) / 2)] ?? null,
    kinds: new Set(list.flatMap(({ event: { cost, minutes } }) => (Number(cost) > 0.3 ? [minutes] : []))).size,
  };
}

function expectAbout(given: Event | undefined, expected: Event): void {
  for (const [name, value] of Object.entries(expected)) {
    if (value === null) expect(given?.[name], name).toBeNull();
    else
      expect(Math.abs(Number(given?.[name]) - Number(value)), name).toBeLessThanOrEqual(Number(value) * 0.011 + 1e-9);
  }
}

function eventsOf(list: readonly Step[]): Seen[] {
  return list.flatMap((step) => (step.kind === 'event' ? [step] : []));
}

/** Null never counts as a value, so that `kinds` of the naive reading must leave it out as well. */
const withoutNull = (list: readonly Seen[]) => list.filter(({ event: { minutes } }) => minutes !== null);

describe('with every change', () => {
  it('tells what a plain reading of all events so far tells, once for each change', () => {
    const run = runOf({ values });
    fc.assert(
      fc.property(steps, (list) => {
        const rows = run(list).events();
        const newest = new Map(rows.map((row) => [row.ward, row]));
        for (const ward of ['ED', 'ICU']) {
          const seen = eventsOf(list).filter((one) => one.event.ward === ward);
          if (seen.length === 0) expect(newest.has(ward)).toBe(false);
          else expectAbout(newest.get(ward), { ...naive(seen), kinds: naive(withoutNull(seen)).kinds });
        }
      }),
    );
  });

  it('is silent where nothing changes, and its times never go back', () => {
    const run = runOf({ values: { most: 'max(minutes)' } });
    const bed = { ward: 'ED', bed: '1', cost: 0 };
    const result = run([
      at(5_000, { ...bed, minutes: 3 }),
      at(6_000, { ...bed, minutes: 2 }),
      at(4_000, { ...bed, minutes: 4 }),
    ]);
    expect(result.ports.out?.map(({ event: { most }, time }) => [most, time])).toEqual([
      [3, 5_000],
      [4, 6_000],
    ]);
    expect(result.accounting.delivered).toBe(3);
  });

  it('does not depend on cuts and crashes', () => expectSameForAnyCut(runOf({ values }), steps));

  it('is silent where a list is the same, whether it was made once or again', () => {
    const lists = defineSchema({ ward: field.string(), tags: field.list({ kind: 'string' }) });
    const tags = ['red'];
    const list = [tags, tags, ['red'], ['blue']].map((of, at_) => at(at_, { ward: 'ED', tags: of }));
    const run = operatorRun({
      definition: aggregate,
      options: { ...options, values: { tags: 'last(tags)' } },
      schema: lists,
    });
    for (const schedule of [{}, { cuts: [1], crashesAfter: [0] }])
      expect(run(list, schedule).events()).toMatchObject([{ tags: ['red'] }, { tags: ['blue'] }]);
  });
});

describe('of things', () => {
  const ofBeds = { of: 'bed', values };

  /** The newest event of each bed, of equal times the one that came later. */
  function newestOf(list: readonly Seen[], ward: string): Seen[] {
    const newest = new Map<unknown, Seen>();
    for (const one of list) {
      if (one.event.ward !== ward) continue;
      const before = newest.get(one.event.bed);
      if (!before || before.time <= one.time) newest.set(one.event.bed, one);
    }
    return [...newest.values()];
  }

  it.each([{ early: 'change' }, { early: '30s' }])('only the newest event of each counts: %j', ({ early }) => {
    const run = runOf({ ...ofBeds, window: { global: true, early } });
    fc.assert(
      fc.property(steps, (list) => {
        const newest = new Map(
          run(list)
            .events()
            .map((row) => [row.ward, row]),
        );
        for (const ward of ['ED', 'ICU']) {
          const seen = newestOf(eventsOf(list), ward);
          if (seen.length === 0) expect(newest.has(ward)).toBe(false);
          else expectAbout(newest.get(ward), { ...naive(seen), kinds: naive(withoutNull(seen)).kinds });
        }
      }),
    );
  });

  it('what is older than what is known of a thing is dropped', () => {
    const bed = { ward: 'ED', bed: '1', cost: 0 };
    const result = runOf(ofBeds)([at(5_000, { ...bed, minutes: 3 }), at(4_000, { ...bed, minutes: 7 })]);
    expect(result.accounting.dropped_by_reason).toEqual({ outdated: 1 });
    expect(result.events()).toMatchObject([{ n: 1, total: 3 }]);
  });

  it.each([{ early: 'change' }, { early: '30s' }])('does not depend on cuts and crashes: %j', ({ early }) =>
    expectSameForAnyCut(runOf({ ...ofBeds, window: { global: true, early } }), steps),
  );

  it('of equal times the first and the last are those that came so, whichever thing was known before', () => {
    const run = runOf({ of: 'bed', values: { first: 'first(minutes)', last: 'last(minutes)' } });
    const bed = { ward: 'ED', bed: '1', cost: 0 };
    const list = [
      at(0, { ...bed, minutes: 1 }),
      at(0, { ...bed, bed: '2', minutes: 2 }),
      at(0, { ...bed, minutes: 3 }),
    ];
    expect(run(list).events().at(-1)).toMatchObject({ first: 2, last: 3 });
  });

  it('is refused with a window of time', () => {
    const bind = () =>
      bindOperator({ definition: aggregate, options: { ...options, of: 'bed', window: { tumbling: '1m' } }, schema });
    expect(bind).toThrow(BindProblems);
    expect(bind).toThrow('what counts in a window is what happened in it');
  });
});

describe('keys that are forgotten', () => {
  const forgetful = { window: { global: true, early: '10s', forget: '1m' } };
  const bed = { ward: 'ED', bed: '1', cost: 0, minutes: 1 };

  it('begin anew, and what comes after they were forgotten is late', () => {
    const result = runOf(forgetful)([
      at(0, bed),
      watermark(30_000),
      at(30_000, bed),
      watermark(120_000),
      at(59_000, bed),
      at(121_000, bed),
      watermark(200_000),
    ]);
    expect(result.events().map(({ n, window_start: start }) => [n, start])).toEqual([
      [1, 0],
      [2, 0],
      [1, 121_000],
    ]);
    expect(result.accounting).toMatchObject({ late: 1, delivered: 3 });
  });

  it('do not depend on cuts and crashes', () => expectSameForAnyCut(runOf(forgetful), steps));

  const shortly = { window: { global: true, early: '30s', forget: '30s' } };

  it.each([forgetful, shortly])('have nothing to do with each other: %j', (extra) =>
    expectKeysApart(runOf({ ...extra, values }), steps, 'ward'),
  );

  it('are given what was late and is forgotten before the next step, also after a crash', () => {
    const list = [
      watermark(61_000),
      at(32_000, bed),
      watermark(62_000),
      at(33_000, bed),
      watermark(63_000),
      watermark(90_000),
    ];
    for (const schedule of [{}, { cuts: [2, 1, 2], crashesAfter: [0, 1, 2] }])
      expect(
        runOf(shortly)(list, schedule).ports.out?.map(({ event: row, time }) => [row.n, row.window_start, time]),
      ).toEqual([
        [1, 32_000, 90_000],
        [1, 33_000, 90_000],
      ]);
  });

  it('have room while they are forgotten and come again', () => {
    const result = runOf({ ...forgetful, keys: 2 })([
      at(100_000, { ...bed, ward: 'ICU' }),
      at(50_000, bed),
      watermark(115_000),
      at(60_000, bed),
    ]);
    expect(result.accounting).toMatchObject({ delivered: 3 });
  });

  it('go on from when none was forgotten with when they were heard of last', () => {
    const bind = (forget: object) => {
      const window = { global: true, early: '10s', ...forget };
      return bindOperator({ definition: aggregate, options: { ...options, window }, schema }).bound;
    };
    const before = [at(0, bed), watermark(50_000), at(100_000, bed), watermark(100_000)];
    const after = [watermark(110_000), at(111_000, bed), watermark(120_000)];
    const given = restartedRun([bind({}), before], [bind({ forget: '1m' }), after]);
    expect(given.map(({ event: row }) => row.n)).toEqual([3]);
  });

  it('are not forgotten before their result is given', () => {
    const window = { global: true, early: '1h', forget: '1m' };
    expect(() => bindOperator({ definition: aggregate, options: { ...options, window }, schema })).toThrow(
      'a key would be forgotten before its result is given',
    );
  });
});

describe('another pace of results', () => {
  const bind = (early: string, extra: object = {}) =>
    bindOperator({ definition: aggregate, options: { ...options, ...extra, window: { global: true, early } }, schema })
      .bound;
  const bed = (minutes: number) => ({ ward: 'ED', bed: '1', minutes, cost: 0 });
  const newest = { of: 'bed', values: { most: 'max(minutes)' } };

  it('gives what waited for its step with the next time, where every change is given from now on', () => {
    const before = [at(1_000, bed(1)), watermark(60_000), at(61_000, bed(2)), watermark(62_000)];
    const given = restartedRun([bind('1m'), before], [bind('change'), [watermark(63_000), watermark(64_000)]]);
    expect(given.map(({ event: row, time }) => [row.n, time])).toEqual([[2, 63_000]]);
  });

  it('says it once, when an event of the key comes first', () => {
    const before = [at(1_000, bed(1)), watermark(2_000)];
    const after = [at(3_000, bed(2)), watermark(4_000)];
    expect(restartedRun([bind('1m'), before], [bind('change'), after]).map(({ event: row }) => row.n)).toEqual([2]);
  });

  it('gives a change back to what was given before results came in steps', () => {
    const changing = bind('change', newest);
    const stepped = bind('10s', newest);
    const given = restartedRun(
      [changing, [at(1_000, bed(5)), watermark(2_000)]],
      [stepped, [at(3_000, bed(7)), watermark(20_000)]],
      [changing, [at(21_000, bed(5)), watermark(22_000)]],
    );
    expect(given.map(({ event: row }) => row.most)).toEqual([5]);
  });
});
