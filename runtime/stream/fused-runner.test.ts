import fc from 'fast-check';
import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { completing } from './completing.ts';
import { EventColumns } from './event-columns.ts';
import { type Batch, columnBatch, type Frame } from './frame.ts';
import { FusedRunner, type FusedStep } from './fused-runner.ts';
import { isBalanced, Ledger, outcome } from './ledger.ts';
import { OperatorRunner } from './operator-runner.ts';
import { mapping, selecting } from './row-loops.ts';

const steps: readonly FusedStep[] = [
  { node: 'even', transform: (event) => ((event.n as number) % 2 === 0 ? event : null) },
  { node: 'half', transform: (event) => ({ n: (event.n as number) / 2 }) },
  { node: 'small', transform: (event) => ((event.n as number) < 20 ? event : null) },
];

const asItIs: FusedStep = { node: 'all', transform: null };

interface Ran {
  readonly passed: { n: number; time: number; cause: number }[];
  readonly counts: unknown;
  readonly accounting: unknown;
}

function batchOf(numbers: readonly number[]): Batch {
  return {
    kind: 'batch',
    events: numbers.map((n) => ({ n })),
    times: numbers.map((_, index) => index * 10),
    causes: numbers.map((_, index) => index),
  };
}

function collect(
  frames: Subject<Frame>,
  out: { subscribe(next: (frame: Frame) => void): unknown },
  batch: Batch,
  ledger: Ledger,
) {
  const passed: Ran['passed'] = [];
  out.subscribe((frame) => {
    if (frame.kind !== 'batch') return;
    frame.events.forEach((event, index) => {
      passed.push({ n: event.n as number, time: frame.times[index] as number, cause: frame.causes[index] as number });
      ledger.settle(frame.causes[index] as number, outcome.delivered);
    });
  });
  ledger.open(batch.times.length, 0);
  frames.next(batch);
  ledger.close();
  return passed;
}

function columnsOf(numbers: readonly number[]): Batch {
  const columns = new EventColumns(['n'], [[0, ...numbers]], { offset: 1, length: numbers.length });
  return columnBatch(columns, batchOf(numbers));
}

function runFused(
  chain: readonly FusedStep[],
  numbers: readonly number[],
  { asColumns = false, looksOn = false, givesColumns = false } = {},
): Ran & { readonly between: unknown } {
  const ledger = new Ledger();
  const fused = new FusedRunner(chain, ledger, { givesColumns });
  const frames = new Subject<Frame>();
  fused.connect(frames);
  const { views } = fused;
  const between: unknown[] = [];
  if (looksOn)
    for (const { node, output } of views.slice(0, -1))
      output('out').subscribe((frame) => frame.kind === 'batch' && between.push(node, frame.events));
  const batch = asColumns ? columnsOf(numbers) : batchOf(numbers);
  const passed = collect(frames, (views.at(-1) as (typeof views)[number]).output('out'), batch, ledger);
  return { passed, between, counts: views.map(({ counts }) => counts), accounting: ledger.accounting };
}

function runApart(chain: readonly FusedStep[], numbers: readonly number[]): Ran {
  const ledger = new Ledger();
  const frames = new Subject<Frame>();
  const runners = chain.map(
    ({ node, transform }) =>
      new OperatorRunner({
        node,
        bound: { ports: { out: { fields: {} } }, stateless: transform ?? ((event) => event) },
        inputs: ['from'],
        ledger,
      }),
  );
  runners.forEach((runner, at) => {
    runner.connect('from', at === 0 ? frames : (runners[at - 1] as OperatorRunner).output('out'));
  });
  const passed = collect(frames, (runners.at(-1) as OperatorRunner).output('out'), batchOf(numbers), ledger);
  return { passed, counts: runners.map(({ counts }) => counts), accounting: ledger.accounting };
}

/** Steps as operators make them, which run over columns too; the last only over objects. */
const columnSteps: readonly FusedStep[] = [
  {
    node: 'even',
    transform: selecting({
      evaluate: (event) => (event.n as number) % 2 === 0,
      write: (code) => `${code.field('n')} % 2 === 0`,
    }),
  },
  {
    node: 'large',
    transform: selecting({ evaluate: (event) => (event.n as number) > 9, write: (code) => `${code.field('n')} > 9` }),
  },
  {
    node: 'half',
    transform: mapping(
      [],
      [{ name: 'n', evaluate: (event) => (event.n as number) / 2, write: (code) => `${code.field('n')} / 2` }],
    ),
  },
  { node: 'found', transform: thirds({ drop: true }) },
  { node: 'all', transform: thirds({ drop: false }) },
  { node: 'small', transform: (event) => ((event.n as number) < 20 ? event : null) },
];

/** Finds a third of most numbers. */
function thirds({ drop }: { drop: boolean }) {
  const find = (value: unknown) => ((value as number) % 4 === 0 ? null : [(value as number) / 3]);
  return completing({ key: 'n', find, kept: [], added: ['n'], drop });
}

describe('fused operators', () => {
  it('do over columns what they do over objects, looked at in between or not', () => {
    const chains = fc.array(fc.constantFrom(...columnSteps), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        chains,
        fc.array(fc.nat({ max: 60 }), { maxLength: 50 }),
        fc.record({ looksOn: fc.boolean(), givesColumns: fc.boolean() }),
        (chain, numbers, { looksOn, givesColumns }) => {
          const named = chain.map((step, at) => ({ ...step, node: `${step.node}${at}` }));
          const overColumns = runFused(named, numbers, { looksOn, givesColumns, asColumns: true });
          expect(overColumns).toEqual(runFused(named, numbers, { looksOn }));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('do what the same operators do one by one, counts and outcomes included', () => {
    fc.assert(
      fc.property(
        fc.subarray([...steps, asItIs, ...columnSteps.map((step) => ({ ...step, node: `${step.node} too` }))], {
          minLength: 1,
        }),
        fc.array(fc.nat({ max: 100 }), { maxLength: 50 }),
        (chain, numbers) => {
          expect(runFused(chain, numbers)).toMatchObject(runApart(chain, numbers));
        },
      ),
    );
  });

  it('show what passes between them to whoever looks, without changing an outcome', () => {
    const ledger = new Ledger();
    const fused = new FusedRunner(steps, ledger);
    const frames = new Subject<Frame>();
    fused.connect(frames);
    const seen: unknown[] = [];
    fused.views[0]?.output('out').subscribe((frame) => {
      if (frame.kind === 'batch') seen.push(...frame.events);
    });
    ledger.open(3, 0);
    frames.next(batchOf([1, 2, 90]));
    ledger.close();
    expect(seen).toEqual([{ n: 2 }, { n: 90 }]);
    expect(ledger.accounting).toMatchObject({ in: 3, filtered: 2, dropped: 1 });
    expect(isBalanced(ledger.accounting)).toBe(true);
  });
});

describe('events that are completed', () => {
  const complete = (drop: boolean) =>
    completing({
      key: 'ward',
      find: (value) => ({ W1: [10, null], W2: [20, 'b'] })[value as string] ?? null,
      kept: ['ward', 'n'],
      added: ['beds', 'note'],
      drop,
    });
  const wards = [
    { ward: 'W2', n: 1 },
    { ward: null, n: 2 },
    { ward: 'W9', n: 3 },
    { ward: 'W1', n: 4 },
  ];
  const found = [
    { ward: 'W2', n: 1, beds: 20, note: 'b' },
    { ward: 'W1', n: 4, beds: 10, note: null },
  ];
  const nothing = { beds: null, note: null };
  const all = [found[0], { ...wards[1], ...nothing }, { ...wards[2], ...nothing }, found[1]];

  it.each([
    ['nothing is found for drop out', true, found],
    ['nothing is found for have nulls', false, all],
  ])('one by one, over objects and over columns: those that %s', (_, drop, expected) => {
    const transform = complete(drop);
    const one = (event: (typeof wards)[number]) => transform(event) ?? [];
    expect(wards.flatMap(one)).toEqual(expected);
    const names = ['ward', 'n'];
    const columns = new EventColumns(names, [wards.map(({ ward }) => ward), wards.map(({ n }) => n)], { length: 4 });
    const lineage = { times: [1, 2, 3, 4], causes: [0, 1, 2, 3] };
    const batches: Batch[] = [columnBatch(columns, lineage), { kind: 'batch', events: wards, ...lineage }];
    for (const batch of batches) {
      for (const givesColumns of [true, false]) {
        const ledger = new Ledger();
        const fused = new FusedRunner([{ node: 'beds', transform }], ledger, { givesColumns });
        const frames = new Subject<Frame>();
        fused.connect(frames);
        const seen: Batch[] = [];
        fused.views[0]?.output('out').subscribe((frame) => frame.kind === 'batch' && seen.push(frame));
        ledger.open(4, 0);
        frames.next(batch);
        expect(seen.flatMap(({ events }) => events)).toEqual(expected);
        expect(seen.flatMap(({ causes }) => causes)).toEqual(drop ? [0, 3] : [0, 1, 2, 3]);
        expect(seen[0]?.columns !== undefined).toBe(givesColumns && batch.columns !== undefined);
      }
    }
  });
});
