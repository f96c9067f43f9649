/** Who is in each emergency department, minute by minute, from admission messages; corrected when late ones come. */
import { z } from 'zod';
import {
  cutByKey,
  defineOperator,
  duration,
  type Event,
  input,
  type Schema,
  spreadByKey,
} from '../../runtime/stream/index.ts';
import {
  newProgress,
  noteChange,
  type PictureProgress,
  picturesMigration,
  takeDueInstants,
} from '../support/pictures.ts';
import { requireFields } from '../support/required-fields.ts';
import { lookBackMs, pictureAt, pictureSchema } from './picture.ts';
import { type AdtFacts, applyFacts, censusKinds, mergeVisits, newVisit, type Visit, visibleFrom } from './visit.ts';

interface Department {
  readonly visits: Map<string, Visit>;
  readonly progress: PictureProgress;
}

const bytesPerVisit = 480;

const wanted: Readonly<Record<keyof AdtFacts, Schema['fields'][string]['type']>> = {
  kind: { kind: 'string' },
  hospital: { kind: 'string' },
  visit_id: { kind: 'string' },
  prior_visit_id: { kind: 'string' },
  patient_class: { kind: 'string' },
  department: { kind: 'string' },
  prior_department: { kind: 'string' },
  occurred_at: { kind: 'timestamp' },
  recorded_at: { kind: 'timestamp' },
  admitted_at: { kind: 'timestamp' },
  discharged_at: { kind: 'timestamp' },
  triage_level: { kind: 'int' },
  triaged_at: { kind: 'timestamp' },
  seen_at: { kind: 'timestamp' },
  admit_decision_at: { kind: 'timestamp' },
  ventilated: { kind: 'bool' },
  deleted_fields: { kind: 'list', of: { kind: 'string' } },
};

const exampleSchema: Schema = {
  fields: Object.fromEntries(Object.entries(wanted).map(([name, type]) => [name, { type, nullable: true }])),
};

function exampleEvent(facts: Partial<AdtFacts>): Event {
  const nothing = Object.fromEntries(Object.keys(wanted).map((name) => [name, null]));
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

export const edCensus = defineOperator({
  name: 'ed-census',
  status: 'stable',
  summary:
    'Counts who is in each emergency department at every minute, and corrects earlier minutes when late messages come.',
  options: z.strictObject({
    from: input().describe('admission messages with the fields of hl7-mllp'),
    departments: z
      .array(z.string())
      .min(1)
      .default(['ED'])
      .describe('points of care that are the emergency department'),
    every: duration().default(60_000).describe('time between two pictures of a department'),
    revise: duration()
      .default(86_400_000)
      .describe('how far back a late message still corrects; also how long a visit is kept after its end'),
    stay: duration()
      .default(7 * 86_400_000)
      .describe('a visit without an end is forgotten after this long'),
  }),
  examples: [
    {
      title: 'a patient stays from 0:30 to 2:30',
      options: { from: 'adt' },
      schema: exampleSchema,
      in: [
        exampleEvent({ kind: 'arrival', occurred_at: 30_000 }),
        exampleEvent({ kind: 'discharge', occurred_at: 150_000 }),
      ].map((event) => ({ ...event, $time: event.occurred_at as number })),
      out: [],
    },
  ],
  state: {
    basis: ({ options }) => ({
      departments: [...options.departments].sort(),
      everyMs: options.every,
      reviseMs: options.revise,
    }),
    migrations: [picturesMigration('hospitals')],
  },
  bind({ options, inputs, check }) {
    const remedy = 'feed it from hl7-mllp, or add the field with map';
    requireFields(check, { option: 'from', input: inputs.from, fields: wanted, remedy });
    const departments = new Set(options.departments);
    const steps = { everyMs: options.every, reviseMs: options.revise };
    return {
      ports: { out: pictureSchema },
      spread: spreadByKey({ from: ['hospital'] }, ['hospital']),
      cut: cutByKey(),
      key: ['hospital'],
      stateful: true,
      stateBytesPerKey: { 'a visit': bytesPerVisit },
      create(context) {
        const hospitals = context.keyedState<Department>('hospitals', { bytesPerKey: bytesPerVisit });
        return {
          event(event, time, out) {
            const facts = event as unknown as AdtFacts;
            if (!censusKinds.has(facts.kind)) return out.filtered();
            if (facts.visit_id === null) return out.dropped('no visit number');
            const department = hospitals.get(facts.hospital) ?? newDepartment();
            const known = department.visits.get(facts.visit_id);
            if (!known && facts.occurred_at < context.watermark() - options.revise) return out.late(event, time);
            takeIn(department, facts, departments, options.every);
            hospitals.set(facts.hospital, department, time);
          },
          watermark(time, out) {
            for (const [hospital, department] of hospitals.entries()) {
              for (const { at, revised } of takeDueInstants(department.progress, time, steps)) {
                const visits = department.visits.values();
                out.emit(
                  pictureAt({ hospital: String(hospital), visits, instant: at, stepMs: steps.everyMs, revised }),
                  at,
                );
              }
              forgetVisits(department, time, { keepMs: options.revise + 2 * lookBackMs, stayMs: options.stay });
            }
          },
        };
      },
    };
  },
});

function newDepartment(): Department {
  return { visits: new Map(), progress: newProgress() };
}

function lastRecorded(visit: Visit): number {
  return Math.max(
    visit.registered.recordedAt,
    visit.arrived.recordedAt,
    visit.departed.recordedAt,
    visit.admitDecision.recordedAt,
  );
}

function takeIn(department: Department, facts: AdtFacts, departments: ReadonlySet<string>, everyMs: number): void {
  const id = facts.visit_id as string;
  const visit = department.visits.get(id) ?? newVisit();
  department.visits.set(id, visit);
  const before = visibleFrom(visit);
  let changedFrom = applyFacts(visit, facts, departments);
  const { prior_visit_id: priorId } = facts;
  const prior = priorId !== null && priorId !== id ? department.visits.get(priorId) : undefined;
  if (prior && priorId !== null) {
    mergeVisits(visit, prior);
    department.visits.delete(priorId);
    changedFrom = Math.min(changedFrom, visibleFrom(prior));
  }
  // A visit that appears or vanishes changes everything since its arrival.
  const after = visibleFrom(visit);
  if (after !== before) changedFrom = Math.min(changedFrom, before, after);
  noteChange(department.progress, changedFrom, facts.occurred_at, everyMs);
}

/** Forgets visits that can no longer change a picture, and those without an end after `stayMs`. */
function forgetVisits(
  department: Department,
  watermark: number,
  { keepMs, stayMs }: { keepMs: number; stayMs: number },
): void {
  for (const [id, visit] of department.visits) {
    const { departed, arrived, registered } = visit;
    const ended = departed.value ?? (registered.value === null ? lastRecorded(visit) : null);
    const began = arrived.value ?? registered.value ?? lastRecorded(visit);
    if ((ended !== null && ended < watermark - keepMs) || began < watermark - stayMs) department.visits.delete(id);
  }
}
