/** Patterns against the plainest reading: every way tried one after the other, the preferred first. */
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
import { patternLimits } from './limits.ts';
import { pattern } from './pattern.ts';

const schema = defineSchema({ bed: field.string(), pulse: field.int(), id: field.int() });
const event = fc.record({ bed: fc.constantFrom('B1', 'B2'), pulse: fc.integer({ min: 1, max: 5 }) });
/** Every event has its own number, so that matches can be told apart. */
const steps = stepsOf(event, { stepMs: 4_000, disorderMs: 8_000 }).map((list) =>
  list.map((step, id): Step => (step.kind === 'event' ? { ...step, event: { ...step.event, id } } : step)),
);

interface Seen {
  readonly event: Event;
  readonly time: number;
}

/** What the steps have taken, by name. */
type Taken = Readonly<Record<string, readonly Seen[]>>;

interface NaiveStep {
  readonly name: string;
  readonly min?: number;
  readonly max?: number;
  readonly shortest?: boolean;
  readonly later?: boolean;
  when?(pulse: number, taken: Taken, all: readonly Seen[]): boolean;
}

interface Case {
  readonly title: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly steps: readonly NaiveStep[];
  readonly within?: number;
  /** Place among the rows at which looking goes on. */
  next?(match: { all: readonly Seen[]; taken: Taken; rows: readonly Seen[] }): number;
}

const pulseOf = (one: Seen | undefined) => Number(one?.event.pulse);
const sumOf = (list: readonly Seen[] = []) => list.reduce((sum, one) => sum + pulseOf(one), 0);

/** All complete ways from a beginning, the preferred first. */
function* waysOf(test: Case, rows: readonly Seen[], begin: number): IterableIterator<{ taken: Taken; all: Seen[] }> {
  const last = (test.within ?? Number.POSITIVE_INFINITY) + (rows[begin]?.time ?? 0);
  const { steps: list } = test;
  const minOf = (at: number) => list[at]?.min ?? 1;
  const countOf = (taken: Taken, at: number) => taken[list[at]?.name ?? '']?.length ?? 0;
  function candidates(current: number, taken: Taken): number[] {
    const enter = (next: number): number[] => {
      if (next >= list.length) return [];
      if (minOf(next) > 0) return [next];
      return list[next]?.shortest ? [...enter(next + 1), next] : [next, ...enter(next + 1)];
    };
    if (current < 0) return enter(0);
    const more = countOf(taken, current) < (list[current]?.max ?? 1) ? [current] : [];
    const on = countOf(taken, current) >= minOf(current) ? enter(current + 1) : [];
    return list[current]?.shortest ? [...on, ...more] : [...more, ...on];
  }
  function* from(
    place: number,
    current: number,
    taken: Taken,
    all: Seen[],
  ): IterableIterator<{ taken: Taken; all: Seen[] }> {
    const isComplete =
      current >= 0 &&
      countOf(taken, current) >= minOf(current) &&
      list.slice(current + 1).every((_, index) => minOf(current + 1 + index) === 0);
    if (isComplete && list[current]?.shortest && current === list.length - 1) {
      yield { taken, all };
      return;
    }
    const row = rows[place];
    if (row && row.time <= last) {
      const possible = candidates(current, taken);
      const isBehindGap = current >= 0 && rows[place - 1] !== all.at(-1);
      const fits = possible
        .filter((to) => list[to]?.later || !isBehindGap)
        .filter((to) => list[to]?.when?.(pulseOf(row), taken, all) ?? true);
      for (const to of fits) {
        const { name } = list[to] as NaiveStep;
        yield* from(place + 1, to, { ...taken, [name]: [...(taken[name] ?? []), row] }, [...all, row]);
      }
      if (fits.length === 0 && current >= 0 && possible.some((to) => list[to]?.later))
        yield* from(place + 1, current, taken, all);
    }
    if (isComplete) yield { taken, all };
  }
  yield* from(begin, -1, {}, []);
}

function naive(test: Case, list: readonly Step[]): string[] {
  const onTime: Seen[] = [];
  let mark = Number.NEGATIVE_INFINITY;
  for (const step of list) {
    if (step.kind === 'watermark') mark = Math.max(mark, step.time);
    else if (step.time >= mark) onTime.push(step);
  }
  const found: string[] = [];
  for (const bed of ['B1', 'B2']) {
    const rows = onTime.filter((one) => one.event.bed === bed).sort((a, b) => a.time - b.time);
    for (let begin = 0; begin < rows.length; ) {
      const [match] = waysOf(test, rows, begin);
      if (!match) {
        begin++;
        continue;
      }
      const ends = test.steps.map(({ name }) => match.taken[name] ?? []);
      found.push(
        JSON.stringify([
          bed,
          match.all[0]?.time,
          match.all.at(-1)?.time,
          ...ends.map((list) => [list[0]?.event.id ?? null, list.at(-1)?.event.id ?? null, list.length]),
        ]),
      );
      const next = test.next?.({ ...match, rows }) ?? rows.indexOf(match.all.at(-1) as Seen) + 1;
      begin = Math.max(begin + 1, next);
    }
  }
  return found.sort();
}

const infinite = Number.POSITIVE_INFINITY;
const cases: readonly Case[] = [
  {
    title: 'a fall and a rise, the next from the last of the rise',
    options: {
      steps: [
        { name: 'begin' },
        { name: 'fall', times: '+', when: 'pulse < previous.pulse' },
        { name: 'rise', times: '+', when: 'pulse > coalesce(rise.last.pulse, fall.last.pulse)' },
      ],
      go_on: { at_last: 'rise' },
    },
    steps: [
      { name: 'begin' },
      { name: 'fall', max: infinite, when: (pulse, _, all) => pulse < pulseOf(all.at(-1)) },
      { name: 'rise', max: infinite, when: (pulse, _, all) => pulse > pulseOf(all.at(-1)) },
    ],
    next: ({ taken, rows }) => rows.indexOf(taken.rise?.at(-1) as Seen),
  },
  ...(['after_match', 'next_event'] as const).map(
    (goOn): Case => ({
      title: `a mean that stays low and what breaks it, ${goOn}`,
      options: {
        steps: [
          { name: 'low', times: '+', when: '(low.all + pulse) / (low.count + 1) < 3', totals: { all: 'sum(pulse)' } },
          { name: 'high', when: '(low.all + pulse) / (low.count + 1) >= 3' },
        ],
        go_on: goOn,
      },
      steps: [
        {
          name: 'low',
          max: infinite,
          when: (pulse, { low = [] }) => (sumOf(low) + pulse) / (low.length + 1) < 3,
        },
        { name: 'high', when: (pulse, { low = [] }) => (sumOf(low) + pulse) / (low.length + 1) >= 3 },
      ],
      ...(goOn === 'next_event' && { next: () => 0 }),
    }),
  ),
  {
    title: 'any number that holds and one that drops, in a time',
    options: {
      within: '9s',
      steps: [
        { name: 'begin' },
        { name: 'holds', times: '*', when: 'pulse >= begin.first.pulse - 1' },
        { name: 'drops', when: 'pulse < begin.first.pulse - 1' },
      ],
    },
    steps: [
      { name: 'begin' },
      { name: 'holds', min: 0, max: infinite, when: (pulse, { begin }) => pulse >= pulseOf(begin?.[0]) - 1 },
      { name: 'drops', when: (pulse, { begin }) => pulse < pulseOf(begin?.[0]) - 1 },
    ],
    within: 9_000,
  },
  {
    title: 'ways that compete, as many as fit',
    options: {
      steps: [
        { name: 'some', times: '1,3', when: 'pulse > 1' },
        { name: 'perhaps', times: '?', when: 'pulse > 2' },
        { name: 'even', times: '2', when: 'pulse % 2 == 0' },
      ],
      go_on: { at_first: 'even' },
    },
    steps: [
      { name: 'some', max: 3, when: (pulse) => pulse > 1 },
      { name: 'perhaps', min: 0, when: (pulse) => pulse > 2 },
      { name: 'even', min: 2, max: 2, when: (pulse) => pulse % 2 === 0 },
    ],
    next: ({ taken, rows }) => rows.indexOf(taken.even?.[0] as Seen),
  },
  {
    title: 'as few as fit, and an end that may be left out',
    options: {
      steps: [
        { name: 'some', times: '+', prefer: 'shortest', when: 'pulse > 1' },
        { name: 'high', when: 'pulse > 3' },
        { name: 'end', times: '*', when: 'pulse == 1' },
      ],
    },
    steps: [
      { name: 'some', max: infinite, shortest: true, when: (pulse) => pulse > 1 },
      { name: 'high', when: (pulse) => pulse > 3 },
      { name: 'end', min: 0, max: infinite, when: (pulse) => pulse === 1 },
    ],
  },
  {
    title: 'later, with others between, until something happens',
    options: {
      within: '2m',
      steps: [
        { name: 'begin', when: 'pulse <= 3' },
        { name: 'more', times: '+', when: 'pulse % 2 == 1', until: 'pulse > 4', follows: 'later' },
        { name: 'end', when: 'pulse >= 4', follows: 'later' },
      ],
    },
    steps: [
      { name: 'begin', when: (pulse) => pulse <= 3 },
      { name: 'more', max: infinite, later: true, when: (pulse) => pulse % 2 === 1 && pulse <= 4 },
      { name: 'end', later: true, when: (pulse) => pulse >= 4 },
    ],
    within: 120_000,
  },
  {
    title: 'directly, and behind it later',
    options: {
      steps: [
        { name: 'some', times: '+', when: 'pulse == 1' },
        { name: 'perhaps', times: '*', when: 'pulse == 2' },
        { name: 'end', when: 'pulse >= 4', follows: 'later' },
      ],
      go_on: 'next_event',
    },
    steps: [
      { name: 'some', max: infinite, when: (pulse) => pulse === 1 },
      { name: 'perhaps', min: 0, max: infinite, when: (pulse) => pulse === 2 },
      { name: 'end', later: true, when: (pulse) => pulse >= 4 },
    ],
    next: () => 0,
  },
];

function runOf({ options, steps: list }: Pick<Case, 'options' | 'steps'>, extra: object = {}) {
  const values = Object.fromEntries(
    list.flatMap(({ name }) => [
      [`${name}_first`, `${name}.first.id`],
      [`${name}_last`, `${name}.last.id`],
      [`${name}_count`, `${name}.count`],
    ]),
  );
  return operatorRun({
    definition: pattern,
    options: { from: 'in', key: 'bed', values, ...options, ...extra },
    schema,
  });
}

function textOf(row: Event, { steps: list }: Case): string {
  const ends = list.map(({ name }) => [row[`${name}_first`], row[`${name}_last`], row[`${name}_count`]]);
  return JSON.stringify([row.bed, row.match_start, row.match_end, ...ends]);
}

describe.each(cases)('$title', (test) => {
  const run = runOf(test);

  it('finds what trying every way finds', () => {
    let matches = 0;
    fc.assert(
      fc.property(steps, (list) => {
        const expected = naive(test, list);
        matches += expected.length;
        expect(
          run(list)
            .events()
            .map((row) => textOf(row, test))
            .sort(),
        ).toEqual(expected);
      }),
      { numRuns: 200 },
    );
    expect(matches).toBeGreaterThan(5);
  });

  it('does not depend on cuts and crashes', () => expectSameForAnyCut(run, steps));
});

const rows = (pulses: readonly number[], everyMs = 1_000) =>
  pulses.map((pulse, id) => at(id * everyMs, { bed: 'B1', pulse, id }));
const twoRises = {
  options: { steps: [{ name: 'low' }, { name: 'rise', when: 'pulse > low.first.pulse' }] },
  steps: [],
};
const values = { values: { from_pulse: 'low.first.pulse' } };

describe('pattern', () => {
  it('gives a match once it is decided, no earlier than the watermark, and what comes late is late', () => {
    const result = runOf(twoRises, values)(
      [at(2_000, { bed: 'B1', pulse: 2, id: 2 }), at(1_000, { bed: 'B1', pulse: 1, id: 1 }), watermark(2_000)],
      { finish: false },
    );
    expect(result.events()).toEqual([]);
    const later = runOf(twoRises, values)(
      [
        at(2_000, { bed: 'B1', pulse: 2, id: 2 }),
        at(1_000, { bed: 'B1', pulse: 1, id: 1 }),
        watermark(2_001),
        at(2_000, { bed: 'B1', pulse: 3, id: 3 }),
      ],
      { finish: false },
    );
    expect(later.ports.out).toEqual([
      { event: { bed: 'B1', match_start: 1_000, match_end: 2_000, from_pulse: 1 }, time: 2_000 },
    ]);
    expect(later.accounting.late).toBe(1);
  });

  it('decides by time alone what `within` has ended, and lets later beginnings go on', () => {
    const options = {
      within: '10s',
      steps: [{ name: 'low' }, { name: 'rises', times: '+', when: 'pulse > previous.pulse' }],
    };
    const result = runOf({ options, steps: [] }, values)([...rows([1, 2, 3]), watermark(10_001)], { finish: false });
    expect(result.ports.out).toEqual([
      { event: { bed: 'B1', match_start: 0, match_end: 2_000, from_pulse: 1 }, time: 10_000 },
    ]);
  });

  it('gives up a beginning that nothing decides, as a dead letter, and goes on behind it', () => {
    const options = {
      steps: [
        { name: 'low', times: '+' },
        { name: 'never', when: 'pulse > 100' },
      ],
    };
    const { rowsPerMatchMax } = patternLimits;
    const many = rows(Array.from({ length: rowsPerMatchMax + 1 }, () => 1));
    const last = at(rowsPerMatchMax * 1_000 + 2_000, { bed: 'B1', pulse: 200, id: -1 });
    const result = runOf(
      { options, steps: [] },
      values,
    )([
      ...many,
      watermark(rowsPerMatchMax * 1_000 + 1_000),
      ...rows([1]).map((row) => ({ ...row, time: last.time - 500 })),
      last,
    ]);
    expect(result.events('dead')).toMatchObject([{ id: 0, code: 'MACH1871' }]);
    expect(result.events()).toMatchObject([{ match_start: last.time - 500, match_end: last.time }]);
  });

  it('bounds the ways in which events fit', () => {
    const anything = { times: '*', when: 'pulse > 0' };
    const names = ['a', 'b', 'c', 'd', 'e'];
    const options = { steps: [...names.map((name) => ({ name, ...anything })), { name: 'low', when: 'pulse == 0' }] };
    const result = runOf({ options, steps: [] }, values)(rows(Array.from({ length: 60 }, () => 1)));
    expect(result.events('dead').length).toBeGreaterThan(0);
    expect(result.events('dead')[0]?.reason).toContain('waysPerMatchMax');
  });

  it('turns away what would be too many events that wait, or one key too many', () => {
    const { eventsPerKeyMax } = patternLimits;
    const many = Array.from({ length: eventsPerKeyMax + 1 }, (_, id) => at(0, { bed: 'B1', pulse: 9, id }));
    const result = runOf(twoRises, values)(many);
    expect(result.events('dead')).toMatchObject([{ id: eventsPerKeyMax, code: 'MACH1870' }]);
    const two = [at(0, { bed: 'B1', pulse: 1, id: 0 }), at(0, { bed: 'B2', pulse: 1, id: 1 })];
    expect(runOf(twoRises, { ...values, keys: 1 })(two).events('dead')).toMatchObject([{ id: 1, code: 'MACH1800' }]);
  });

  it.each([
    [{ key: 'bad' }, 'is not a field'],
    [{ steps: [{ name: 'pulse' }] }, '"pulse" means something else'],
    [{ steps: [{ name: 'low' }, { name: 'low' }] }, 'there is a step "low" already'],
    [{ steps: [{ name: 'low', times: '*' }] }, 'nothing at all would be a match'],
    [{ steps: [{ name: 'low', totals: { count: 'count()' } }] }, 'every step has "count"'],
    [{ steps: [{ name: 'low', when: 'high.count > 1' }] }, 'steps.0.when'],
    [{ go_on: { at_last: 'hgh' } }, 'there is no step "hgh"'],
    [{ values: { bed: 'low.count' } }, '"bed" is a field that every match has'],
    [{ values: { n: 'pulse' } }, 'values.n'],
  ])('says what is wrong with %j', (extra, message) => {
    const options = { from: 'in', key: 'bed', steps: [{ name: 'low' }], ...values, ...extra };
    const bind = () => bindOperator({ definition: pattern, options, schema });
    expect(bind).toThrow(BindProblems);
    expect(bind).toThrow(message);
  });

  it.each(['0', '3,2', 'many', '0,0'])('refuses the number of times %s', (times) => {
    const options = { from: 'in', steps: [{ name: 'low', times }], ...values };
    expect(pattern.options.safeParse(options).success).toBe(false);
  });
});
