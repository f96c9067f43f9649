/** A global window kept as rows of numbers gives what one kept as cells gives, and each goes on with what a checkpoint holds of the other. */
import fc from 'fast-check';
import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
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
import { OperatorRunner, type TurnedAway } from '../../runtime/stream/operator-runner.ts';
import {
  bindOperator,
  type EventStep,
  expectSameForAnyCut,
  operatorRun,
  type Step,
  stepsOf,
} from '../../runtime/testing/operator-harness.ts';
import { aggregate } from './aggregate.ts';
import { aggregateLimits } from './limits.ts';

const schema = defineSchema({
  ward: field.string(),
  name: field.string({ nullable: true }),
  bed: field.int({ nullable: true }),
  minutes: field.int({ nullable: true }),
  cost: field.float({ nullable: true }),
});
const event = fc.record({
  ward: fc.constantFrom('ED', 'ICU'),
  name: fc.constantFrom(null, '', 'An', 'Bình', 'Chi'),
  bed: fc.constantFrom(null, 0, 1, -1),
  minutes: fc.option(fc.integer({ min: -9, max: 9 })),
  cost: fc.option(fc.integer({ min: 0, max: 9 }).map((value) => value / 10)),
});
const steps = stepsOf(event, { stepMs: 20_000, disorderMs: 40_000 });
const values = {
  n: 'count()',
  long: 'count(minutes > 5)',
  total: 'sum(minutes)',
  cost: 'sum(cost, minutes < 5)',
  mean: 'mean(cost)',
  least: 'min(minutes)',
  most: 'max(minutes, cost > 0.3)',
  kinds: 'distinct(minutes)',
  short_kinds: 'distinct(minutes, minutes < 5)',
  costs: 'distinct(cost)',
  beds: 'distinct(bed, cost > 0.3)',
  names: 'distinct(name)',
  long_names: 'distinct(name, minutes > 5)',
  last_name: 'max(name)',
  first_name: 'min(name, minutes > 0)',
  middle: 'quantile(cost, 0.5)',
  about: 'approx_distinct(name)',
  first: 'first(minutes)',
  last: 'last(minutes, cost < 0.7)',
};
/** A key that is remembered for longer than any test lasts makes no difference but in how it is kept. */
const kinds = { rows: {}, cells: { forget: '9999h' } } as const;

function runner(kind: keyof typeof kinds, asked: Record<string, string> = values) {
  const window = { global: true, early: '30s', ...kinds[kind] };
  const options = { from: 'in', key: ['ward', 'bed'], window, values: asked };
  const { bound } = bindOperator({ definition: aggregate, options, schema });
  const letters: TurnedAway[] = [];
  const onDead = (letter: TurnedAway) => letters.push(letter);
  const made = new OperatorRunner({ node: 'totals', bound, inputs: ['from'], ledger: new Ledger(), onDead });
  const frames = new Subject<Frame>();
  const rows: { event: Event; time: number }[] = [];
  const inColumns: boolean[] = [];
  made.connect('from', frames);
  made.output('out').subscribe((frame) => {
    if (frame.kind !== 'batch') return;
    inColumns.push(frame.columns !== undefined);
    for (const [at, one] of frame.events.entries()) rows.push({ event: one, time: frame.times[at] as number });
  });
  const take = (list: readonly Step[]) => {
    for (const [at, step] of list.entries()) {
      if (step.kind === 'event') frames.next(at % 2 === 0 ? asObjects(step) : asColumns(step));
      else frames.next({ kind: 'watermark', time: step.time, idle: false });
    }
  };
  return { made, rows, letters, frames, inColumns, take, finish: () => frames.next(end) };
}

function asObjects({ event: one, time }: EventStep): Frame {
  return { kind: 'batch', events: [one], times: [time], causes: [-1] };
}

function asColumns({ event: one, time }: EventStep): Frame {
  const columns = Object.values(one).map((value) => [value]);
  return columnBatch(new EventColumns(Object.keys(one), columns, { length: 1 }), { times: [time], causes: [-1] });
}

function totalsIn(runner: OperatorRunner) {
  const totals = runner.snapshot().states.get('totals');
  if (!totals) throw new Error('there is no state of this name');
  return totals;
}

describe.each([
  ['rows', 'cells'],
  ['cells', 'rows'],
  ['rows', 'rows'],
] as const)('a global window of %s, and after a restart of %s', (first, second) => {
  it('gives the rows of one that went on', () => {
    fc.assert(
      fc.property(steps, fc.nat(60), (list, cut) => {
        const whole = runner('cells');
        whole.take(list);
        whole.finish();
        const before = runner(first);
        before.take(list.slice(0, cut));
        const after = runner(second);
        after.made.restore(structuredClone(before.made.snapshot()));
        after.made.resume();
        after.take(list.slice(cut));
        after.finish();
        expect([...before.rows, ...after.rows]).toEqual(whole.rows);
      }),
    );
  });
});

describe('a global window of rows', () => {
  it('is the same for any cut and crash', () => {
    const options = { from: 'in', key: ['ward', 'bed'], window: { global: true, early: '30s' }, values };
    expectSameForAnyCut(operatorRun({ definition: aggregate, options, schema }), steps);
  });

  it('stands in a checkpoint as one of cells', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const [rows, cells] = [runner('rows'), runner('cells')];
        for (const one of [rows, cells]) one.take(list);
        const totalsOf = ({ made }: typeof rows) => {
          const { keys, values: totals } = totalsIn(made);
          return new Map(keys.map((key, at) => [key, totals[at]]));
        };
        expect(totalsOf(rows)).toEqual(totalsOf(cells));
      }),
    );
  });

  it('gives its results as columns', () => {
    for (const kind of ['rows', 'cells'] as const) {
      const { take, finish, inColumns } = runner(kind);
      take([
        { kind: 'event', input: 'from', time: 5, event: { ward: 'ED', name: null, bed: 7, minutes: 3, cost: null } },
      ]);
      finish();
      expect(inColumns).toEqual([kind === 'rows']);
    }
  });

  it('turns away what a full count of distinct values has no room for, whether events come as columns or as objects', () => {
    const { distinctValuesMax } = aggregateLimits;
    const { frames, letters, rows, finish } = runner('rows', { kinds: 'distinct(minutes)', n: 'count()' });
    const batchOf = (minutes: readonly number[]) => {
      const fixed = [minutes.map(() => 'ED'), minutes.map(() => 1)];
      const columns = new EventColumns(['ward', 'bed', 'minutes'], [...fixed, minutes], { length: minutes.length });
      return columnBatch(columns, { times: minutes.map(() => 5), causes: minutes.map(() => -1) });
    };
    frames.next(batchOf(Array.from({ length: distinctValuesMax }, (_, value) => value)));
    frames.next(batchOf([7, distinctValuesMax, 8]));
    const { columns: _columns, ...objects } = batchOf([9, distinctValuesMax]);
    frames.next({ ...objects, events: batchOf([9, distinctValuesMax]).events });
    expect(letters.map(({ code, event: { minutes } }) => [code, minutes])).toEqual([
      ['MACH1802', distinctValuesMax],
      ['MACH1802', distinctValuesMax],
    ]);
    finish();
    expect(rows.map(({ event: { kinds, n } }) => [kinds, n])).toEqual([[distinctValuesMax, distinctValuesMax + 3]]);
  });

  it('is seen by the key as it stands in a checkpoint', () => {
    const { made, take } = runner('rows');
    take([
      { kind: 'event', input: 'from', time: 5, event: { ward: 'ED', name: null, bed: 7, minutes: 3, cost: null } },
    ]);
    const [key] = totalsIn(made).keys;
    expect(key).toBe('\u0000s2:EDn7;');
    expect(made.view().entries(key as string)).toMatchObject([{ state: 'totals', time: 5, value: { key: ['ED', 7] } }]);
    expect(made.view().entries('\u0000s2:EDn8;')).toEqual([]);
  });
});
