/** The best of each window, against all keys of each window. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineSchema, type Event, field } from '../../runtime/stream/index.ts';
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

const schema = defineSchema({ ward: field.string(), minutes: field.int(), cost: field.float() });
const values = { n: 'count()', total: 'sum(minutes)', kinds: 'distinct(minutes)' };
const options = { from: 'in', key: 'ward', window: { sliding: '1m', every: '10s' }, values };
const runOf = (extra: object) => operatorRun({ definition: aggregate, options: { ...options, ...extra }, schema });
const event = fc.record({
  ward: fc.constantFrom('A', 'B', 'C', 'D', 'E'),
  minutes: fc.integer({ min: -3, max: 3 }),
  cost: fc.constant(0),
});
const steps = stepsOf(event, { stepMs: 20_000, disorderMs: 40_000 });

/** Of the rows of each window those with the best values, and all that equal the last. */
function bestOf(rows: readonly Event[], by: string, { count, sign }: { count: number; sign: 1 | -1 }): Event[] {
  const ends = [...new Set(rows.map(({ window_end: end }) => end))];
  return ends.flatMap((end) => {
    const mine = rows.filter((row) => row.window_end === end);
    const better = (a: Event, b: Event) => sign * (Number(b[by]) - Number(a[by]));
    const sorted = [...mine].sort(better);
    const last = sorted[Math.min(count, sorted.length) - 1] as Event;
    return sorted.filter((row) => better(row, last) <= 0);
  });
}

describe.each([
  { window: { sliding: '1m', every: '10s' }, by: 'n', rows: 1 },
  { window: { sliding: '50s', every: '20s', offset: '3s' }, by: 'total', rows: 2 },
  { window: { tumbling: '30s' }, by: 'kinds', rows: 3 },
])('the best $rows by $by of $window', ({ window, by, rows: count }) => {
  it.each(['desc', 'asc'] as const)('are those of all keys, %s', (order) => {
    const all = runOf({ window });
    const best = runOf({ window, best: { by, rows: count, order } });
    fc.assert(
      fc.property(steps, (list) => {
        const result = best(list);
        const expected = all(list);
        const sign = order === 'desc' ? 1 : -1;
        const text = (rows: readonly Event[]) => rows.map((row) => JSON.stringify(row)).sort();
        expect(text(result.events())).toEqual(text(bestOf(expected.events(), by, { count, sign })));
        const scores = result.events().map((row) => [row.window_end, sign * -Number(row[by])] as [number, number]);
        expect(scores).toEqual([...scores].sort((a, b) => a[0] - b[0] || a[1] - b[1]));
        expect(result.events('late')).toEqual(expected.events('late'));
      }),
      { numRuns: 200 },
    );
  });

  it('do not depend on cuts and crashes', () =>
    expectSameForAnyCut(runOf({ window, best: { by, rows: count } }), steps));
});

describe('best', () => {
  it('passes over times without events in one step, and forgets what no window holds', () => {
    const ward = { ward: 'A', minutes: 1, cost: 0 };
    const result = runOf({ best: { by: 'n' }, keys: 1, window: { sliding: '10s', every: '1s' } })([
      at(0, ward),
      watermark(60_000),
      at(Date.parse('2126-01-01T00:00:00Z'), { ...ward, ward: 'B' }),
    ]);
    expect(result.events()).toHaveLength(20);
    expect(result.accounting.dead_lettered).toBe(0);
  });

  it.each([
    [{ best: { by: 'm' } }, 'there is no value "m"'],
    [{ best: { by: 'n' }, key: undefined }, 'without a key every window has one row'],
    [{ best: { by: 'n' }, window: { session: '1m' } }, 'only windows of one size have a best'],
    [{ best: { by: 'n' }, window: { tumbling: '1m', lateness: '1m' } }, 'its windows are given once'],
    [
      { best: { by: 'n' }, values: { n: 'count()', most: 'max(minutes)' } },
      'max cannot be taken out of a window again',
    ],
    [{ best: { by: 'n' }, values: { n: 'sum(cost)' } }, 'sum cannot be taken out of a window again'],
  ])('says what is wrong with %j', (extra, message) => {
    const bind = () => bindOperator({ definition: aggregate, options: { ...options, ...extra }, schema });
    expect(bind).toThrow(BindProblems);
    expect(bind).toThrow(message);
  });
});
