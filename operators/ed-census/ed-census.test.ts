import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Event, Schema } from '../../runtime/stream/index.ts';
import {
  at,
  BindProblems,
  bindOperator,
  expectSameForAnyCut,
  operatorRun,
  type Step,
  watermark,
} from '../../runtime/testing/operator-harness.ts';
import { edCensus } from './ed-census.ts';
import type { Picture } from './picture.ts';
import type { AdtFacts } from './visit.ts';

const minuteMs = 60_000;
const hourMs = 3_600_000;
const zero = Date.parse('2026-03-02T00:00:00Z');

const schema = edCensus.examples[0]?.schema as Schema;
const run = operatorRun({ definition: edCensus, options: { from: 'adt' }, schema });

function message(facts: Partial<AdtFacts>): Event {
  const nothing = Object.fromEntries(Object.keys(schema.fields).map((name) => [name, null]));
  return {
    ...nothing,
    hospital: 'H1',
    visit_id: 'V1',
    department: 'ED',
    patient_class: 'E',
    deleted_fields: [],
    ...facts,
  };
}

const said = (facts: Partial<AdtFacts> & { occurred_at: number }): Step =>
  at(facts.occurred_at, message({ recorded_at: facts.occurred_at, ...facts }));

/** The newest picture of each hospital and minute. */
function latest(pictures: readonly Event[]): Map<string, Picture> {
  return new Map(
    (pictures as unknown as Picture[]).map((picture) => [`${picture.hospital}/${picture.minute}`, picture]),
  );
}

const pictureAt = (pictures: Map<string, Picture>, minute: number) => pictures.get(`H1/${zero + minute * minuteMs}`);

describe('ed-census', () => {
  it('counts arrival <= minute < departure', () => {
    const result = run([
      said({ kind: 'arrival', occurred_at: zero + minuteMs }),
      said({ kind: 'discharge', occurred_at: zero + 3 * minuteMs }),
      watermark(zero + 5 * minuteMs),
    ]);
    const pictures = latest(result.events());
    expect([1, 2, 3, 4].map((minute) => pictureAt(pictures, minute)?.census)).toEqual([1, 1, 0, 0]);
  });

  it('corrects the minutes that a late discharge changes, and only those', () => {
    const result = run([
      said({ kind: 'arrival', occurred_at: zero + minuteMs }),
      watermark(zero + 10 * minuteMs),
      at(
        zero + 11 * minuteMs,
        message({ kind: 'discharge', occurred_at: zero + 7 * minuteMs, recorded_at: zero + 11 * minuteMs }),
      ),
      watermark(zero + 12 * minuteMs),
    ]);
    const revised = (result.events() as unknown as Picture[]).filter((picture) => picture.revised);
    expect(revised.map(({ minute, census }) => [(minute - zero) / minuteMs, census])).toEqual([
      [7, 0],
      [8, 0],
      [9, 0],
      [10, 0],
    ]);
  });

  it('takes back a cancelled arrival from its beginning', () => {
    const result = run([
      said({ kind: 'arrival', occurred_at: zero + minuteMs }),
      watermark(zero + 4 * minuteMs),
      said({ kind: 'cancel-arrival', occurred_at: zero + 5 * minuteMs }),
      watermark(zero + 6 * minuteMs),
    ]);
    const pictures = latest(result.events());
    expect([1, 2, 3, 4, 5, 6].map((minute) => pictureAt(pictures, minute)?.census)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('counts waiting, boarding, triage levels and ventilated patients', () => {
    const decided = zero + 40 * minuteMs;
    const result = run([
      said({ kind: 'arrival', occurred_at: zero, visit_id: 'A' }),
      said({ kind: 'arrival', occurred_at: zero, visit_id: 'B' }),
      said({
        kind: 'update',
        occurred_at: zero + 5 * minuteMs,
        visit_id: 'A',
        triage_level: 2,
        triaged_at: zero + 5 * minuteMs,
      }),
      said({
        kind: 'update',
        occurred_at: zero + 20 * minuteMs,
        visit_id: 'A',
        seen_at: zero + 20 * minuteMs,
        ventilated: true,
      }),
      said({ kind: 'pending-admission', occurred_at: decided, visit_id: 'A' }),
      watermark(zero + 60 * minuteMs),
    ]);
    const pictures = latest(result.events());
    expect(pictureAt(pictures, 10)).toMatchObject({
      census: 2,
      waiting: 2,
      boarding: 0,
      triage_2: 1,
      emergent_wait_minutes: 10,
      ventilated: 0,
    });
    expect(pictureAt(pictures, 60)).toMatchObject({
      census: 2,
      waiting: 1,
      boarding: 1,
      ventilated: 1,
      longest_wait_minutes: 60,
      longest_boarding_minutes: 20,
      last_bed_wait_minutes: 20,
      triage_wait_minutes: 60,
      emergent_wait_minutes: 0,
    });
  });

  it('goes on with a visit under the number that it was merged into', () => {
    const result = run([
      said({ kind: 'arrival', occurred_at: zero, visit_id: 'old' }),
      said({ kind: 'merge', occurred_at: zero + 2 * minuteMs, visit_id: 'new', prior_visit_id: 'old' }),
      said({ kind: 'discharge', occurred_at: zero + 4 * minuteMs, visit_id: 'new' }),
      watermark(zero + 6 * minuteMs),
    ]);
    const pictures = latest(result.events());
    expect([1, 3, 4, 5].map((minute) => pictureAt(pictures, minute)?.census)).toEqual([1, 1, 0, 0]);
  });

  it('filters what does not concern the department, drops what names no visit, and is late beyond what it corrects', () => {
    const result = run([
      said({ kind: 'arrival', occurred_at: zero + 72 * hourMs }),
      watermark(zero + 72 * hourMs),
      said({ kind: 'other', occurred_at: zero + 72 * hourMs }),
      said({ kind: 'arrival', occurred_at: zero + 72 * hourMs, visit_id: null }),
      said({ kind: 'discharge', occurred_at: zero + hourMs, visit_id: 'forgotten' }),
    ]);
    expect(result.accounting).toMatchObject({ in: 4, delivered: 1, filtered: 1, dropped: 1, late: 1 });
    expect(result.events('late')).toHaveLength(1);
  });

  it('wants the fields of hl7-mllp', () => {
    const poor: Schema = { fields: { hospital: { type: { kind: 'string' } } } };
    expect(() => bindOperator({ definition: edCensus, options: { from: 'adt' }, schema: poor })).toThrow(BindProblems);
    expect(() => bindOperator({ definition: edCensus, options: { from: 'adt' }, schema: poor })).toThrow(
      /no field visit_id/,
    );
  });
});

// ---- against a naive reference: all that was said of a visit, sorted by when it was recorded, applied one after the other

interface Draw {
  readonly visit: number;
  readonly kind: 'arrival' | 'discharge' | 'transfer' | 'cancel-arrival' | 'cancel-discharge' | 'pending-admission';
  readonly minute: number;
  readonly delayMinutes: number;
}

const draw: fc.Arbitrary<Draw> = fc.record({
  visit: fc.nat({ max: 4 }),
  kind: fc.constantFrom(
    'arrival',
    'arrival',
    'discharge',
    'transfer',
    'cancel-arrival',
    'cancel-discharge',
    'pending-admission',
  ),
  minute: fc.nat({ max: 180 }),
  delayMinutes: fc.nat({ max: 90 }),
});

interface Said {
  readonly facts: Partial<AdtFacts> & { kind: string; occurred_at: number; recorded_at: number };
  readonly sentAt: number;
}

function factsOf(draws: readonly Draw[]): Said[] {
  return draws
    .map(({ visit, kind, minute, delayMinutes }, index) => {
      const occurredAt = zero + minute * minuteMs + index;
      const department = kind === 'transfer' ? 'WARD' : 'ED';
      const facts = {
        kind,
        visit_id: `V${visit}`,
        department,
        prior_department: kind === 'transfer' ? 'ED' : null,
        occurred_at: occurredAt,
        // No two at the same instant: which of two entries of one instant counts is not said.
        recorded_at: occurredAt + index / 1_000,
      };
      return { facts, sentAt: occurredAt + delayMinutes * minuteMs };
    })
    .sort((a, b) => a.sentAt - b.sentAt);
}

function naivePicture(all: readonly Said[], instant: number): { census: number; boarding: number } {
  const visits = new Map<
    string,
    { registered: boolean; arrived: number | null; departed: number | null; decided: number | null }
  >();
  for (const { facts } of [...all].sort((a, b) => a.facts.recorded_at - b.facts.recorded_at)) {
    const id = String(facts.visit_id);
    const visit = visits.get(id) ?? { registered: false, arrived: null, departed: null, decided: null };
    visits.set(id, visit);
    if (facts.kind === 'arrival') {
      visit.registered = true;
      visit.arrived = facts.occurred_at;
    }
    if (facts.kind === 'cancel-arrival') visit.registered = false;
    if (facts.kind === 'discharge' || facts.kind === 'transfer') visit.departed = facts.occurred_at;
    if (facts.kind === 'cancel-discharge') visit.departed = null;
    if (facts.kind === 'pending-admission') visit.decided = facts.occurred_at;
  }
  const present = [...visits.values()].filter(
    ({ registered, arrived, departed }) =>
      registered && arrived !== null && arrived <= instant && (departed === null || departed > instant),
  );
  return {
    census: present.length,
    boarding: present.filter(({ decided }) => decided !== null && decided <= instant).length,
  };
}

describe('ed-census against a naive reference', () => {
  it('gives in the end what all messages together say, in whatever order they came', () => {
    fc.assert(
      fc.property(fc.array(draw, { minLength: 1, maxLength: 40 }), (draws) => {
        const all = factsOf(draws);
        const steps: Step[] = [];
        let newest = Number.NEGATIVE_INFINITY;
        for (const { facts, sentAt } of all) {
          steps.push(at(facts.occurred_at, message(facts)));
          newest = Math.max(newest, sentAt);
          steps.push(watermark(newest - 10 * minuteMs));
        }
        const until = zero + 400 * minuteMs;
        steps.push(watermark(until));
        const pictures = latest(run(steps).events());
        for (const [, { minute, census, boarding }] of pictures)
          expect({ minute, census, boarding }).toEqual({ minute, ...naivePicture(all, minute) });
        expect(pictures.has(`H1/${until}`)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it('is the same however the input is cut, and after crashes', () => {
    const steps = fc.array(fc.tuple(draw, fc.boolean()), { maxLength: 40 }).map((draws) => {
      const list: Step[] = [];
      let newest = zero;
      for (const [index, { facts, sentAt }] of factsOf(draws.map(([one]) => one)).entries()) {
        list.push(at(facts.occurred_at, message(facts)));
        newest = Math.max(newest, sentAt);
        if (draws[index]?.[1]) list.push(watermark(newest - 10 * minuteMs));
      }
      return list;
    });
    expectSameForAnyCut(run, steps, { runs: 100 });
  });
});
