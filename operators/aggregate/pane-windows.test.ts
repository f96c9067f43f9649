/** Windows that are given once, against those that may be given again. */
import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { columnBatch, defineSchema, type Event, EventColumns, type Frame, field } from '../../runtime/stream/index.ts';
import { Ledger } from '../../runtime/stream/ledger.ts';
import { OperatorRunner } from '../../runtime/stream/operator-runner.ts';
import {
  at,
  bindOperator,
  expectSameForAnyCut,
  operatorRun,
  stepsOf,
  watermark,
} from '../../runtime/testing/operator-harness.ts';
import { aggregate } from './aggregate.ts';

const schema = defineSchema({ ward: field.string(), minutes: field.int(), cost: field.float() });
const numbers = { n: 'count()', total: 'sum(minutes)' };
/** What cannot be taken out of a window again is kept as numbers where a window is one pane. */
const valuesOf = (window: object) =>
  'tumbling' in window ? { ...numbers, first: 'first(minutes)', last: 'last(minutes)', most: 'max(minutes)' } : numbers;
const optionsOf = (extra: { readonly window: object; readonly values?: object; readonly keys?: number }) => ({
  from: 'in',
  key: 'ward',
  values: valuesOf(extra.window),
  ...extra,
});
const runOf = (extra: { readonly window: object; readonly values?: object; readonly keys?: number }) =>
  operatorRun({ definition: aggregate, options: optionsOf(extra), schema });
const event = fc.record({
  ward: fc.constantFrom('A', 'B', 'C', 'D', 'E'),
  minutes: fc.integer({ min: -3, max: 3 }),
  cost: fc.constant(0.5),
});
const steps = stepsOf(event, { stepMs: 20_000, disorderMs: 40_000 });
const windows = [
  { tumbling: '30s' },
  { sliding: '1m', every: '10s' },
  { sliding: '50s', every: '20s', offset: '3s' },
] as const;

const plain = ({ kinds: _kinds, ...row }: Event): Event => row;

const byKey = (rows: readonly Event[]) =>
  [...rows].sort((a, b) => Number(a.window_end) - Number(b.window_end) || (String(a.ward) < String(b.ward) ? -1 : 1));

describe.each(windows)('$tumbling $sliding', (window) => {
  it('are those that lists of cells give, with what is late and what is turned away', () => {
    // A value that is no number: its windows are kept in the other way.
    const others = runOf({ window, values: { ...valuesOf(window), kinds: 'distinct(minutes)' }, keys: 3 });
    const own = runOf({ window, keys: 3 });
    fc.assert(
      fc.property(steps, fc.boolean(), (list, asColumns) => {
        const [result, expected] = [own(list, { asColumns }), others(list)];
        expect(result.events()).toEqual(expected.events().map(plain));
        expect(result.events('late')).toEqual(expected.events('late'));
        expect(result.events('dead')).toEqual(expected.events('dead'));
        expect(result.accounting).toEqual(expected.accounting);
      }),
    );
  });

  it('do not depend on cuts and crashes', () => expectSameForAnyCut(runOf({ window }), steps));

  it('go on from a checkpoint of windows with a lateness, and these from theirs', () => {
    const inOrder = stepsOf(event, { stepMs: 20_000, disorderMs: 0 });
    fc.assert(
      fc.property(inOrder, fc.nat({ max: 30 }), fc.boolean(), (list, cut, isLateFirst) => {
        const late = { ...window, lateness: '1s' };
        const whole = runOf({ window })(list).events();
        const [first, second] = isLateFirst ? [late, window] : [window, late];
        const gone = runnerOf(first);
        gone.take(list.slice(0, cut));
        const next = runnerOf(second);
        next.runner.restore(deserialize(serialize(gone.runner.snapshot())));
        next.runner.resume();
        next.take(list.slice(cut));
        next.frames.next({ kind: 'end' });
        // With a lateness keys live longer, and keep their place in the order of those of one window.
        expect(byKey([...gone.rows, ...next.rows])).toEqual(byKey(whole));
      }),
    );
  });
});

function runnerOf(window: object) {
  const { bound } = bindOperator({ definition: aggregate, options: optionsOf({ window }), schema });
  const runner = new OperatorRunner({ node: 'windows', bound, inputs: ['from'], ledger: new Ledger() });
  const frames = new Subject<Frame>();
  runner.connect('from', frames);
  const rows: Event[] = [];
  runner.output('out').subscribe((frame) => frame.kind === 'batch' && rows.push(...frame.events));
  const take = (list: Parameters<ReturnType<typeof runOf>>[0]) => {
    for (const step of list) {
      if (step.kind === 'event') frames.next({ kind: 'batch', events: [step.event], times: [step.time], causes: [-1] });
      else frames.next({ kind: 'watermark', time: step.time, idle: false });
    }
  };
  return { runner, frames, rows, take };
}

describe('windows of numbers', () => {
  it('take columns of which nobody makes objects, but for the rows that go another way', () => {
    const { runner, frames, rows } = runnerOf({ tumbling: '1m' });
    const wards = ['A', 'B', 'A', 'C'];
    const columns = new EventColumns(['ward', 'minutes'], [wards, [1, 2, 3, 4]], { length: 4 });
    frames.next({ kind: 'watermark', time: 60_000, idle: false });
    // The first makes the pane; the third is late.
    frames.next(columnBatch(columns, { times: [60_000, 61_000, 1_000, 62_000], causes: [-1, -1, -1, -1] }));
    expect(runner.counts).toMatchObject({ in: 4, late: 1 });
    expect(runner.stateKeys).toBeGreaterThan(0);
    frames.next({ kind: 'end' });
    expect(rows.map(({ ward, n, total }) => [ward, n, total])).toEqual([
      ['A', 1, 1],
      ['B', 1, 2],
      ['C', 1, 4],
    ]);
  });

  it('keep least and greatest of one pane, and leave those of several to lists', () => {
    const values = { least: 'min(minutes)', most: 'max(minutes)' };
    const list = [
      at(0, { ward: 'A', minutes: 3, cost: 0 }),
      at(1_000, { ward: 'A', minutes: -1, cost: 0 }),
      watermark(3_600_000),
    ];
    for (const window of [{ tumbling: '1m' }, { sliding: '1m', every: '30s' }])
      expect(runOf({ window, values })(list).events()).toContainEqual(
        expect.objectContaining({ window_start: 0, least: -1, most: 3 }),
      );
  });
});
