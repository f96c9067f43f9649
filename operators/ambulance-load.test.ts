import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Event, Schema } from '../runtime/stream/index.ts';
import {
  at,
  BindProblems,
  bindOperator,
  expectSameForAnyCut,
  operatorRun,
  type Step,
  watermark,
} from '../runtime/testing/operator-harness.ts';
import { ambulanceLoad } from './ambulance-load.ts';

const minuteMs = 60_000;
const zero = Date.parse('2026-03-02T00:00:00Z');
const schema = ambulanceLoad.examples[0]?.schema as Schema;
const run = operatorRun({ definition: ambulanceLoad, options: { from: 'centre' }, schema });

interface Load {
  readonly hospital: string;
  readonly minute: number;
  readonly ambulances_on_the_way: number;
  readonly ambulances_waiting: number;
  readonly offload_p90_minutes: number | null;
  readonly revised: boolean;
}

function unit(facts: Partial<Record<string, string | number | null>>): Event {
  return {
    kind: 'unit',
    centre: '115',
    call_id: 'C1',
    unit_id: 'U1',
    hospital: 'H1',
    left_scene_at: null,
    arrived_destination_at: null,
    transfer_of_care_at: null,
    ...facts,
  };
}

const latest = (events: readonly Event[]) =>
  new Map((events as unknown as Load[]).map((load) => [`${load.hospital}/${(load.minute - zero) / minuteMs}`, load]));

describe('ambulance-load', () => {
  it('counts from leaving the scene to arriving, and the time to hand over', () => {
    const times = {
      left_scene_at: zero + minuteMs,
      arrived_destination_at: zero + 5 * minuteMs,
      transfer_of_care_at: zero + 17 * minuteMs,
    };
    const result = run([
      at(zero + minuteMs, unit({ left_scene_at: times.left_scene_at })),
      at(zero + 5 * minuteMs, unit({ ...times, transfer_of_care_at: null })),
      at(zero + 17 * minuteMs, unit(times)),
      watermark(zero + 80 * minuteMs),
    ]);
    const loads = latest(result.events());
    expect([1, 4, 5].map((minute) => loads.get(`H1/${minute}`)?.ambulances_on_the_way)).toEqual([1, 1, 0]);
    expect([5, 16, 17].map((minute) => loads.get(`H1/${minute}`)?.ambulances_waiting)).toEqual([1, 1, 0]);
    expect([16, 17, 76, 77].map((minute) => loads.get(`H1/${minute}`)?.offload_p90_minutes)).toEqual([
      null,
      12,
      12,
      null,
    ]);
  });

  it('moves an ambulance that is sent elsewhere', () => {
    const result = run([
      at(zero, unit({ left_scene_at: zero })),
      watermark(zero + 3 * minuteMs),
      at(zero + 4 * minuteMs, unit({ hospital: 'H2', left_scene_at: zero })),
      watermark(zero + 5 * minuteMs),
    ]);
    const loads = latest(result.events());
    expect(loads.get('H1/5')?.ambulances_on_the_way).toBe(0);
    expect(loads.get('H2/5')?.ambulances_on_the_way).toBe(1);
  });

  it('corrects earlier minutes when news comes late', () => {
    const result = run([
      at(zero, unit({ left_scene_at: zero })),
      watermark(zero + 10 * minuteMs),
      at(zero + 11 * minuteMs, unit({ left_scene_at: zero, arrived_destination_at: zero + 8 * minuteMs })),
      watermark(zero + 12 * minuteMs),
    ]);
    const revised = (result.events() as unknown as Load[]).filter((load) => load.revised);
    expect(
      revised.map(({ minute, ambulances_on_the_way }) => [(minute - zero) / minuteMs, ambulances_on_the_way]),
    ).toEqual([
      [8, 0],
      [9, 0],
      [10, 0],
    ]);
  });

  it('wants the fields of feed-115', () => {
    const poor: Schema = { fields: { hospital: { type: { kind: 'string' } } } };
    expect(() => bindOperator({ definition: ambulanceLoad, options: { from: 'centre' }, schema: poor })).toThrow(
      BindProblems,
    );
  });
});

const story = fc.record({
  run: fc.nat({ max: 5 }),
  hospital: fc.constantFrom('H1', 'H2'),
  left: fc.nat({ max: 60 }),
  drive: fc.nat({ max: 30 }),
  handOver: fc.nat({ max: 30 }),
  known: fc.integer({ min: 1, max: 3 }),
  delay: fc.nat({ max: 20 }),
});

/** Each run is told once, completely or in part, in the order of telling. */
function stepsOfStories(stories: readonly (typeof story extends fc.Arbitrary<infer S> ? S : never)[]): Step[] {
  const told = stories.map((one, index) => {
    const left = zero + one.left * minuteMs;
    const arrived = left + one.drive * minuteMs;
    const takenOver = arrived + one.handOver * minuteMs;
    const event = unit({
      call_id: `C${index}`,
      hospital: one.hospital,
      left_scene_at: left,
      arrived_destination_at: one.known > 1 ? arrived : null,
      transfer_of_care_at: one.known > 2 ? takenOver : null,
    });
    return { event, time: left, sentAt: left + one.delay * minuteMs };
  });
  told.sort((a, b) => a.sentAt - b.sentAt);
  return told.flatMap(({ event, time, sentAt }) => [at(time, event), watermark(sentAt - 5 * minuteMs)]);
}

describe('ambulance-load against a naive reference', () => {
  it('gives in the end what a count over all runs gives', () => {
    fc.assert(
      fc.property(fc.array(story, { minLength: 1, maxLength: 25 }), (stories) => {
        const until = zero + 200 * minuteMs;
        const loads = latest(run([...stepsOfStories(stories), watermark(until)]).events());
        for (const { hospital, minute, ambulances_on_the_way: computed } of loads.values()) {
          const expected = stories.filter(({ hospital: where, left, drive, known }) => {
            const leftAt = zero + left * minuteMs;
            return where === hospital && leftAt <= minute && (known < 2 || leftAt + drive * minuteMs > minute);
          }).length;
          expect({ hospital, minute, computed }).toEqual({ hospital, minute, computed: expected });
        }
        expect(loads.size).toBeGreaterThan(0);
      }),
      { numRuns: 100 },
    );
  });

  it('is the same however the input is cut, and after crashes', () => {
    expectSameForAnyCut(run, fc.array(story, { maxLength: 25 }).map(stepsOfStories), { runs: 80 });
  });
});
