/** The frame protocol, outcomes, and one order for every cut of the input. */
import fc from 'fast-check';
import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { EventColumns } from './event-columns.ts';
import { columnBatch, end, type Frame } from './frame.ts';
import { NodeFailure } from './frame-subscriber.ts';
import { isBalanced, Ledger, outcome } from './ledger.ts';
import type { BoundOperator } from './operator-definition.ts';
import { OperatorRunner } from './operator-runner.ts';
import type { Event } from './schema.ts';

const passing: BoundOperator = { ports: { out: { fields: {} } }, stateless: (event) => event };

function runnerOf(bound: BoundOperator, inputs: readonly string[] = ['from']) {
  const ledger = new Ledger();
  const runner = new OperatorRunner({ node: 'under-test', bound, inputs, ledger });
  const subjects = new Map(inputs.map((name) => [name, new Subject<Frame>()]));
  for (const [name, subject] of subjects) runner.connect(name, subject);
  const frames: Frame[] = [];
  runner.output('out').subscribe((frame) => frames.push(frame));
  return {
    runner,
    ledger,
    frames,
    input: (name = 'from') => subjects.get(name) as Subject<Frame>,
    events: () => frames.flatMap((frame) => (frame.kind === 'batch' ? frame.events : [])),
    watermarks: () => frames.flatMap((frame) => (frame.kind === 'watermark' ? [[frame.time, frame.idle]] : [])),
  };
}

const batch = (events: readonly Event[], firstCause = 0): Frame => ({
  kind: 'batch',
  events,
  times: events.map((_, index) => index),
  causes: events.map((_, index) => firstCause + index),
});
const mark = (time: number, idle = false): Frame => ({ kind: 'watermark', time, idle });

describe('frames of one input', () => {
  it('come out one for one, watermarks rising, the end once', () => {
    const { input, frames, watermarks } = runnerOf(passing);
    input().next(batch([{ n: 1 }, { n: 2 }]));
    for (const time of [5, 5, 3, 8]) input().next(mark(time));
    input().next(end);
    expect(frames[0]).toEqual(batch([{ n: 1 }, { n: 2 }]));
    expect(watermarks()).toEqual([
      [5, false],
      [8, false],
      [Number.POSITIVE_INFINITY, false],
    ]);
    expect(frames.filter(({ kind }) => kind === 'end')).toHaveLength(1);
  });

  it('turn idle and active again without moving time', () => {
    const { input, watermarks } = runnerOf(passing);
    input().next(mark(5));
    input().next(mark(5, true));
    input().next(mark(5, true));
    input().next(mark(5));
    expect(watermarks()).toEqual([
      [5, false],
      [5, true],
      [5, false],
    ]);
  });

  it('hold the watermark before what is still to come', () => {
    let holds = 3;
    const { input, watermarks } = runnerOf({
      ports: { out: { fields: {} } },
      create: () => ({ event: (event, _time, out) => out.emit(event), holdsFrom: () => holds }),
    });
    input().next(mark(10));
    holds = Number.POSITIVE_INFINITY;
    input().next(mark(11));
    expect(watermarks()).toEqual([
      [2, false],
      [11, false],
    ]);
  });

  it('fire timers by time, before the watermark goes on, and those that timers set', () => {
    const { input, frames } = runnerOf({
      ports: { out: { fields: {} } },
      create: ({ timers }) => ({
        event: (event) => timers.set(String(event.key), 'due', event.at as number),
        timer(key, name, time, out) {
          out.emit({ key, name, time });
          if (key === 'a') timers.set('again', 'due', time + 1);
        },
      }),
    });
    input().next(
      batch([
        { key: 'b', at: 20 },
        { key: 'a', at: 10 },
        { key: 'c', at: 40 },
      ]),
    );
    input().next(mark(30));
    expect(frames.map((frame) => (frame.kind === 'batch' ? frame.events.map(({ key }) => key) : frame.kind))).toEqual([
      ['a', 'again', 'b'],
      'watermark',
    ]);
    expect(frames[0]).toMatchObject({ times: [10, 11, 20], causes: [-1, -1, -1] });
  });
});

describe('events that time makes as columns', () => {
  it('come out between those sent one by one, in the order in which they were given', () => {
    const bound: BoundOperator = {
      ports: { out: { fields: {} } },
      create: () => ({
        event: (event, _time, out) => out.emit(event),
        watermark(time, out) {
          out.emit({ n: 1 });
          out.emitColumns(new EventColumns(['n'], [[2, 3]], { length: 2 }), [time, time + 1]);
          out.emitColumns(new EventColumns(['n'], [[4]], { length: 1 }), [time]);
          out.emit({ n: 5 });
        },
      }),
    };
    const { input, frames, events, runner } = runnerOf(bound);
    input().next(batch([{ n: 0 }]));
    input().next(mark(9));
    expect(events().map(({ n }) => n)).toEqual([0, 1, 2, 3, 4, 5]);
    const batches = frames.flatMap((frame) => (frame.kind === 'batch' ? [frame] : []));
    expect(batches.flatMap(({ times }) => times)).toEqual([0, 9, 9, 10, 9, 9]);
    expect(batches.flatMap(({ causes }) => causes)).toEqual([0, -1, -1, -1, -1, -1]);
    expect(batches.map(({ columns }) => columns?.length)).toEqual([undefined, undefined, 2, 1, undefined]);
    expect(frames.at(-1)).toEqual(mark(9));
    expect(runner.counts.out).toBe(6);
  });
});

describe('events that come as columns', () => {
  it('are given one by one to a handler that takes objects alone, whatever its operator says', () => {
    // So `why` looks on: it wraps the handler of an operator.
    const bound: BoundOperator = {
      ports: { out: { fields: {} } },
      readsColumns: true,
      create: () => ({ event: (event, _time, out) => out.emit(event) }),
    };
    const { input, events, runner } = runnerOf(bound);
    input().next(columnBatch(new EventColumns(['n'], [[1, 2]], { length: 2 }), { times: [1, 2], causes: [0, 1] }));
    expect(events()).toEqual([{ n: 1 }, { n: 2 }]);
    expect(runner.counts).toMatchObject({ in: 2, out: 2 });
  });
});

describe('outcomes', () => {
  const deciding: BoundOperator = {
    ports: { out: { fields: {} }, side: { fields: {} } },
    create: () => ({
      event(event, time, out) {
        if (event.do === 'emit') out.emit(event);
        if (event.do === 'side') out.emit(event, time, 'side');
        if (event.do === 'filter') out.filtered();
        if (event.do === 'late') out.late(event, time);
        if (event.do === 'drop') out.dropped('sampled');
        if (event.do === 'dead') out.dead(event, 'MACH9900', 'no reason');
      },
    }),
  };

  it('are counted and settled once for each event', () => {
    const { input, ledger, runner, events } = runnerOf(deciding);
    const dead: Event[] = [];
    runner.output('dead').subscribe((frame) => frame.kind === 'batch' && dead.push(...frame.events));
    const wanted = ['emit', 'side', 'filter', 'late', 'drop', 'dead', 'keep'];
    ledger.open(wanted.length, 0);
    input().next(batch(wanted.map((one) => ({ do: one }))));
    ledger.settle(0, outcome.delivered);
    ledger.close();
    expect(runner.counts).toEqual({ in: 7, out: 2, filtered: 1, late: 1, dropped: 1, dead: 1 });
    expect(events()).toEqual([{ do: 'emit' }]);
    expect(dead).toEqual([{ do: 'dead', code: 'MACH9900', reason: 'no reason' }]);
    expect(ledger.accounting).toEqual({
      in: 7,
      // Kept in the state counts as delivered: it is part of later results.
      delivered: 2,
      filtered: 1,
      late: 1,
      dropped: 2,
      dead_lettered: 1,
      dropped_by_reason: { 'unused port side': 1, sampled: 1 },
      redriven: 0,
    });
    expect(isBalanced(ledger.accounting)).toBe(true);
  });

  it('what an operator throws goes up to the sender of the frame, with the name of the node', () => {
    const first = runnerOf(passing);
    const second = new OperatorRunner({
      node: 'frail',
      bound: {
        ports: { out: { fields: {} } },
        create: () => ({
          event() {
            throw new Error('cannot');
          },
        }),
      },
      inputs: ['from'],
      ledger: first.ledger,
    });
    second.connect('from', first.runner.output('out'));
    let thrown: unknown;
    try {
      first.input().next(batch([{ n: 1 }]));
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(NodeFailure);
    expect(thrown).toMatchObject({ node: 'frail', message: 'cannot' });
  });
});

/** source -> left and right branches, one of which drops and one of which doubles -> merged, numbered. */
function diamond() {
  const ledger = new Ledger();
  const source = new Subject<Frame>();
  const node = (name: string, bound: BoundOperator, inputs: readonly string[] = ['from']) =>
    new OperatorRunner({ node: name, bound, inputs, ledger });
  const odd = node('odd', {
    ports: { out: { fields: {} } },
    stateless: (event) => ((event.n as number) % 2 ? event : null),
  });
  const twice = node('twice', {
    ports: { out: { fields: {} } },
    create: () => ({
      event(event, _time, out) {
        out.emit({ ...event, copy: 1 });
        out.emit({ ...event, copy: 2 });
      },
    }),
  });
  const merged = node(
    'merged',
    {
      ports: { out: { fields: {} } },
      create(context) {
        const count = context.keyedState<number>('count');
        return {
          event(event, time, out, input) {
            const number = (count.get('n') ?? 0) + 1;
            count.set('n', number, time);
            out.emit({ ...event, input, number });
          },
        };
      },
    },
    ['right', 'left'],
  );
  odd.connect('from', source);
  twice.connect('from', source);
  // The order in which edges are wired must not matter: it is that of the inputs.
  merged.connect('left', odd.output('out'));
  merged.connect('right', twice.output('out'));
  const rows: Event[] = [];
  merged.output('out').subscribe((frame) => frame.kind === 'batch' && rows.push(...frame.events));
  return { source, merged, ledger, rows };
}

/** Steps are events and watermarks; a wave ends at each watermark, and at each end of a message. */
function runDiamond(steps: readonly (number | null)[], cuts: readonly number[]): Event[] {
  const { source, merged, ledger, rows } = diamond();
  let from = 0;
  let time = 0;
  for (const length of [...cuts, steps.length]) {
    const message = steps.slice(from, from + length);
    from += length;
    const events = message.filter((step) => step !== null).length;
    ledger.open(events, 0);
    let cause = 0;
    let wave: Event[] = [];
    const send = () => {
      if (wave.length > 0) source.next(batch(wave, cause - wave.length));
      wave = [];
      merged.flush();
    };
    for (const step of message) {
      if (step === null) {
        send();
        source.next(mark(++time));
        merged.flush();
        continue;
      }
      wave.push({ n: step });
      cause++;
    }
    send();
    ledger.close();
  }
  return rows;
}

describe('several inputs', () => {
  it('are taken in the order of their causes, equal causes in the order of the inputs', () => {
    const rows = runDiamond([1, 2, 3], []);
    expect(rows.map(({ n, input, copy }) => `${n} ${input} ${copy ?? ''}`.trim())).toEqual([
      '1 right 1',
      '1 right 2',
      '1 left',
      '2 right 1',
      '2 right 2',
      '3 right 1',
      '3 right 2',
      '3 left',
    ]);
  });

  it('give the same order for every cut of the input', () => {
    const step = fc.oneof({ weight: 4, arbitrary: fc.nat(9) }, { weight: 1, arbitrary: fc.constant(null) });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 30 }),
        (steps, cuts) => {
          expect(runDiamond(steps, cuts)).toEqual(runDiamond(steps, []));
        },
      ),
    );
  });

  it('wait for the slowest that is active, and go on when it is idle', () => {
    const { input, runner, watermarks } = runnerOf(passing, ['left', 'right']);
    const send = (name: string, frame: Frame) => {
      input(name).next(frame);
      runner.flush();
    };
    send('left', mark(10));
    expect(watermarks()).toEqual([]);
    send('right', mark(4));
    send('right', mark(4, true));
    send('left', mark(12));
    send('left', mark(12, true));
    send('right', end);
    expect(watermarks()).toEqual([
      [4, false],
      [10, false],
      [12, false],
      [12, true],
    ]);
  });
});
