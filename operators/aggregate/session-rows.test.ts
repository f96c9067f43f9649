/** Sessions kept as rows of numbers give what those kept as cells give, and each goes on with what a checkpoint holds of the other. */
import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { Subject } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  columnBatch,
  defineSchema,
  type Event,
  EventColumns,
  end,
  type Frame,
  field,
} from '../../runtime/stream/index.ts';
import { Ledger } from '../../runtime/stream/ledger.ts';
import { OperatorRunner } from '../../runtime/stream/operator-runner.ts';
import {
  at,
  bindOperator,
  expectSameForAnyCut,
  operatorRun,
  type Step,
  stepsOf,
  watermark,
} from '../../runtime/testing/operator-harness.ts';
import { aggregate } from './aggregate.ts';

/** So few that random streams meet the bound. */
const fewPanes = 6;
const bound = vi.hoisted(() => ({ panesMax: 6 }));
vi.mock('./limits.ts', async (original) => {
  const { aggregateLimits } = await original<typeof import('./limits.ts')>();
  const panesMax = { get: () => bound.panesMax };
  return { aggregateLimits: Object.defineProperty({ ...aggregateLimits }, 'panesMax', panesMax) };
});

const schema = defineSchema({
  ward: field.string(),
  bed: field.int({ nullable: true }),
  minutes: field.int({ nullable: true }),
  cost: field.float({ nullable: true }),
});
const event = fc.record({
  ward: fc.constantFrom('ED', 'ICU'),
  bed: fc.constantFrom(null, 0, 1, -1),
  minutes: fc.option(fc.integer({ min: -9, max: 9 })),
  cost: fc.option(fc.integer({ min: 0, max: 9 }).map((value) => value / 10)),
});
/** Whole seconds, so that events are often exactly a gap apart. */
const wholeSeconds = (list: readonly Step[]) =>
  list.map((step): Step => ({ ...step, time: Math.floor(step.time / 1_000) * 1_000 }));
const steps = stepsOf(event, { stepMs: 8_000, disorderMs: 30_000 }).map(wholeSeconds);
/** Nothing waits for long: what a lateness keeps has room. */
const inOrder = stepsOf(event, { stepMs: 20_000, disorderMs: 0 }).map((list) =>
  wholeSeconds(list).flatMap((step) => (step.kind === 'event' ? [step, watermark(step.time)] : [])),
);
const values = {
  n: 'count()',
  long: 'count(minutes > 5)',
  total: 'sum(minutes)',
  cost: 'sum(cost, minutes < 5)',
  mean: 'mean(cost)',
  least: 'min(minutes)',
  most: 'max(minutes, cost > 0.3)',
  first: 'first(minutes)',
  last: 'last(minutes, cost < 0.7)',
};

/** Early results that never come make no difference but in how sessions are kept. */
const kinds = { rows: {}, cells: { early: '9999h' }, late: { lateness: '5s' } } as const;
type Kind = keyof typeof kinds;
const gaps = [{ session: '10s' }, { session: '10s', touching: 'together' }] as const;

const optionsOf = (kind: Kind, gap: object = gaps[1]) => ({
  from: 'in',
  key: ['ward', 'bed'],
  window: { ...gap, ...kinds[kind] },
  values,
  keys: 5,
});

function runner(kind: Kind, options: object = optionsOf(kind)) {
  const { bound } = bindOperator({ definition: aggregate, options: options as Record<string, unknown>, schema });
  const made = new OperatorRunner({ node: 'sessions', bound, inputs: ['from'], ledger: new Ledger() });
  const frames = new Subject<Frame>();
  const rows: { event: Event; time: number }[] = [];
  made.connect('from', frames);
  made.output('out').subscribe((frame) => {
    if (frame.kind !== 'batch') return;
    for (const [place, one] of frame.events.entries()) rows.push({ event: one, time: frame.times[place] as number });
  });
  const batch = (list: readonly Step[]): Frame => {
    const events = list.map((step) => (step.kind === 'event' ? step.event : {}));
    return { kind: 'batch', events, times: list.map(({ time }) => time), causes: list.map(() => -1) };
  };
  const take = (list: readonly Step[]) => {
    for (const step of list)
      frames.next(step.kind === 'event' ? batch([step]) : { kind: 'watermark', time: step.time, idle: false });
  };
  const resumeFrom = (before: OperatorRunner) => {
    made.restore(deserialize(serialize(before.snapshot())));
    made.resume();
  };
  return { made, rows, take, resumeFrom, frames, batch, finish: () => frames.next(end) };
}

function stateIn(runner: OperatorRunner) {
  const { states } = runner.snapshot();
  const [groups, progress] = [states.get('groups'), states.get('progress')];
  const plain = Array.from(groups?.values as ArrayLike<object>, (group) => ({ ...group, timerAt: 0 }));
  return { keys: groups?.keys, times: groups?.times, groups: plain, progress: Array.from(progress?.values ?? []) };
}

const plain = ({ withdrawn: _withdrawn, ...row }: Event): Event => row;
const byKey = (rows: readonly { readonly event: Event }[]) =>
  rows
    .map((row) => plain(row.event))
    .sort((a, b) => Number(a.window_end) - Number(b.window_end) || (String(a.ward) < String(b.ward) ? -1 : 1));

/** Whole numbers from 0 to before a bound, the same in every run. */
function randomOf(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

describe.each(gaps)('sessions of rows: $session, $touching', (gap) => {
  const runOf = (kind: Kind) => operatorRun({ definition: aggregate, options: optionsOf(kind, gap), schema });
  const [rows, cells] = [runOf('rows'), runOf('cells')];

  it('are those of cells, with what is late and what is turned away', () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (list, asColumns) => {
        const [result, expected] = [rows(list, { asColumns }), cells(list)];
        expect(result.ports).toEqual(expected.ports);
        expect(result.accounting).toEqual(expected.accounting);
      }),
      { numRuns: 400 },
    );
  });

  it('do not depend on cuts and crashes', () => expectSameForAnyCut(rows, steps, { runs: 300 }));

  it('stand in a checkpoint, and are seen, as those of cells', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const [own, others] = [runner('rows', optionsOf('rows', gap)), runner('cells', optionsOf('cells', gap))];
        for (const one of [own, others]) one.take(list);
        expect(stateIn(own.made)).toEqual(stateIn(others.made));
        expect(own.made.stateKeys).toBe(others.made.stateKeys);
        for (const key of stateIn(own.made).keys ?? []) {
          const entriesOf = ({ made }: typeof own) =>
            made
              .view()
              .entries(key)
              .map(({ value, ...rest }) => ({ ...rest, value: { ...(value as object), timerAt: 0 } }));
          expect(entriesOf(own)).toHaveLength(1);
          expect(entriesOf(own)).toEqual(entriesOf(others));
        }
      }),
    );
  });

  it.each([
    ['rows', 'cells'],
    ['cells', 'rows'],
    ['rows', 'rows'],
  ] as const)('of %s give after a restart of %s the rows of one that went on', (first, second) => {
    fc.assert(
      fc.property(steps, fc.nat(60), (list, cut) => {
        const whole = runner('cells', optionsOf('cells', gap));
        whole.take(list);
        whole.finish();
        const before = runner(first, optionsOf(first, gap));
        before.take(list.slice(0, cut));
        const after = runner(second, optionsOf(second, gap));
        after.resumeFrom(before.made);
        expect(stateIn(after.made)).toEqual(stateIn(before.made));
        after.take(list.slice(cut));
        after.finish();
        expect([...before.rows, ...after.rows]).toEqual(whole.rows);
      }),
    );
  });
});

describe('sessions of rows', () => {
  it('go on from a checkpoint of sessions with a lateness, and these from theirs', () => {
    fc.assert(
      fc.property(inOrder, fc.nat({ max: 30 }), fc.boolean(), (list, cut, isLateFirst) => {
        const open = (kind: Kind) => runner(kind, { ...optionsOf(kind), key: 'ward' });
        const whole = open('rows');
        whole.take(list);
        whole.finish();
        const [first, second] = isLateFirst ? (['late', 'rows'] as const) : (['rows', 'late'] as const);
        const before = open(first);
        before.take(list.slice(0, cut));
        const after = open(second);
        after.resumeFrom(before.made);
        after.take(list.slice(cut));
        after.finish();
        // With a lateness keys live longer, and keep their place in the order of those that end together.
        expect(byKey([...before.rows, ...after.rows])).toEqual(byKey(whole.rows));
      }),
    );
  });

  afterEach(() => {
    bound.panesMax = fewPanes;
  });

  it('are those of cells where keys are many, and go on when they change hands', () => {
    bound.panesMax = 10_000;
    const random = randomOf(7);
    const own = { key: 'bed', keys: 10_000, values: { n: 'count()', cost: 'sum(cost)' } };
    const open = (kind: Kind) => runner(kind, { ...optionsOf(kind), ...own });
    const runners = { rows: open('rows'), cells: open('cells'), first: open('rows'), second: open('cells') };
    let now = 1_000_000;
    for (let round = 0; round < 60; round++) {
      const list = Array.from({ length: 400 }, () => {
        now += random(5);
        const one = {
          ward: 'ED',
          bed: random(4) === 0 ? random(3_000) : 5_000 + round,
          minutes: 1,
          cost: random(9) / 10,
        };
        return at(now - random(12_000), one);
      });
      for (const { frames, batch } of Object.values(runners)) {
        frames.next(batch(list));
        frames.next({ kind: 'watermark', time: now - 6_000, idle: false });
      }
      expect(stateIn(runners.rows.made)).toEqual(stateIn(runners.cells.made));
      if (round % 20 !== 10) continue;
      const after = { first: open('cells'), second: open('rows') };
      for (const name of ['first', 'second'] as const) {
        after[name].resumeFrom(runners[name].made);
        after[name].rows.push(...runners[name].rows);
      }
      Object.assign(runners, { first: after.first, second: after.second });
    }
    const { rows, ...others } = runners;
    for (const one of Object.values(runners)) one.finish();
    expect(rows.rows.length).toBeGreaterThan(2_000);
    for (const other of Object.values(others)) expect(other.rows).toEqual(rows.rows);
  });

  it('give the corrections that were due when their lateness went, once, and nothing of what was given before', () => {
    const one = { ward: 'ED', bed: 1, minutes: 2, cost: null };
    const before = runner('late');
    before.take([
      at(0, one),
      at(1_000, { ...one, bed: 2 }),
      watermark(12_000),
      at(2_000, { ...one, bed: 2 }),
      at(0, one),
    ]);
    const between = runner('rows');
    between.resumeFrom(before.made);
    between.take([at(11_500, one)]);
    const after = runner('rows');
    after.resumeFrom(between.made);
    after.take([watermark(13_000), watermark(14_000)]);
    after.finish();
    const told = ({ rows }: typeof after) =>
      rows.map(({ event: { bed, window_start, window_end, n, revision } }) => [
        bed,
        window_start,
        window_end,
        n,
        revision,
      ]);
    expect(told(before)).toEqual([
      [1, 0, 10_000, 1, 0],
      [2, 1_000, 11_000, 1, 0],
    ]);
    // The late event of the first bed was one more of its window; that of the other made it longer, so that it is another.
    expect(told(after)).toEqual([
      [1, 0, 10_000, 2, 1],
      [2, 1_000, 12_000, 2, 0],
      [1, 11_500, 21_500, 1, 0],
    ]);
  });

  it('take columns of which nobody makes objects, but for the rows that go another way', () => {
    const { made, frames, rows } = runner('rows');
    const wards = ['ED', 'ICU', 'ED', 'ED'];
    const columns = new EventColumns(['ward', 'bed', 'minutes'], [wards, [1, 1, 1, 1], [1, 2, 3, 4]], { length: 4 });
    const pick = vi.spyOn(columns, 'pick');
    frames.next({ kind: 'watermark', time: 60_000, idle: false });
    // The third is late.
    frames.next(columnBatch(columns, { times: [60_000, 61_000, 1_000, 62_000], causes: [-1, -1, -1, -1] }));
    expect(pick.mock.calls).toEqual([[[2], 1]]);
    expect(made.counts).toMatchObject({ in: 4, late: 1 });
    frames.next(end);
    expect(rows.map(({ event: { ward, n, total } }) => [ward, n, total])).toEqual([
      ['ICU', 1, 2],
      ['ED', 2, 5],
    ]);
  });
});
