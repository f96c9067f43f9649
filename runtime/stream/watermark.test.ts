import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combineEdges, combineProgress, OriginWatermarks, type Progress } from './watermark.ts';

const active = (time: number): Progress => ({ time, idle: false, ended: false });
const idle = (time: number): Progress => ({ time, idle: true, ended: false });
const ended: Progress = { time: Number.POSITIVE_INFINITY, idle: false, ended: true };
const none = Number.NEGATIVE_INFINITY;
const all = Number.POSITIVE_INFINITY;

describe('combined progress', () => {
  // Flink's rule, FLINK-38477.
  it.each([
    ['no input', [], all, false],
    ['active: the minimum', [active(5), active(3)], 3, false],
    ['one that has not begun holds', [active(5), active(none)], none, false],
    ['idle ones hold no active one', [active(5), idle(3)], 5, false],
    ['nor do they push it', [active(5), idle(9)], 5, false],
    ['all idle: the maximum', [idle(3), idle(9)], 9, true],
    ['all idle, none ever heard', [idle(none)], none, true],
    ['ended ones count as if they were not there', [active(5), ended], 5, false],
    ['idle and ended', [idle(5), ended], 5, true],
    ['all ended', [ended, ended], all, false],
  ])('%s', (_, inputs, time, isIdle) => {
    expect(combineProgress(inputs)).toEqual({ time, idle: isIdle });
  });
});

describe('combined edges', () => {
  it.each([
    ['all idle: the minimum, for each goes on by its own steps', [idle(3), idle(9)], 3, true],
    ['an idle one that never brought anything holds nobody', [idle(none), idle(9)], 9, true],
    ['all idle, none ever brought anything', [idle(none), idle(none)], none, true],
    ['idle and ended', [idle(5), ended, idle(7)], 5, true],
    ['active ones as ever', [active(5), idle(3)], 5, false],
    ['all ended', [ended], all, false],
  ])('%s', (_, inputs, time, isIdle) => {
    expect(combineEdges(inputs)).toEqual({ time, idle: isIdle });
  });
});

describe('watermarks of origins', () => {
  it('are the newest time less the disorder, in whole steps', () => {
    const origins = new OriginWatermarks(5_000, 1_000);
    expect(origins.time).toBe(none);
    expect(origins.observe('H1', 10_000)).toBe(true);
    expect(origins.time).toBe(5_000);
    expect(origins.observe('H1', 10_999)).toBe(false);
    expect(origins.observe('H1', 9_000)).toBe(false);
    expect(origins.observe('H1', 11_000)).toBe(true);
    expect(origins.time).toBe(6_000);
  });

  it('wait for the slowest origin that is not silent, and say which it is', () => {
    const origins = new OriginWatermarks(0, 1_000);
    origins.observe('H1', 10_000);
    origins.observe('H2', 30_000);
    expect(origins.time).toBe(10_000);
    expect(origins.holding()).toEqual({ origin: 'H1', watermark: 10_000 });
    expect(origins.markIdle('H1', 5_000)).toBe(true);
    expect(origins.time).toBe(30_000);
    expect(origins.allIdle).toBe(false);
  });

  it('go on with the clock where every origin is silent', () => {
    const origins = new OriginWatermarks(2_000, 1_000);
    origins.observe('H1', 10_000);
    expect(origins.markIdle('H1', 60_000)).toBe(true);
    expect(origins.time).toBe(68_000);
    expect(origins.allIdle).toBe(true);
    origins.markIdle('H1', 120_000);
    expect(origins.time).toBe(128_000);
  });

  it('are not set back by a late event after a silence, and go on from where the silence had come', () => {
    const origins = new OriginWatermarks(0, 1_000);
    origins.observe('H1', 10_000);
    origins.markIdle('H1', 60_000);
    origins.observe('H1', 20_000);
    expect(origins.time).toBe(70_000);
    expect(origins.allIdle).toBe(false);
    origins.markIdle('H1', 30_000);
    expect(origins.time).toBe(100_000);
  });

  it('keep the last time when the last origin closes', () => {
    const origins = new OriginWatermarks(0, 1_000);
    origins.observe('H1', 10_000);
    expect(origins.close('H2')).toBe(false);
    origins.close('H1');
    expect(origins.time).toBe(10_000);
    expect(origins.allIdle).toBe(true);
  });

  it('of a source that never heard anyone hold nobody once it has said so, also after a restart', () => {
    const origins = new OriginWatermarks(0, 1_000);
    const restarted = new OriginWatermarks(0, 1_000);
    restarted.restore(structuredClone(origins.snapshot()));
    for (const each of [origins, restarted]) {
      expect(each.allIdle).toBe(false);
      expect(each.markQuiet()).toBe(true);
      expect(each.markQuiet()).toBe(false);
      expect(each.allIdle).toBe(true);
      expect(each.observe('H1', 5_000)).toBe(true);
      expect(each.allIdle).toBe(false);
    }
  });

  const move = fc.oneof(
    fc.record({ kind: fc.constant('event' as const), origin: fc.constantFrom('A', 'B', 'C'), ms: fc.nat(100_000) }),
    fc.record({ kind: fc.constant('idle' as const), origin: fc.constantFrom('A', 'B', 'C'), ms: fc.nat(100_000) }),
    fc.record({ kind: fc.constant('close' as const), origin: fc.constantFrom('A', 'B', 'C'), ms: fc.constant(0) }),
    fc.record({ kind: fc.constant('quiet' as const), origin: fc.constant('A'), ms: fc.constant(0) }),
  );

  function apply(
    origins: OriginWatermarks,
    { kind, origin, ms }: { kind: string; origin: string; ms: number },
  ): boolean {
    if (kind === 'event') return origins.observe(origin, ms);
    if (kind === 'quiet') return origins.markQuiet();
    return kind === 'idle' ? origins.markIdle(origin, ms) : origins.close(origin);
  }

  it('never go back, and say so when they move', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 80 }), (moves) => {
        const origins = new OriginWatermarks(3_000, 1_000);
        for (const one of moves) {
          const { time, allIdle } = origins;
          const moved = apply(origins, one);
          expect(origins.time).toBeGreaterThanOrEqual(time);
          if (origins.time !== time || origins.allIdle !== allIdle) expect(moved).toBe(true);
        }
      }),
    );
  });

  it('are the same after a restart at any place', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 60 }), fc.nat(60), (moves, cut) => {
        const whole = new OriginWatermarks(3_000, 1_000);
        let restarted = new OriginWatermarks(3_000, 1_000);
        for (const [index, one] of moves.entries()) {
          if (index === cut) {
            const snapshot = structuredClone(restarted.snapshot());
            restarted = new OriginWatermarks(3_000, 1_000);
            restarted.restore(snapshot);
          }
          const expected = apply(whole, one);
          expect(apply(restarted, one)).toBe(expected);
          expect(restarted.time).toBe(whole.time);
          expect(restarted.allIdle).toBe(whole.allIdle);
          expect(restarted.holding()).toEqual(whole.holding());
        }
      }),
    );
  });

  it('do not believe in the silence of an origin that somebody else has heard', () => {
    const origins = new OriginWatermarks(0, 1_000);
    origins.observe('H1', 10_000, 10_000);
    origins.observe('H1', 95_000, 95_000);
    // Stopped since 10 s, it has heard nobody for 90 s.
    expect(origins.markIdle('H1', 90_000, { at: 100_000, idleMs: 60_000 })).toBe(false);
    expect(origins).toMatchObject({ time: 95_000, allIdle: false });
    // What it had taken in before it was stopped.
    origins.observe('H1', 9_000, 10_000);
    expect(origins.time).toBe(95_000);
    origins.markIdle('H1', 145_000, { at: 155_000, idleMs: 60_000 });
    expect(origins).toMatchObject({ time: 155_000, allIdle: true });
  });
});

it('goes the same way by runs of events as by events', () => {
  const event = fc.record({ origin: fc.constantFrom('A', 'B'), time: fc.integer({ min: 0, max: 9_000 }) });
  const run = fc.record({
    events: fc.array(event, { minLength: 1, maxLength: 6 }),
    heardAt: fc.option(fc.integer({ min: 0, max: 9_000 }), { nil: undefined }),
    silent: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(run, { maxLength: 12 }), (runs) => {
      const [byRun, byEvent] = [new OriginWatermarks(500, 1_000), new OriginWatermarks(500, 1_000)];
      for (const { events, heardAt, silent } of runs) {
        const origin = events[0]?.origin ?? '';
        const times = events.map(({ time }) => time);
        const moved: number[] = [];
        for (let from = 0; from >= 0; ) {
          const next = byRun.observeRun(origin, times, {
            from,
            to: times.length,
            ...(heardAt !== undefined && { heardAt }),
          });
          if (next >= 0) moved.push(next);
          from = next;
        }
        const expected = times.flatMap((time, at) =>
          byEvent.observe(origin, Math.min(time, heardAt ?? all), heardAt) ? [at + 1] : [],
        );
        expect(moved).toEqual(expected);
        if (silent) for (const one of [byRun, byEvent]) one.markIdle(origin, 3_000);
        expect(byRun.snapshot()).toEqual(byEvent.snapshot());
      }
    }),
  );
});

it('is where the rule of all origins together puts it, whatever comes, falls silent, leaves and is restored', () => {
  const origin = fc.integer({ min: 0, max: 20 }).map(String);
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('event'), origin, ms: fc.integer({ min: 0, max: 30_000 }) }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('idle'), origin, ms: fc.integer({ min: 0, max: 9_000 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('close'), origin, ms: fc.constant(0) }) },
    { arbitrary: fc.record({ kind: fc.constant('restart'), origin, ms: fc.constant(0) }), weight: 1 },
    {
      arbitrary: fc.record({ kind: fc.constant('arrival'), origin, ms: fc.integer({ min: 0, max: 30_000 }) }),
      weight: 1,
    },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      let origins = new OriginWatermarks(500, 1_000);
      let furthest = none;
      for (const { kind, origin: name, ms } of steps) {
        if (kind === 'event') origins.observe(name, ms);
        else if (kind === 'idle') origins.markIdle(name, ms);
        else if (kind === 'close') origins.close(name);
        else if (kind === 'arrival') origins.observeArrival(ms);
        else {
          const restored = new OriginWatermarks(500, 1_000);
          restored.restore(origins.snapshot());
          origins = restored;
        }
        const known = origins
          .snapshot()
          .origins.map(([, state]) => ({ ...state, time: state.watermark, ended: false }));
        if (known.length === 0) continue;
        const { time, idle: isIdle } = combineProgress(known);
        furthest = Math.max(furthest, time);
        expect({ time: origins.time, idle: origins.allIdle }).toEqual({ time: furthest, idle: isIdle });
      }
    }),
    { numRuns: 500 },
  );
});
