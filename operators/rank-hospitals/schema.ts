/** What `rank-hospitals` reads and what comes out of it. */
import {
  type BoundInput,
  type Checker,
  type Event,
  type Field,
  type FieldType,
  field,
  type Schema,
} from '../../runtime/stream/index.ts';
import { requireFields } from '../support/required-fields.ts';
import type { HospitalStatus } from './score.ts';

/** Fields of a call that come out, where the input has them. */
const callFields = [
  'call_id',
  'centre',
  'call_received_at',
  'answered_at',
  'abandoned_at',
  'priority',
  'complaint_code',
  'required_capability',
  'latitude',
  'longitude',
  'station',
  'address',
] as const;

const ranked = {
  rank: field.int(),
  hospital: field.string(),
  name: field.string(),
  distance_km: field.float({ unit: 'km' }),
  minutes: field.float({ unit: 'min' }),
  level: field.int({ nullable: true }),
  nedocs: field.float({ nullable: true }),
  on_diversion: field.bool(),
  score: field.float({ unit: 'min' }),
  reason: field.string(),
} as const;

const results: Readonly<Record<string, Field>> = {
  recommended: field.string({
    nullable: true,
    repeated: true,
    description: 'the first hospital; null without a place',
  }),
  recommended_distance_km: field.float({ nullable: true, unit: 'km', description: 'in a straight line' }),
  capability_met: field.bool({ description: 'false: no hospital has what is required, so that all are ranked' }),
  // From distances to several hospitals the scene can be found again.
  ranking: field.list({ kind: 'record', fields: ranked }, { privacy: 'quasi', description: 'best first' }),
};

const wantedOfCalls: Readonly<Record<string, FieldType>> = {
  call_id: { kind: 'string' },
  latitude: { kind: 'float' },
  longitude: { kind: 'float' },
};
const wantedOfDiversions: Readonly<Record<string, FieldType>> = {
  hospital: { kind: 'string' },
  on_diversion: { kind: 'bool' },
};
const remedy = 'add it with map';
/** Option-like fields of the status: used where they are there. */
const statusFields = {
  level: 'level',
  nedocs: 'nedocs',
  occupancy: 'occupancy',
  waiting: 'waiting',
  ambulances: 'ambulances_on_the_way',
} as const satisfies Record<keyof HospitalStatus, string>;

export function rankingSchema(calls: BoundInput, check: Checker): Schema {
  requireFields(check, { option: 'calls', input: calls, fields: wantedOfCalls, remedy });
  const fields: Record<string, Field> = {};
  for (const name of callFields) {
    const given = calls.schema.fields[name];
    if (given) fields[name] = given;
  }
  return { fields: { ...fields, ...results } };
}

export function checkDiversions(diversions: BoundInput, check: Checker): void {
  requireFields(check, { option: 'diversions', input: diversions, fields: wantedOfDiversions, remedy });
}

/** Reads a status event; what its schema has not is not known. */
export function bindStatus(status: BoundInput, check: Checker): (event: Event) => HospitalStatus {
  const number = { kind: 'float' } as const;
  const present = Object.values(statusFields).filter((name) => Object.hasOwn(status.schema.fields, name));
  const wanted = Object.fromEntries(present.map((name) => [name, number]));
  requireFields(check, {
    option: 'status',
    input: status,
    fields: { hospital: { kind: 'string' }, ...wanted },
    remedy,
  });
  const read = (event: Event, name: string) => (event[name] as number | null | undefined) ?? null;
  return (event) => ({
    level: read(event, statusFields.level),
    nedocs: read(event, statusFields.nedocs),
    occupancy: read(event, statusFields.occupancy),
    waiting: read(event, statusFields.waiting),
    ambulances: read(event, statusFields.ambulances),
  });
}
