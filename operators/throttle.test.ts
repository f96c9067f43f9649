import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineSchema, type Event, field } from '../runtime/stream/index.ts';
import {
  at,
  BindProblems,
  bindOperator,
  expectSameForAnyCut,
  operatorRun,
  type Step,
  stepsOf,
  watermark,
} from '../runtime/testing/operator-harness.ts';
import { throttle } from './throttle.ts';

const schema = defineSchema({ unit: field.string(), n: field.int() });
const event = fc.record({ unit: fc.constantFrom('A', 'B'), n: fc.nat({ max: 9 }) });
const runOf = (options: object) =>
  operatorRun({ definition: throttle, options: { from: 'in', key: 'unit', ...options }, schema });

interface NaiveBucket {
  tokens: number;
  time: number;
  waiting: { event: Event; time: number } | null;
  due: number;
}

/** Buckets that count tokens in fractions; every bucket is looked at, at every watermark. */
function naive(steps: readonly Step[], { events, every, latest }: { events: number; every: number; latest: boolean }) {
  const buckets = new Map<string, NaiveBucket>();
  const out: { event: Event; time: number }[] = [];
  let now = Number.NEGATIVE_INFINITY;
  let dropped = 0;
  const refill = (bucket: NaiveBucket, time: number) => {
    if (time <= bucket.time) return;
    bucket.tokens = Math.min(events, bucket.tokens + ((time - bucket.time) * events) / every);
    bucket.time = time;
  };
  const release = (bucket: NaiveBucket) => {
    if (!bucket.waiting) return;
    refill(bucket, bucket.due);
    bucket.tokens -= 1;
    out.push({ event: bucket.waiting.event, time: bucket.due });
    bucket.waiting = null;
  };
  const pass = (time: number) => {
    now = time;
    const due = [...buckets.values()].filter((bucket) => bucket.waiting && bucket.due <= now);
    for (const bucket of due.sort((a, b) => a.due - b.due)) release(bucket);
    for (const [unit, bucket] of buckets) if (bucket.time + every <= now) buckets.delete(unit);
  };
  for (const step of steps) {
    if (step.kind === 'watermark') {
      if (step.time > now) pass(step.time);
      continue;
    }
    const unit = step.event.unit as string;
    const bucket = buckets.get(unit) ?? { tokens: events, time: step.time, waiting: null, due: 0 };
    buckets.set(unit, bucket);
    if (bucket.waiting && step.time >= bucket.due) release(bucket);
    refill(bucket, step.time);
    if (!bucket.waiting && bucket.tokens > 1 - 1e-9) {
      bucket.tokens -= 1;
      out.push({ event: step.event, time: step.time });
    } else if (!latest) dropped++;
    else if (!bucket.waiting) {
      bucket.waiting = step;
      bucket.due = bucket.time + Math.ceil(((1 - bucket.tokens) * every) / events - 1e-6);
    } else {
      dropped++;
      if (step.time >= bucket.waiting.time) bucket.waiting = step;
    }
  }
  pass(Number.POSITIVE_INFINITY);
  return { out: out.map(({ event: one, time }) => ({ event: one, time })), dropped };
}

const byTimeThenUnit = (a: { event: Event; time: number }, b: { event: Event; time: number }) =>
  a.time - b.time || String(a.event.unit).localeCompare(String(b.event.unit));

describe.each([
  { events: 1, every: '10s', keep: 'first' },
  { events: 3, every: '1m', keep: 'first' },
  { events: 7, every: '1m', keep: 'first' },
  { events: 1, every: '30s', keep: 'latest' },
  { events: 3, every: '1m', keep: 'latest' },
])('throttle $events in $every, keep $keep', ({ events, every, keep }) => {
  const run = runOf({ events, every, keep });
  const everyMs = { '10s': 10_000, '30s': 30_000, '1m': 60_000 }[every] ?? 0;

  it('passes what plain buckets pass', () => {
    fc.assert(
      fc.property(stepsOf(event, { stepMs: 8_000 }), (steps) => {
        const expected = naive(steps, { events, every: everyMs, latest: keep === 'latest' });
        const result = run(steps);
        expect([...(result.ports.out ?? [])].sort(byTimeThenUnit)).toEqual(expected.out.sort(byTimeThenUnit));
        expect(result.accounting.dropped_by_reason.throttled ?? 0).toBe(expected.dropped);
      }),
      { numRuns: 300 },
    );
  });

  it('is the same for any cut and crash', () => {
    expectSameForAnyCut(run, stepsOf(event, { stepMs: 8_000 }));
  });

  it('never passes more than the bucket and what came back into it', () => {
    fc.assert(
      fc.property(stepsOf(event, { stepMs: 8_000, disorderMs: 0 }), (steps) => {
        const times = (run(steps).ports.out ?? []).filter((one) => one.event.unit === 'A').map(({ time }) => time);
        times.forEach((from, first) => {
          times.slice(first).forEach((to, count) => {
            expect(count + 1).toBeLessThanOrEqual(events + Math.floor(((to - from) * events) / everyMs));
          });
        });
      }),
    );
  });
});

describe('throttle', () => {
  it('lets the latest through when there is room, at that time', () => {
    const result = runOf({ every: '10s', keep: 'latest' })(
      [
        at(0, { unit: 'A', n: 1 }),
        at(4_000, { unit: 'A', n: 2 }),
        at(6_000, { unit: 'A', n: 3 }),
        at(5_000, { unit: 'A', n: 4 }),
        watermark(9_999),
        watermark(10_000),
        at(12_000, { unit: 'A', n: 5 }),
        at(25_000, { unit: 'A', n: 6 }),
      ],
      { finish: false },
    );
    expect(result.ports.out?.map(({ event: { n }, time }) => [n, time])).toEqual([
      [1, 0],
      [3, 10_000],
      [5, 20_000],
    ]);
    expect(result.accounting).toMatchObject({ in: 6, delivered: 4, dropped: 2 });
  });

  it('has a bound on keys: an event that would have to wait is dead', () => {
    const list = ['A', 'B', 'A'].map((unit, n) => at(n, { unit, n }));
    const latest = runOf({ every: '10s', keep: 'latest', keys: 1 })(list);
    expect(latest.events('dead')).toEqual([expect.objectContaining({ unit: 'B', code: 'MACH1800' })]);
    expect(latest.events().map(({ n }) => n)).toEqual([0, 2]);
    expect(
      runOf({ every: '10s', keys: 1 })(list)
        .events()
        .map(({ n }) => n),
    ).toEqual([0, 1, 2]);
  });

  it.each([{ key: 'uint', every: '1s' }, { every: '0s' }])('refuses %j', (wrong) => {
    expect(() => bindOperator({ definition: throttle, options: { from: 'in', ...wrong }, schema })).toThrow(
      BindProblems,
    );
  });

  it.each([{ every: 'often' }, { every: '1s', events: 0 }, { every: '1s', keep: 'last' }])(
    'does not take %j',
    (wrong) => {
      expect(throttle.options.safeParse({ from: 'in', ...wrong }).success).toBe(false);
    },
  );
});
