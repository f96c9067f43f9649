/** The interval join in its forms, against every pair tried. */
import fc from 'fast-check';
import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Event, Frame, Schema } from '../../runtime/stream/index.ts';
import { Ledger } from '../../runtime/stream/ledger.ts';
import { OperatorRunner } from '../../runtime/stream/operator-runner.ts';
import {
  at,
  bindOperator,
  expectSameForAnyCut,
  operatorRun,
  type Step,
  watermark,
} from '../../runtime/testing/operator-harness.ts';
import { waitingPerKeyMax } from './interval.ts';
import { bothSides, interval, left, optionsFor, right, type Seen, sorted } from './join.fixture.ts';
import { join } from './join.ts';

/** A join of two inputs that are fed by hand. */
function openByHand(extra: object) {
  const options = optionsFor({ within: { before: '20s', after: '5s' }, ...extra });
  const { bound } = bindOperator({ definition: join, options, schema: { left, right } });
  const runner = new OperatorRunner({ node: 'n', bound, inputs: ['left', 'right'], ledger: new Ledger() });
  const subjects = { left: new Subject<Frame>(), right: new Subject<Frame>() };
  for (const [name, subject] of Object.entries(subjects)) runner.connect(name, subject);
  const given: Event[] = [];
  runner.output('out').subscribe((frame) => {
    if (frame.kind === 'batch') given.push(...frame.events);
  });
  const send = (input: 'left' | 'right', events: readonly Event[], time: number) => {
    const times = events.map(() => time);
    subjects[input].next({ kind: 'batch', events, times, causes: times.map(() => -1) });
    runner.flush();
  };
  const move = (time: number) => {
    for (const subject of Object.values(subjects)) subject.next({ kind: 'watermark', time, idle: false });
    runner.flush();
  };
  return { runner, given, send, move };
}

describe('interval join', () => {
  it.each([
    { kind: 'inner', latenessMs: 0 },
    { kind: 'left', latenessMs: 0 },
    { kind: 'left', latenessMs: 20_000 },
  ])('agrees with every pair tried: %o', ({ kind, latenessMs }) => {
    const run = interval({ kind, lateness: `${latenessMs}ms` });
    fc.assert(
      fc.property(bothSides, (steps) => {
        const lefts: (Seen & { matched: boolean })[] = [];
        const rights: Seen[] = [];
        const expected: Seen[] = [];
        let late = 0;
        let mark = Number.NEGATIVE_INFINITY;
        for (const step of steps) {
          if (step.kind === 'watermark') mark = Math.max(mark, step.time);
          else if (step.time < mark - latenessMs) late++;
          else if (step.input === 'left') lefts.push({ event: step.event, time: step.time, matched: false });
          else rights.push(step);
        }
        for (const one of lefts) {
          for (const other of rights) {
            const apart = other.time - one.time;
            if (one.event.hospital === null || one.event.hospital !== other.event.hospital) continue;
            if (apart < -20_000 || apart > 5_000) continue;
            one.matched = true;
            const event = { ...one.event, beds: other.event.beds };
            expected.push({ event, time: Math.max(one.time, other.time) });
          }
          if (kind === 'left' && !one.matched) expected.push({ event: { ...one.event, beds: null }, time: one.time });
        }
        const result = run(steps);
        expect(sorted(result.ports.out ?? [])).toEqual(sorted(expected));
        expect(result.ports.late ?? []).toHaveLength(late);
      }),
    );
  });

  it.each(['left', 'inner'])('is the same for any cut and crash: %s', (kind) => {
    expectSameForAnyCut(interval({ kind, lateness: '10s' }), bothSides);
  });

  it('goes on with the right events of an inner join when it gives left events alone too', () => {
    const inner = openByHand({ kind: 'inner' });
    inner.send('right', [{ hospital: 'H1', beds: 1 }], 30_000);
    inner.send('right', [{ hospital: 'H2', beds: 2 }], 31_000);
    inner.move(30_000);
    const both = openByHand({ kind: 'left' });
    both.runner.restore(structuredClone(inner.runner.snapshot()));
    both.runner.resume();
    both.send('left', [{ hospital: 'H2', patients: 2 }], 32_000);
    both.send('left', [{ hospital: 'H3', patients: 3 }], 32_000);
    both.send('left', [{ hospital: 'H1', patients: 1 }], 51_000);
    both.move(70_000);
    expect(both.given).toEqual([
      { hospital: 'H2', patients: 2, beds: 2 },
      { hospital: 'H3', patients: 3, beds: null },
      // Its right event lay 21 s before it.
      { hospital: 'H1', patients: 1, beds: null },
    ]);
    expect(both.runner.stateKeys).toBe(0);
  });

  it('counts both bounds, and lets go when the watermark is past them', () => {
    const run = interval({ kind: 'left' });
    const patient = { hospital: 'H1', patients: 1 };
    const before = [at(0, { hospital: 'H1', beds: 1 }, 'right'), watermark(20_000), at(20_000, patient, 'left')];
    expect(run(before).events()).toEqual([{ ...patient, beds: 1 }]);
    const after = [at(0, patient, 'left'), watermark(5_000), at(5_000, { hospital: 'H1', beds: 2 }, 'right')];
    expect(run(after).events()).toEqual([{ ...patient, beds: 2 }]);
    const open = [at(0, patient, 'left'), watermark(5_000)];
    expect(run(open, { finish: false }).events()).toEqual([]);
    const past = [...open, watermark(5_001)];
    expect(run(past, { finish: false }).ports.out).toEqual([{ event: { ...patient, beds: null }, time: 0 }]);
  });

  it('turns an event away as a dead letter when its key has too many waiting', () => {
    const steps: Step[] = Array.from({ length: waitingPerKeyMax + 1 }, () =>
      at(0, { hospital: 'H1', beds: 1 }, 'right'),
    );
    const result = interval()(steps);
    expect(result.accounting).toMatchObject({ delivered: waitingPerKeyMax, dead_lettered: 1 });
  });

  it('never sends an event behind the watermark that it has sent on', () => {
    const options = optionsFor({ within: { before: '20s', after: '5s' }, kind: 'left', lateness: '10s' });
    const { bound } = bindOperator({ definition: join, options, schema: { left, right } });
    fc.assert(
      fc.property(bothSides, (steps) => {
        const runner = new OperatorRunner({ node: 'n', bound, inputs: ['left', 'right'], ledger: new Ledger() });
        const subjects = { left: new Subject<Frame>(), right: new Subject<Frame>() };
        for (const [name, subject] of Object.entries(subjects)) runner.connect(name, subject);
        let promised = Number.NEGATIVE_INFINITY;
        runner.output('out').subscribe((frame) => {
          if (frame.kind === 'watermark') promised = frame.time;
          if (frame.kind === 'batch') for (const time of frame.times) expect(time).toBeGreaterThanOrEqual(promised);
        });
        for (const step of steps) {
          if (step.kind === 'event') {
            const batch = { kind: 'batch', events: [step.event], times: [step.time], causes: [-1] } as const;
            subjects[step.input as 'left' | 'right'].next(batch);
          } else for (const subject of Object.values(subjects)) subject.next(step);
          runner.flush();
        }
      }),
    );
  });
});

const shifts: Schema = {
  fields: {
    hospital: { type: { kind: 'string' }, nullable: true },
    patients: { type: { kind: 'int' } },
    ends_at: { type: { kind: 'timestamp' }, nullable: true },
  },
};

/** As `bothSides`, with left events that say until when: before they lie themselves, too. */
const withEnds = bothSides.map((steps) =>
  steps.map((step) => {
    if (step.kind !== 'event' || step.input !== 'left') return step;
    const { patients } = step.event;
    const ends_at = Number(patients) % 5 === 0 ? null : step.time + (Number(patients) - 40) * 1_000;
    return { ...step, event: { ...step.event, ends_at } };
  }),
);

describe('what waits in an interval join', () => {
  const rightsOf = (from: number, count: number) =>
    Array.from({ length: count }, (_, at) => ({ hospital: `H${from + at}`, beds: at }));

  it('is seen by key, and no more once it has ended', () => {
    const { runner, send, move } = openByHand({ kind: 'left' });
    send('left', [{ hospital: 'H1', patients: 1 }], 10_000);
    send(
      'right',
      [
        { hospital: 'H1', beds: 7 },
        { hospital: 'H2', beds: 8 },
      ],
      12_000,
    );
    expect(runner.stateKeys).toBe(2);
    const lefts = {
      lefts: [{ hospital: 'H1', patients: 1 }],
      leftTimes: [10_000],
      leftOrders: [0],
      leftMatches: [1],
    };
    expect(runner.view().entries('H1')).toEqual([
      { state: 'waiting', value: { ...lefts, rights: [[7]], rightTimes: [12_000] }, time: 10_000 },
    ]);
    move(15_001);
    expect(runner.view().entries('H1')).toMatchObject([{ value: { lefts: [], rights: [[7]] } }]);
    move(32_001);
    expect(runner.view().entries('H1')).toEqual([]);
    expect([...(runner.snapshot().states.get('waiting')?.keys ?? [])]).toEqual([]);
  });

  it('is let go of in time while more comes, many at once, and still found', () => {
    const { runner, given, send, move } = openByHand({});
    for (let second = 0; second < 200; second++) {
      send('right', rightsOf(second * 100, 100), second * 1_000);
      move(second * 1_000);
      const past = second - 10;
      if (past < 0) continue;
      given.length = 0;
      send('left', [{ hospital: `H${past * 100 + 5}`, patients: past }], second * 1_000);
      expect(given).toEqual([{ hospital: `H${past * 100 + 5}`, patients: past, beds: 5 }]);
    }
    // 20 s of the right and 5 s of the left wait; as many again may lie there until they are swept.
    expect(runner.stateKeys).toBeLessThan(2 * 2_200);
    move(400_000);
    expect(runner.stateKeys).toBe(0);
  });

  it('is in a checkpoint once, also where one of the two sides has ended and lies there still', () => {
    const { runner, send, move } = openByHand({});
    send(
      'left',
      [
        { hospital: 'H1', patients: 1 },
        { hospital: 'H2', patients: 2 },
      ],
      0,
    );
    send('right', [{ hospital: 'H1', beds: 7 }], 2_000);
    move(5_001);
    const { keys, values } = runner.snapshot().states.get('waiting') ?? {};
    expect([keys, values]).toEqual([['H1'], [[7]]]);
  });

  it('comes out alone in the order in which it came, also after sweeps and a restart', () => {
    const patients = (given: readonly Event[]) => given.map((event) => event.patients);
    const { runner, given, send, move } = openByHand({ kind: 'left' });
    const leftOf = (at: number) => ({ hospital: `H${(at * 7) % 400}`, patients: at });
    for (let second = 0; second < 8; second++) {
      send(
        'left',
        Array.from({ length: 100 }, (_, at) => leftOf(second * 100 + at)),
        second * 1_000,
      );
      move(second * 1_000);
    }
    const again = openByHand({ kind: 'left' });
    again.runner.restore(structuredClone(runner.snapshot()));
    again.runner.resume();
    move(30_000);
    again.move(30_000);
    expect(patients(given)).toEqual(Array.from({ length: 800 }, (_, at) => at));
    expect(patients(again.given)).toEqual(patients(given).slice(200));
  });
});

describe('join until a time that the left event tells', () => {
  it.each([{ kind: 'inner' }, { kind: 'left' }])('agrees with every pair tried: %o', ({ kind }) => {
    const options = optionsFor({ within: { before: '3s', until: 'ends_at' }, kind });
    const run = operatorRun({ definition: join, options, schema: { left: shifts, right } });
    fc.assert(
      fc.property(withEnds, (steps) => {
        let mark = Number.NEGATIVE_INFINITY;
        const taken: Step[] = [];
        for (const step of steps) {
          if (step.kind === 'watermark') mark = Math.max(mark, step.time);
          else if (step.time >= mark) taken.push(step);
        }
        const events = taken.flatMap((step) => (step.kind === 'event' ? [step] : []));
        const expected: Seen[] = [];
        for (const one of events.filter(({ input }) => input === 'left')) {
          const until = one.event.ends_at === null ? one.time : Number(one.event.ends_at);
          const partners = events.filter(
            ({ input, event, time }) =>
              input === 'right' &&
              event.hospital !== null &&
              event.hospital === one.event.hospital &&
              time >= one.time - 3_000 &&
              time <= until,
          );
          for (const { event, time } of partners)
            expected.push({ event: { ...one.event, beds: event.beds }, time: Math.max(time, one.time) });
          if (kind === 'left' && partners.length === 0) {
            const time = one.event.hospital === null ? one.time : Math.max(one.time, until);
            expected.push({ event: { ...one.event, beds: null }, time });
          }
        }
        expect(sorted(run(steps).ports.out ?? [])).toEqual(sorted(expected));
      }),
    );
  });

  it('is the same for any cut and crash', () => {
    const options = optionsFor({ within: { before: '3s', until: 'ends_at' }, kind: 'left' });
    expectSameForAnyCut(operatorRun({ definition: join, options, schema: { left: shifts, right } }), withEnds);
  });

  it('gives a left event alone that came after its end, also after a crash, and does not let it go for another key', () => {
    const options = optionsFor({ within: { until: 'ends_at' }, kind: 'left', keys: 1 });
    const run = operatorRun({ definition: join, options, schema: { left: shifts, right } });
    const shift = { hospital: 'H1', patients: 1, ends_at: 10_000 };
    const steps = [
      watermark(60_000),
      at(60_000, shift, 'left'),
      at(60_000, { ...shift, hospital: 'H2' }, 'left'),
      watermark(61_000),
    ];
    for (const schedule of [{}, { cuts: [2, 1, 1], crashesAfter: [0, 1] }]) {
      const { ports } = run(steps, schedule);
      expect(ports.out).toEqual([{ event: { ...shift, beds: null }, time: 60_000 }]);
      expect(ports.dead).toMatchObject([{ event: { hospital: 'H2', code: 'MACH1800' } }]);
    }
  });
});

describe('join for ever', () => {
  const forever = (within: unknown = 'forever', extra: object = {}) => interval({ within, ...extra });

  it('lets go of what can have no partner any more', () => {
    const run = operatorRun({
      definition: join,
      options: optionsFor({ within: { after: '5s' }, keys: 1 }),
      schema: { left, right },
    });
    const steps = Array.from({ length: 50 }, (_, index) => [
      at(index * 10_000, { hospital: `H${index}`, patients: index }, 'left'),
      at(index * 10_000, { hospital: `H${index}`, beds: index }, 'right'),
      watermark(index * 10_000 + 7_000),
    ]).flat();
    expect(run(steps).accounting).toMatchObject({ delivered: 100, dead_lettered: 0 });
  });

  it('gives every pair of equal keys, whichever comes first and however late', () => {
    fc.assert(
      fc.property(bothSides, (steps) => {
        const events = steps.flatMap((step) => (step.kind === 'event' ? [step] : []));
        const expected = events
          .filter(({ input, event }) => input === 'left' && event.hospital !== null)
          .flatMap((one) =>
            events
              .filter(({ input, event }) => input === 'right' && event.hospital === one.event.hospital)
              .map(({ event, time }) => ({
                event: { ...one.event, beds: event.beds },
                time: Math.max(time, one.time),
              })),
          );
        expect(sorted(forever()(steps).ports.out ?? [])).toEqual(sorted(expected));
      }),
    );
  });

  it.each([
    { before: 'forever', after: '5s' },
    { before: '20s', after: 'forever' },
  ])('with one end agrees with every pair tried: %o', ({ before, after }) => {
    const lengthOf = (text: string) =>
      text === 'forever' ? Number.POSITIVE_INFINITY : Number(text.slice(0, -1)) * 1_000;
    fc.assert(
      fc.property(bothSides, (steps) => {
        let mark = Number.NEGATIVE_INFINITY;
        const sides: { left: Seen[]; right: Seen[] } = { left: [], right: [] };
        for (const step of steps) {
          if (step.kind === 'watermark') mark = Math.max(mark, step.time);
          else if (step.time >= mark || (step.input === 'left' ? before : after) === 'forever')
            sides[step.input as 'left' | 'right'].push(step);
        }
        const expected = sides.left.flatMap((one) =>
          sides.right
            .filter(({ event, time }) => {
              const apart = time - one.time;
              if (event.hospital === null || event.hospital !== one.event.hospital) return false;
              return apart >= -lengthOf(before) && apart <= lengthOf(after);
            })
            .map(({ event, time }) => ({ event: { ...one.event, beds: event.beds }, time: Math.max(time, one.time) })),
        );
        expect(sorted(forever({ before, after })(steps).ports.out ?? [])).toEqual(sorted(expected));
      }),
    );
  });

  it.each(['forever', { before: 'forever', after: '5s' }])('is the same for any cut and crash: %j', (within) =>
    expectSameForAnyCut(forever(within), bothSides),
  );

  it('is the same for any cut and crash where left events come out alone', () =>
    expectSameForAnyCut(forever({ before: 'forever', after: '5s' }, { kind: 'left' }), bothSides));

  it('turns away what would be one key too many', () => {
    const result = forever('forever', { keys: 1 })([
      at(0, { hospital: 'H1', beds: 1 }, 'right'),
      at(0, { hospital: 'H2', beds: 1 }, 'right'),
      at(1, { hospital: 'H1', patients: 1 }, 'left'),
    ]);
    expect(result.events('dead')).toMatchObject([{ hospital: 'H2', code: 'MACH1800' }]);
    expect(result.events()).toEqual([{ hospital: 'H1', patients: 1, beds: 1 }]);
  });
});
