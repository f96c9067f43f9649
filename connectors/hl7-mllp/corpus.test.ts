import { describe, expect, it } from 'vitest';
import { fieldNames } from '../../runtime/stream/index.ts';
import {
  corpusMessages,
  decodeOptions,
  type ExpectedBundle,
  expectedBundles,
  type Resource,
} from './corpus.fixture.ts';
import { decodeFrame } from './decode.ts';
import { type Hl7Event, schema } from './schema.ts';
import { formatTime } from './time.ts';

/** Fields compared with how many bundles have them: an empty comparison must not look like a passed one. */
const comparedAtLeast: Readonly<Record<string, number>> = {
  'message id': 90,
  'message time': 90,
  'message event': 90,
  'patient identifier': 85,
  'patient family': 85,
  'patient given': 80,
  'patient birth date': 70,
  'patient sex': 80,
  'patient city': 60,
  'patient phone': 50,
  'patient death': 30,
  'visit identifier': 60,
  'visit class': 75,
  'visit start': 60,
  'visit end': 8,
  'visit location': 60,
  'visit disposition': 20,
  'visit admit source': 30,
};

describe('corpus', () => {
  it('makes an event or a dead letter with a reason of every message', () => {
    const columns = fieldNames(schema);
    let events = 0;
    for (const { name, bytes } of corpusMessages()) {
      const outcomes = decodeFrame(bytes, decodeOptions);
      expect(outcomes.length, name).toBeGreaterThan(0);
      for (const outcome of outcomes) {
        if (outcome.failure) {
          expect(outcome.failure.code, `${name}: ${outcome.failure.message}`).not.toBe('MACH2019');
          expect(outcome.failure.message.length, name).toBeGreaterThan(10);
          continue;
        }
        expect(outcome.events.length, name).toBeGreaterThan(0);
        events += outcome.events.length;
        for (const { event } of outcome.events) {
          expect(Object.keys(event), name).toEqual(columns);
          expect(Object.values(event), name).not.toContain(undefined);
        }
      }
    }
    expect(events).toBeGreaterThan(280);
  });

  it('reads every file of messages with an expected bundle', () => {
    const bundles = expectedBundles();
    expect(bundles.length).toBeGreaterThan(90);
    for (const { name, bytes } of bundles) {
      for (const outcome of decodeFrame(bytes, decodeOptions)) expect(outcome.failure, name).toBeUndefined();
    }
  });

  it('agrees with the expected FHIR bundles in message, patient and visit', () => {
    const compared: Record<string, number> = {};
    const differences: string[] = [];
    for (const expected of expectedBundles()) {
      const event = firstEvent(expected);
      if (!event) continue;
      for (const [field, isEqual, detail] of comparisons(expected, event)) {
        compared[field] = (compared[field] ?? 0) + 1;
        if (!isEqual) differences.push(`${expected.name} ${field}: ${detail}`);
      }
    }
    expect(differences).toEqual([]);
    for (const [field, least] of Object.entries(comparedAtLeast)) {
      expect(compared[field] ?? 0, `bundles that have ${field}`).toBeGreaterThanOrEqual(least);
    }
  });
});

function firstEvent({ bytes }: ExpectedBundle): Hl7Event | undefined {
  const events = decodeFrame(bytes, decodeOptions).flatMap((outcome) => outcome.events ?? []);
  return events[0]?.event as Hl7Event | undefined;
}

type Comparison = readonly [field: string, isEqual: boolean, detail: string];

function* comparisons(expected: ExpectedBundle, event: Hl7Event): Generator<Comparison> {
  yield* compareMessage(expected, event);
  yield* comparePatient(expected, event);
  yield* compareVisit(expected, event);
}

function* compareMessage({ bundle, resources }: ExpectedBundle, event: Hl7Event): Generator<Comparison> {
  if (bundle.identifier?.value) yield compare('message id', bundle.identifier.value, event.message_id);
  if (bundle.timestamp) yield compareTime('message time', bundle.timestamp, event.sent_at);
  const code = resources('MessageHeader')[0]?.eventCoding?.code;
  if (code) yield compare('message event', code, event.trigger);
}

function* comparePatient({ resources }: ExpectedBundle, event: Hl7Event): Generator<Comparison> {
  const patient = resources('Patient').find((each) => each.identifier || each.name);
  if (!patient) return;
  const ids = valuesOf(patient.identifier);
  if (ids.length > 0) yield compareOneOf('patient identifier', ids, event.patient_id);
  const names: Resource[] = patient.name ?? [];
  const families = names.map((name) => name.family).filter(Boolean);
  if (families.length > 0) yield compareOneOf('patient family', families, event.family_name);
  const givens = names
    .map((name) => name.given?.slice(0, event.given_name?.split(' ').length).join(' '))
    .filter(Boolean);
  if (givens.length > 0) yield compareOneOf('patient given', givens, event.given_name);
  if (patient.birthDate) yield compare('patient birth date', patient.birthDate, event.birth_date);
  if (patient.gender) yield compare('patient sex', patient.gender, event.sex);
  const cities = (patient.address ?? []).map((address: Resource) => address.city).filter(Boolean);
  if (cities.length > 0) yield compareOneOf('patient city', cities, event.city);
  const phones = valuesOf((patient.telecom ?? []).filter((each: Resource) => each.system !== 'email'));
  if (phones.length > 0 && event.phone) yield compareOneOf('patient phone', phones, event.phone);
  if (patient.deceasedDateTime) yield compareTime('patient death', patient.deceasedDateTime, event.died_at);
  if (patient.deceasedBoolean !== undefined) {
    yield compare('patient death', patient.deceasedBoolean, event.deceased ?? event.died_at !== null);
  }
}

/** Table 0004 as the US realm's concept map has it. */
const classes: Readonly<Record<string, string>> = { E: 'EMER', I: 'IMP', O: 'AMB', P: 'PRENC' };

function* compareVisit({ resources }: ExpectedBundle, event: Hl7Event): Generator<Comparison> {
  const visit = resources('Encounter')[0];
  if (!visit) return;
  const ids = valuesOf(visit.identifier);
  if (ids.length > 0) yield compareOneOf('visit identifier', ids, event.visit_id);
  const code = visit.class?.code;
  if (code && event.patient_class) yield compare('visit class', code, classes[event.patient_class]);
  // The converter takes the expected times where the real ones are absent.
  const { start, end } = visit.period ?? {};
  if (start) yield compareTime('visit start', start, event.admitted_at ?? event.expected_admission_at);
  if (end) yield compareTime('visit end', end, event.discharged_at ?? event.expected_discharge_at);
  const disposition = visit.hospitalization?.dischargeDisposition?.coding?.[0]?.code;
  if (disposition) yield compare('visit disposition', disposition, event.disposition);
  const source = visit.hospitalization?.admitSource?.coding?.[0]?.code;
  if (source) yield compare('visit admit source', source, event.admit_source);
  if (event.department) yield compareOneOf('visit location', locationNames(resources('Location')), event.department);
}

function locationNames(locations: readonly Resource[]): string[] {
  return locations.flatMap((location) => [location.name, ...valuesOf(location.identifier)]).filter(Boolean);
}

function valuesOf(list: readonly Resource[] | undefined): string[] {
  return (list ?? []).map((each) => String(each.value ?? '').trim()).filter(Boolean);
}

function compare(field: string, expected: unknown, actual: unknown): Comparison {
  const plain = (value: unknown) => String(value).trim();
  return [field, plain(expected) === plain(actual), `expected ${expected}, is ${actual}`];
}

function compareOneOf(field: string, expected: readonly string[], actual: string | null): Comparison {
  const plain = expected.map((value) => value.trim());
  return [
    field,
    actual !== null && plain.includes(actual.trim()),
    `expected one of ${plain.join(' | ')}, is ${actual}`,
  ];
}

/**
 * A time sent with a zone must be the same instant. One without has the clock face of the message in the zone of the machine
 * that made the bundles, so that there the clock faces are compared.
 */
function compareTime(field: string, expected: string, actual: number | null): Comparison {
  const face = actual === null ? '' : formatTime(actual, 420);
  const digits = expected.replace(/(?:[+-]\d\d:\d\d|Z)$/, '').replace(/\D/g, '');
  const isSameFace = face.replace('.', '').startsWith(digits);
  const isSame = expected.length > 10 && new Date(expected).getTime() === actual;
  return [field, isSame || isSameFace, `expected ${expected}, is ${face}`];
}
