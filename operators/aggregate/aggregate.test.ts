import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineSchema, type Event, field } from '../../runtime/stream/index.ts';
import { expectSameForAnyCut, operatorRun, type Step, stepsOf } from '../../runtime/testing/operator-harness.ts';
import { aggregate } from './aggregate.ts';

const schema = defineSchema({
  hospital: field.string(),
  minutes: field.int({ nullable: true }),
  urgent: field.bool(),
});
const event = fc.record({
  hospital: fc.constantFrom('H1', 'H2', 'H3'),
  minutes: fc.option(fc.integer({ min: -50, max: 300 })),
  urgent: fc.boolean(),
});
const calls = {
  n: 'count()',
  urgent: 'count(urgent)',
  total: 'sum(minutes)',
  mean: 'mean(minutes)',
  least: 'min(minutes)',
  most: 'max(minutes, urgent)',
  kinds: 'distinct(minutes)',
  first: 'first(minutes)',
  last: 'last(minutes)',
};

type Timed = { readonly event: Event; readonly time: number };

/** The values of a list of events, in the order in which they came. */
function valuesOf(events: readonly Timed[]): Event {
  const withMinutes = events.filter((one) => one.event.minutes !== null);
  const numbers = withMinutes.map((one) => one.event.minutes as number);
  const urgent = withMinutes.filter((one) => one.event.urgent).map((one) => one.event.minutes as number);
  const byTime = [...withMinutes].sort((a, b) => a.time - b.time);
  return {
    n: events.length,
    urgent: events.filter((one) => one.event.urgent).length,
    total: numbers.reduce((a, b) => a + b, 0),
    mean: numbers.length === 0 ? null : numbers.reduce((a, b) => a + b, 0) / numbers.length,
    least: numbers.length === 0 ? null : Math.min(...numbers),
    most: urgent.length === 0 ? null : Math.max(...urgent),
    kinds: new Set(numbers).size,
    first: byTime[0]?.event.minutes ?? null,
    last: byTime.at(-1)?.event.minutes ?? null,
  };
}

interface Kept {
  events: Timed[];
  revision: number;
  changed: boolean;
}

/** Every window of every key holds its own list of events; all are looked through at every watermark. */
function naive(steps: readonly Step[], window: { size: number; every: number; lateness: number; offset?: number }) {
  const { size, every, lateness, offset = 0 } = window;
  const windows = new Map<string, { hospital: string; start: number; end: number } & Kept>();
  const rows: Event[] = [];
  const late: Event[] = [];
  let now = Number.NEGATIVE_INFINITY;
  const order = new Map<string, number>();
  const pass = (time: number) => {
    const before = now;
    now = Math.max(now, time);
    const due = [...windows.values()].filter(
      ({ end, changed }) => end <= now && (end > before || (changed && end + lateness > before)),
    );
    const isNew = (end: number) => (end > before ? 1 : 0);
    due.sort(
      (a, b) =>
        isNew(a.end) - isNew(b.end) || a.end - b.end || (order.get(a.hospital) ?? 0) - (order.get(b.hospital) ?? 0),
    );
    for (const one of due) {
      const { hospital, start, end, events } = one;
      one.changed = false;
      rows.push({
        hospital,
        window_start: start,
        window_end: end,
        ...valuesOf(events),
        revision: ++one.revision,
        early: false,
      });
    }
    // A key is forgotten once no window can need it.
    for (const hospital of order.keys()) {
      const ends = [...windows.values()].filter((one) => one.hospital === hospital).map(({ end }) => end + lateness);
      if (Math.max(...ends) <= now) order.delete(hospital);
    }
  };
  let serial = 0;
  for (const step of steps) {
    if (step.kind === 'watermark') {
      if (step.time > now) pass(step.time);
      continue;
    }
    const starts: number[] = [];
    const lastStart = Math.floor((step.time - offset) / every) * every + offset;
    for (let start = lastStart; start > step.time - size; start -= every) starts.push(start);
    if (starts.every((start) => start + size + lateness <= now)) {
      late.push(step.event);
      continue;
    }
    const hospital = step.event.hospital as string;
    if (!order.has(hospital)) order.set(hospital, serial++);
    for (const start of starts) {
      if (start + size + lateness <= now) continue;
      const id = `${hospital}/${start}`;
      const one = windows.get(id) ?? { hospital, start, end: start + size, events: [], revision: -1, changed: false };
      one.events.push(step);
      one.changed = true;
      windows.set(id, one);
    }
  }
  pass(Number.POSITIVE_INFINITY);
  return { rows, late };
}

const minute = 60_000;
const windows = [
  { options: { tumbling: '1m' }, plain: { size: minute, every: minute, lateness: 0 } },
  { options: { tumbling: '1m', lateness: '45s' }, plain: { size: minute, every: minute, lateness: 45_000 } },
  { options: { tumbling: '1m', offset: '7s' }, plain: { size: minute, every: minute, lateness: 0, offset: 7_000 } },
  { options: { sliding: '2m', every: '10s' }, plain: { size: 2 * minute, every: 10_000, lateness: 0 } },
  {
    options: { sliding: '2m', every: '10s', lateness: '1m' },
    plain: { size: 2 * minute, every: 10_000, lateness: minute },
  },
  {
    options: { sliding: '50s', every: '20s', lateness: '15s' },
    plain: { size: 50_000, every: 20_000, lateness: 15_000 },
  },
];

describe.each(windows)('aggregate over $options', ({ options, plain }) => {
  const run = operatorRun({
    definition: aggregate,
    options: { from: 'in', key: 'hospital', window: options, values: calls },
    schema,
  });

  it('gives what a list for every window gives', () => {
    fc.assert(
      fc.property(stepsOf(event, { stepMs: 20_000, disorderMs: 40_000 }), (steps) => {
        const { rows, late } = naive(steps, plain);
        const result = run(steps);
        expect(result.events()).toEqual(rows);
        expect(result.events('late')).toEqual(late);
      }),
      { numRuns: 300 },
    );
  });

  it('gives the same for any cut and crash', () => {
    expectSameForAnyCut(run, stepsOf(event, { stepMs: 20_000, disorderMs: 40_000 }));
  });
});
