/** What `aggregate` says to wrong options, early results, the global window, zones, bounds. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineSchema, field } from '../../runtime/stream/index.ts';
import {
  at,
  BindProblems,
  bindOperator,
  expectSameForAnyCut,
  operatorRun,
  stepsOf,
  watermark,
} from '../../runtime/testing/operator-harness.ts';
import { aggregate } from './aggregate.ts';

const schema = defineSchema({
  hospital: field.string({ nullable: true }),
  ward: field.string(),
  minutes: field.int(),
  name: field.string({ privacy: 'direct' }),
  window_end: field.timestamp(),
});
const base = { from: 'in', key: 'hospital', window: { tumbling: '1m' }, values: { n: 'count()' } };
const patient = { hospital: 'H1', ward: 'ED', minutes: 1, name: 'Nguyễn Văn Thử' };

function problemsOf(options: object): string[] {
  try {
    bindOperator({ definition: aggregate, options: { ...base, ...options }, schema });
  } catch (error) {
    if (error instanceof BindProblems)
      return error.problems.map(({ path, message }) => `${[path].flat().join('.')}: ${message}`);
    throw error;
  }
  return [];
}

function runOf(options: object) {
  return operatorRun({ definition: aggregate, options: { ...base, ...options }, schema });
}

describe('bind', () => {
  it.each([
    [{ key: 'hospitl' }, 'key.0: "hospitl" is not a field'],
    [{ key: ['hospital', 'wrd'] }, 'key.1: "wrd" is not a field'],
    [{ key: ['hospital', 'ward', 'hospital'] }, 'key.2: "hospital" stands there twice'],
    [{ key: ['window_end'] }, 'key.0: "window_end" is a field that every result has'],
    [{ values: { hospital: 'count()' } }, 'values.hospital: "hospital" is a field of the key'],
    [{ values: { window_end: 'count()' } }, 'values.window_end: "window_end" is a field that every result has'],
    [{ values: { n: 'sum(ward)' } }, 'values.n: '],
    [{ values: { n: 'minutes' } }, 'values.n: '],
    [{ window: { sliding: '1m', every: '2m' } }, 'window.every: the step is longer than the window'],
    [{ window: { tumbling: '1m', offset: '0.5ms' } }, 'window.offset: windows begin at a whole ms'],
    [
      { window: { sliding: '30d', every: '1s' } },
      'window.every: a window would have 2592000 panes, more than 86400 (panesPerWindowMax)',
    ],
    [{ window: { tumbling: '0s' } }, 'window.tumbling: a window is at least 1ms'],
    [{ window: { tumbling: '1m', early: '0s' } }, 'window.early: early results need a time of at least 1ms'],
    [{ window: { session: '0s' } }, 'window.session: a gap is at least 1ms'],
    [{ window: { tumbling: '1m', zone: 'Asia/Ho_Chi_Minh' } }, 'window.zone: a zone says when days begin'],
    [{ window: { tumbling: '1d', zone: 'Asia/Saigong' } }, 'window.zone: "Asia/Saigong" is not a time zone'],
    [{ window: { tumbling: '1d', zone: 'Europe/Paris' } }, 'window.zone: Europe/Paris changes its clocks'],
  ])('%j: %s', (options, expected) => {
    expect(problemsOf(options)).toEqual([expect.stringContaining(expected)]);
  });

  it.each([
    [{ window: { global: true } }],
    [{ window: { tumbling: '1m', every: '1m' } }],
    [{ window: { tumbling: 'a minute' } }],
    [{ values: {} }],
    [{ values: { 'N ': 'count()' } }],
  ])('refuses %j', (options) => {
    expect(aggregate.options.safeParse({ ...base, ...options }).success).toBe(false);
  });

  it('gives the key, the window, the values and which word on it this is', () => {
    const values = { n: 'count()', m: 'mean(minutes)', most: 'max(minutes, ward == "ED")', who: 'last(name)' };
    const { bound } = bindOperator({
      definition: aggregate,
      options: { ...base, key: ['hospital', 'ward'], values },
      schema,
    });
    const fields = bound.ports.out?.fields ?? {};
    expect(Object.keys(fields)).toEqual([
      'hospital',
      'ward',
      'window_start',
      'window_end',
      'n',
      'm',
      'most',
      'who',
      'revision',
      'early',
    ]);
    expect(fields.hospital).toEqual(schema.fields.hospital);
    expect(fields.n).toEqual({ type: { kind: 'int' } });
    expect(fields.most).toEqual({ type: { kind: 'int' }, nullable: true });
    expect(fields.who?.privacy).toBe('direct');
    expect(bound.key).toEqual(['hospital', 'ward']);
  });
});

describe('keys', () => {
  it('may be null, or of several fields', () => {
    const result = runOf({ key: ['hospital', 'ward'] })([
      at(0, { ...patient, hospital: null }),
      at(1, { ...patient, hospital: 'a', ward: 'b' }),
      at(2, { ...patient, hospital: 'as1:b', ward: '' }),
      at(3, { ...patient, hospital: null }),
    ]);
    expect(result.events().map(({ hospital, ward, n }) => [hospital, ward, n])).toEqual([
      [null, 'ED', 2],
      ['a', 'b', 1],
      ['as1:b', '', 1],
    ]);
  });

  it('beyond the bound are dead, and have room again once windows are done', () => {
    const result = runOf({ keys: 1, key: 'ward' })([
      at(0, patient),
      at(1, { ...patient, ward: 'ICU' }),
      watermark(60_000),
      at(60_001, { ...patient, ward: 'ICU' }),
    ]);
    expect(result.events('dead')).toEqual([
      {
        ...patient,
        ward: 'ICU',
        code: 'MACH1800',
        reason: 'there is no room for one more key: 1 keys are held already',
      },
    ]);
    expect(result.events().map(({ ward }) => ward)).toEqual(['ED', 'ICU']);
    expect(result.accounting.dead_lettered).toBe(1);
  });
});

describe('zone', () => {
  it('begins days at local midnight', () => {
    const result = runOf({ window: { tumbling: '1d', zone: 'Asia/Ho_Chi_Minh' } })([
      at(Date.parse('2026-03-02T23:59:59+07:00'), patient),
      at(Date.parse('2026-03-03T00:00:00+07:00'), patient),
    ]);
    expect(result.events().map(({ window_start: start }) => start)).toEqual([
      Date.parse('2026-03-02T00:00:00+07:00'),
      Date.parse('2026-03-03T00:00:00+07:00'),
    ]);
  });
});

describe('early results', () => {
  it('come of open windows that have changed, at whole steps of event time', () => {
    const result = runOf({ window: { tumbling: '1m', early: '10s' } })([
      at(1_000, patient),
      watermark(9_000),
      watermark(12_000),
      watermark(25_000),
      at(26_000, patient),
      watermark(31_000),
      watermark(60_000),
    ]);
    const row = { hospital: 'H1', window_start: 0, window_end: 60_000, revision: 0 };
    expect(result.ports.out).toEqual([
      { event: { ...row, n: 1, early: true }, time: 10_000 },
      { event: { ...row, n: 2, early: true }, time: 30_000 },
      { event: { ...row, n: 2, early: false }, time: 59_999 },
    ]);
  });

  it('come of each sliding window that holds the change', () => {
    const result = runOf({ window: { sliding: '30s', every: '10s', early: '5s' } })(
      [at(1_000, patient), watermark(5_000), at(11_000, patient), watermark(15_000)],
      { finish: false },
    );
    expect(result.events().map(({ window_end: end, n, early }) => [end, n, early])).toEqual([
      [10_000, 1, true],
      [20_000, 1, true],
      [30_000, 1, true],
      [10_000, 1, false],
      [20_000, 2, true],
      [30_000, 2, true],
      [40_000, 1, true],
    ]);
  });

  const event = fc.record({
    hospital: fc.constantFrom('H1', 'H2', null),
    ward: fc.constantFrom('ED', 'ICU'),
    minutes: fc.nat({ max: 9 }),
    name: fc.constant('Nguyễn Văn Thử'),
  });
  const values = { n: 'count()', q: 'quantile(minutes, 0.5)', d: 'approx_distinct(minutes)', m: 'mean(minutes)' };

  it.each([
    { tumbling: '1m', early: '20s', lateness: '30s' },
    { sliding: '1m', every: '15s', early: '20s', lateness: '30s' },
    { session: '20s', early: '20s', lateness: '30s' },
    { global: true, early: '30s' },
  ])('and all else are the same for any cut and crash: %j', (window) => {
    expectSameForAnyCut(runOf({ window, values }), stepsOf(event, { stepMs: 20_000, disorderMs: 40_000 }));
  });

  it.each([
    { tumbling: '1m', lateness: '30s' },
    { sliding: '1m', every: '15s', lateness: '30s' },
    { session: '20s', lateness: '30s' },
  ])('change nothing about the final ones: %j', (window) => {
    fc.assert(
      fc.property(stepsOf(event, { stepMs: 20_000, disorderMs: 40_000 }), (steps) => {
        const finals = runOf({ window: { ...window, early: '7s' }, values })(steps).events();
        expect(finals.filter(({ early }) => early === false)).toEqual(runOf({ window, values })(steps).events());
      }),
      { numRuns: 100 },
    );
  });
});

describe('global window', () => {
  it('tells the totals so far of the keys that changed, and all at the end', () => {
    const result = runOf({ window: { global: true, early: '1m' } })([
      at(5_000, patient),
      at(1_000, { ...patient, hospital: 'H2' }),
      watermark(61_000),
      at(70_000, patient),
      watermark(119_000),
      watermark(121_000),
      at(90_000, patient),
    ]);
    expect(
      result.ports.out?.map(({ event, time }) => [
        event.hospital,
        event.window_start,
        event.window_end,
        event.n,
        event.early,
        time,
      ]),
    ).toEqual([
      ['H1', 5_000, 60_000, 1, true, 60_000],
      ['H2', 1_000, 60_000, 1, true, 60_000],
      ['H1', 5_000, 120_000, 2, true, 120_000],
      ['H2', 1_000, 1_001, 1, false, 121_000],
      ['H1', 5_000, 90_001, 3, false, 121_000],
    ]);
  });
});

describe('time far away', () => {
  it('is passed over without a step for every window', () => {
    const result = runOf({ window: { sliding: '10m', every: '1s' } })([
      at(0, patient),
      at(Date.parse('2126-01-01T00:00:00Z'), patient),
    ]);
    expect(result.events()).toHaveLength(1_200);
  });
});
