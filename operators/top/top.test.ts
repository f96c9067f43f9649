import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineSchema, type Event, field } from '../../runtime/stream/index.ts';
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
import { topLimits } from './limits.ts';
import { top } from './top.ts';

const schema = defineSchema({ city: field.string(), unit: field.string(), load: field.int({ nullable: true }) });
const event = fc.record({
  city: fc.constantFrom('Q1', 'Q7'),
  unit: fc.constantFrom('A', 'B', 'C', 'D', 'E'),
  load: fc.option(fc.integer({ min: 0, max: 6 })),
});
const disorder = { stepMs: 20_000, disorderMs: 40_000 };
const runOf = (options: object) =>
  operatorRun({ definition: top, options: { from: 'in', by: 'load', ...options }, schema });

interface Rule {
  readonly rows: number;
  readonly ascending?: boolean;
  readonly things?: boolean;
}

/** The newest event of each thing, or all events; sorted in full. A list is what came, in the order in which it came. */
function ranked(list: readonly { event: Event; time: number }[], { rows, ascending, things }: Rule): Event[] {
  const kept: { event: Event; time: number }[] = [];
  for (const one of list) {
    const known = things ? kept.findIndex((other) => other.event.unit === one.event.unit) : -1;
    if (known < 0) kept.push(one);
    else if ((kept[known]?.time ?? 0) <= one.time) kept[known] = one;
  }
  const sign = ascending ? 1 : -1;
  return kept
    .map((one) => one.event)
    .filter(({ load }) => load !== null)
    .sort((a, b) => sign * (Number(a.load) - Number(b.load)))
    .slice(0, rows);
}

function withRanks(events: readonly Event[], head: Event): Event[] {
  return events.map((one, index) => ({ ...head, rank: index + 1, ...one }));
}

/** Windows that hold all their events, ranked anew at every watermark. */
function naiveWindows(steps: readonly Step[], rule: Rule, { size, lateness }: { size: number; lateness: number }) {
  const windows: {
    city: unknown;
    start: number;
    events: { event: Event; time: number }[];
    given: Event[] | null;
    revision: number;
  }[] = [];
  const rows: Event[] = [];
  const late: Event[] = [];
  let now = Number.NEGATIVE_INFINITY;
  const pass = (time: number) => {
    now = time;
    for (const one of windows.filter(({ start }) => start + size <= now)) {
      const best = ranked(one.events, rule);
      const before = one.given;
      const same = before?.length === best.length && best.every((each, index) => each === before[index]);
      if (same || (before === null && best.length === 0)) continue;
      one.given = best;
      const head = { ranking_start: one.start, ranking_end: one.start + size, ranking_revision: ++one.revision };
      rows.push(...withRanks(best, head));
    }
  };
  for (const step of steps) {
    if (step.kind === 'watermark') {
      if (step.time > now) pass(step.time);
      continue;
    }
    const start = Math.floor(step.time / size) * size;
    if (start + size + lateness <= now) {
      late.push(step.event);
      continue;
    }
    if (step.event.load === null && !rule.things) continue;
    let one = windows.find((each) => each.start === start && each.city === step.event.city);
    if (!one) {
      one = { city: step.event.city, start, events: [], given: null, revision: -1 };
      windows.push(one);
    }
    one.events.push(step);
  }
  pass(Number.POSITIVE_INFINITY);
  return { rows, late };
}

const byWindow = (a: Event, b: Event) =>
  Number(a.ranking_start) - Number(b.ranking_start) ||
  String(a.city).localeCompare(String(b.city)) ||
  Number(a.ranking_revision) - Number(b.ranking_revision) ||
  Number(a.rank) - Number(b.rank);

describe.each([
  { options: { rows: 3 }, rule: { rows: 3 }, lateness: 0 },
  { options: { rows: 2, order: 'asc' }, rule: { rows: 2, ascending: true }, lateness: 30_000 },
  { options: { rows: 2, of: 'unit' }, rule: { rows: 2, things: true }, lateness: 0 },
  {
    options: { rows: 4, of: ['unit'], order: 'asc' },
    rule: { rows: 4, ascending: true, things: true },
    lateness: 60_000,
  },
])('top of windows, $options, lateness $lateness ms', ({ options, rule, lateness }) => {
  const run = runOf({ ...options, key: 'city', window: { tumbling: '1m', lateness: `${lateness}ms` } });

  it('gives what sorting everything gives', () => {
    fc.assert(
      fc.property(stepsOf(event, disorder), (steps) => {
        const expected = naiveWindows(steps, rule, { size: 60_000, lateness });
        const result = run(steps);
        expect([...result.events()].sort(byWindow)).toEqual(expected.rows.sort(byWindow));
        expect(result.events('late')).toEqual(expected.late);
      }),
      { numRuns: 300 },
    );
  });

  it('gives windows by their end', () => {
    fc.assert(
      fc.property(stepsOf(event, disorder), (steps) => {
        const firsts = run(steps)
          .events()
          .filter((row) => row.ranking_revision === 0);
        const ends = firsts.map((row) => Number(row.ranking_end));
        if (lateness === 0) expect(ends).toEqual([...ends].sort((a, b) => a - b));
      }),
    );
  });

  it('is the same for any cut and crash', () => {
    expectSameForAnyCut(run, stepsOf(event, disorder));
  });
});

describe('top of what is known now', () => {
  it('tells, whenever the ranking has changed, what sorting all that came until then gives', () => {
    const everyMs = 10_000;
    const run = runOf({ rows: 2, of: 'unit', every: '10s' });
    fc.assert(
      fc.property(stepsOf(event, disorder), (steps) => {
        const lists = new Map<number, Event[]>();
        for (const { ranked_at: time, ...row } of run(steps).events()) {
          const list = lists.get(Number(time)) ?? [];
          list.push(row);
          lists.set(Number(time), list);
        }
        for (const time of lists.keys()) expect(time % everyMs).toBe(0);
        // The last word is that on everything.
        const all = steps.flatMap((step) => (step.kind === 'event' ? [step] : []));
        const best = ranked(all, { rows: 2, things: true });
        const last = [...lists.values()].at(-1);
        if (best.length > 0) expect(last).toEqual(withRanks(best, {}));
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    { rows: 2, of: 'unit', every: '10s', key: 'city' },
    { rows: 3, every: '10s' },
    { rows: 2, of: 'unit', every: '10s', forget: '1m' },
  ])('is the same for any cut and crash: %j', (options) => {
    expectSameForAnyCut(runOf(options), stepsOf(event, disorder));
  });

  it('is silent while the ranking stays the same', () => {
    const one = (unit: string, load: number) => ({ city: 'Q1', unit, load });
    const run = runOf({ rows: 2, of: 'unit', every: '10s' });
    const result = run([
      at(0, one('A', 5)),
      at(1_000, one('B', 3)),
      watermark(10_000),
      at(11_000, one('C', 1)),
      watermark(20_000),
      at(21_000, one('A', 2)),
      at(20_500, one('A', 9)),
      watermark(35_000),
    ]);
    expect(result.events().map(({ ranked_at: time, rank, unit, load }) => [time, rank, unit, load])).toEqual([
      [10_000, 1, 'A', 5],
      [10_000, 2, 'B', 3],
      [30_000, 1, 'B', 3],
      [30_000, 2, 'A', 2],
    ]);
    expect(result.accounting.dropped_by_reason).toEqual({ outdated: 1 });
  });

  it('forgets things that are not heard of', () => {
    const run = runOf({ rows: 2, of: 'unit', every: '10s', forget: '30s' });
    const result = run(
      [
        at(0, { city: 'Q1', unit: 'A', load: 5 }),
        at(15_000, { city: 'Q1', unit: 'B', load: 3 }),
        watermark(16_000),
        watermark(29_999),
        watermark(31_000),
      ],
      { finish: false },
    );
    expect(result.events().map(({ ranked_at: time, rank, unit }) => [time, rank, unit])).toEqual([
      [10_000, 1, 'A'],
      [10_000, 2, 'B'],
      [30_000, 1, 'B'],
    ]);
  });
});

describe('bounds and forms', () => {
  it('takes no more keys than allowed', () => {
    const run = runOf({ key: 'city', keys: 1 });
    const result = run(['Q1', 'Q7'].map((city, time) => at(time, { city, unit: 'A', load: 1 })));
    expect(result.events('dead')).toEqual([expect.objectContaining({ city: 'Q7', code: 'MACH1800' })]);
  });

  it('takes no more things than allowed', () => {
    const run = runOf({ of: 'unit' });
    const steps = Array.from({ length: topLimits.thingsMax + 1 }, (_, unit) =>
      at(unit, { city: 'Q1', unit: `U${unit}`, load: 1 }),
    );
    const result = run(steps);
    expect(result.events('dead')).toEqual([
      expect.objectContaining({ unit: `U${topLimits.thingsMax}`, code: 'MACH1803' }),
    ]);
    expect(result.events()).toHaveLength(10);
  });

  it('filters events without a score', () => {
    const result = runOf({})([at(0, { city: 'Q1', unit: 'A', load: null })]);
    expect(result.accounting.filtered).toBe(1);
  });

  it.each([
    [{ by: 'laod' }, ['by']],
    [{ by: 'load > 3' }, ['by']],
    [{ key: 'ctiy' }, ['key.0']],
    [{ of: ['unit', 'ctiy'] }, ['of.1']],
    [{ window: { tumbling: '0s' } }, ['window.tumbling']],
    [{ every: '0s' }, ['every']],
    [{ forget: '500ms' }, ['forget']],
    [{ of: 'unit', forget: '1m', window: { tumbling: '1m' } }, ['forget']],
  ])('%j is wrong at %j', (options, paths) => {
    try {
      bindOperator({ definition: top, options: { from: 'in', by: 'load', ...options }, schema });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(BindProblems);
      expect((error as BindProblems).problems.map(({ path }) => [path].flat().join('.'))).toEqual(paths);
    }
  });

  it('refuses an input that has fields of the ranking', () => {
    const input = defineSchema({ rank: field.int(), load: field.int() });
    expect(() => bindOperator({ definition: top, options: { from: 'in', by: 'load' }, schema: input })).toThrow(
      /"rank"/,
    );
  });

  it('refuses more rows than a ranking may have', () => {
    expect(top.options.safeParse({ from: 'in', by: 'load', rows: topLimits.rowsMax + 1 }).success).toBe(false);
  });
});
