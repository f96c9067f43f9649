import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineSchema, type Event, field } from '../../runtime/stream/index.ts';
import {
  at,
  expectSameForAnyCut,
  operatorRun,
  type Step,
  stepsOf,
  watermark,
} from '../../runtime/testing/operator-harness.ts';
import { aggregate } from './aggregate.ts';

const schema = defineSchema({ unit: field.string(), km: field.int() });
const event = fc.record({ unit: fc.constantFrom('A', 'B'), km: fc.nat({ max: 9 }) });
const values = { n: 'count()', km: 'sum(km)', kinds: 'distinct(km)', first: 'first(km)', last: 'last(km)' };

interface Taken {
  readonly time: number;
  readonly km: number;
}

interface NaiveKey {
  readonly order: number;
  events: Taken[];
  /** `start/end` to how many events the last result had, and its revision. */
  given: Map<string, { count: number; revision: number }>;
}

/** The events of a key, cut where the gap is. */
function sessionsOf(events: readonly Taken[], gap: number): { start: number; end: number; events: Taken[] }[] {
  const sessions: { start: number; end: number; events: Taken[] }[] = [];
  for (const one of [...events].sort((a, b) => a.time - b.time)) {
    const last = sessions.at(-1);
    if (last && one.time < last.end) {
      last.events.push(one);
      last.end = one.time + gap;
    } else sessions.push({ start: one.time, end: one.time + gap, events: [one] });
  }
  return sessions;
}

/** Keeps all events and cuts them into sessions anew whenever anything happens. */
function naive(steps: readonly Step[], gap: number, lateness: number) {
  const keys = new Map<string, NaiveKey>();
  const rows: Event[] = [];
  const late: Event[] = [];
  let now = Number.NEGATIVE_INFINITY;
  let nextOrder = 0;
  const pass = (time: number) => {
    now = time;
    const due: { end: number; order: number; start: number; row: Event }[] = [];
    for (const [unit, key] of keys) {
      const sessions = sessionsOf(key.events, gap);
      for (const { start, end, events } of sessions.filter((one) => one.end <= now)) {
        const plain = {
          n: events.length,
          km: events.reduce((sum, one) => sum + one.km, 0),
          kinds: new Set(events.map((one) => one.km)).size,
          first: events[0]?.km,
          last: events.at(-1)?.km,
        };
        const say = (from: number, to: number, revision: number, withdrawn: boolean) =>
          due.push({
            end: to,
            order: key.order,
            start: from,
            row: {
              unit,
              window_start: from,
              window_end: to,
              ...plain,
              revision,
              early: false,
              ...(lateness > 0 && { withdrawn }),
            },
          });
        for (const [id, { revision }] of key.given) {
          const [from, to] = id.split('/').map(Number) as [number, number];
          if (from < start || to > end || (from === start && to === end)) continue;
          say(from, to, revision + 1, true);
          key.given.delete(id);
        }
        const before = key.given.get(`${start}/${end}`);
        if (before?.count === events.length) continue;
        const revision = (before?.revision ?? -1) + 1;
        key.given.set(`${start}/${end}`, { count: events.length, revision });
        say(start, end, revision, false);
      }
      const open = sessions.filter(({ end }) => end + lateness > now);
      key.events = open.flatMap((session) => session.events);
      for (const id of key.given.keys()) {
        const [from, to] = id.split('/').map(Number) as [number, number];
        if (!open.some((one) => one.start <= from && to <= one.end)) key.given.delete(id);
      }
      if (open.length === 0) keys.delete(unit);
    }
    due.sort((a, b) => a.end - b.end || a.order - b.order || a.start - b.start);
    rows.push(...due.map(({ row }) => row));
  };
  for (const step of steps) {
    if (step.kind === 'watermark') {
      if (step.time > now) pass(step.time);
      continue;
    }
    const unit = step.event.unit as string;
    const one = { time: step.time, km: step.event.km as number };
    const known = keys.get(unit);
    const events = [...(known?.events ?? []), one];
    const session = sessionsOf(events, gap).find((each) => each.events.includes(one));
    if (!session || session.end + lateness <= now) {
      late.push(step.event);
      continue;
    }
    if (known) known.events = events;
    else keys.set(unit, { order: nextOrder++, events, given: new Map() });
  }
  pass(Number.POSITIVE_INFINITY);
  return { rows, late };
}

describe.each([
  { gap: '30s', lateness: '0s', gapMs: 30_000, latenessMs: 0 },
  { gap: '30s', lateness: '1m', gapMs: 30_000, latenessMs: 60_000 },
  { gap: '10s', lateness: '2m', gapMs: 10_000, latenessMs: 120_000 },
])('aggregate over sessions of $gap, lateness $lateness', ({ gap, lateness, gapMs, latenessMs }) => {
  const run = operatorRun({
    definition: aggregate,
    options: { from: 'in', key: 'unit', window: { session: gap, lateness }, values },
    schema,
  });

  it('gives what a list of all events gives', () => {
    fc.assert(
      fc.property(stepsOf(event, { stepMs: 20_000, disorderMs: 40_000 }), (steps) => {
        const { rows, late } = naive(steps, gapMs, latenessMs);
        const result = run(steps);
        expect(result.events()).toEqual(rows);
        expect(result.events('late')).toEqual(late);
      }),
      { numRuns: 400 },
    );
  });

  it('gives the same for any cut and crash', () => {
    expectSameForAnyCut(run, stepsOf(event, { stepMs: 20_000, disorderMs: 40_000 }));
  });
});

describe('sessions whose events may be a gap apart', () => {
  const runOf = (window: object) =>
    operatorRun({ definition: aggregate, options: { from: 'in', key: 'unit', window, values }, schema });
  const steps = stepsOf(event, { stepMs: 20_000, disorderMs: 40_000 }).map((list) =>
    // Whole seconds, so that events are often exactly a gap apart.
    list.map((step): Step => ({ ...step, time: Math.floor(step.time / 1_000) * 1_000 })),
  );

  it.each(['0s', '1m'])(
    'are those of a gap that is 1 ms longer, and end a gap behind the last event: lateness %s',
    (lateness) => {
      const together = runOf({ session: '10s', touching: 'together', lateness });
      const longer = runOf({ session: '10001ms', lateness });
      fc.assert(
        fc.property(steps, (list) => {
          const expected = longer(list).events();
          expect(together(list).events()).toEqual(
            expected.map((row) => ({ ...row, window_end: Number(row.window_end) - 1 })),
          );
        }),
      );
    },
  );

  it('are kept apart where it is not asked for', () => {
    const one = { unit: 'A', km: 1 };
    const list = [at(0, one), at(10_000, one)];
    const ends = (window: object) =>
      runOf(window)(list)
        .events()
        .map(({ window_end: end, n }) => [end, n]);
    expect(ends({ session: '10s' })).toEqual([
      [10_000, 1],
      [20_000, 1],
    ]);
    expect(ends({ session: '10s', touching: 'together' })).toEqual([[20_000, 2]]);
  });
});

describe('sessions', () => {
  it('are withdrawn when a late event joins them', () => {
    const run = operatorRun({
      definition: aggregate,
      options: { from: 'in', window: { session: '10s', lateness: '1m' }, values: { n: 'count()' } },
      schema,
    });
    const one = { unit: 'A', km: 1 };
    const result = run([at(0, one), at(15_000, one), watermark(30_000), at(8_000, one), watermark(40_000)]);
    expect(result.events()).toEqual([
      { window_start: 0, window_end: 10_000, n: 1, revision: 0, early: false, withdrawn: false },
      { window_start: 15_000, window_end: 25_000, n: 1, revision: 0, early: false, withdrawn: false },
      { window_start: 0, window_end: 10_000, n: 3, revision: 1, early: false, withdrawn: true },
      { window_start: 0, window_end: 25_000, n: 3, revision: 0, early: false, withdrawn: false },
      { window_start: 15_000, window_end: 25_000, n: 3, revision: 1, early: false, withdrawn: true },
    ]);
  });
});
