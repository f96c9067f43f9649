/**
 * What an HL7 v2 message becomes. One event for each patient that the message speaks of: nearly always one, several for
 * merges (A40 with repeated PID/MRG groups) and swaps (A17). The table of HL7 fields behind each column, with the
 * differences between versions, is in `README.md`.
 *
 * Absent and deleted differ in HL7: an empty field says nothing (keep what you know), `""` says that there is no value any
 * more. Both are `null` here; the names of those sent as `""` are in `deleted_fields`.
 */
import { defineSchema, type EventOf, field } from '../../runtime/stream/index.ts';

/** What happened, from the trigger event (MSH-9.2) and, where one trigger means two things, the patient class (PV1-2). */
const eventKinds = [
  'arrival', // A04 of class E: a patient came to the emergency department
  'registration', // A04 of any other class
  'admission', // A01
  'transfer', // A02, and each side of a swap of beds (A17)
  'discharge', // A03
  'pre-admission', // A05
  'class-change', // A06 (to inpatient), A07 (to outpatient): the new class is `patient_class`
  'update', // A08, A54 (attending doctor), A55
  'departing', // A09: on the way to another place, `department` is where to
  'arriving', // A10: come to the place `department`
  'pending-admission', // A14: the decision to admit has been made
  'pending-transfer', // A15
  'pending-discharge', // A16
  'leave', // A21: leave of absence
  'return', // A22
  'cancel-arrival', // A11 of class E
  'cancel-admission', // A11 of any other class
  'cancel-transfer', // A12
  'cancel-discharge', // A13
  'cancel-pending-discharge', // A25
  'cancel-pending-transfer', // A26
  'cancel-pending-admission', // A27
  'cancel-arriving', // A32
  'cancel-departing', // A33
  'cancel-pre-admission', // A38
  'cancel-leave', // A52
  'cancel-return', // A53
  'delete-visit', // A23
  'patient-update', // A28, A31: the person, no visit
  'delete-patient', // A29
  'merge', // A18, A30, A34, A35, A36, A39, A40, A41, A42: prior_* ceases to be, its visits go to patient_id, visit_id
  'move', // A43, A44, A45: a patient, account or visit goes from prior_patient_id to patient_id
  'change-identifier', // A46 to A51: prior_* is now called by the new identifier
  'link', // A24
  'unlink', // A37
  'other', // any other trigger or message type: kept whole in `raw`
] as const;

export type EventKind = (typeof eventKinds)[number];

const optional = { nullable: true } as const;
const repeated = { nullable: true, repeated: true } as const;
const direct = { nullable: true, privacy: 'direct' } as const;
const quasi = { nullable: true, privacy: 'quasi' } as const;
const health = { nullable: true, privacy: 'health' } as const;

export const arrivalModes = ['ambulance', 'helicopter', 'car', 'foot', 'public-transport', 'other', 'unknown'] as const;
export const sexes = ['male', 'female', 'other', 'unknown'] as const;

export const schema = defineSchema({
  // ---- the message
  kind: field.string({ values: eventKinds, repeated: true, description: 'what happened' }),
  trigger: field.string({ ...repeated, description: 'trigger event, A01 (MSH-9.2, else EVN-1)' }),
  message_type: field.string({ repeated: true, description: 'message type, ADT (MSH-9.1)' }),
  message_id: field.string({ ...optional, description: 'control id given by the sender (MSH-10)' }),
  part: field.int({ description: 'index of the patient in the message, 0 unless it speaks of several' }),
  version: field.string({ ...repeated, description: 'HL7 version (MSH-12.1)' }),
  processing: field.string({ ...repeated, description: 'P production, T training, D debugging (MSH-11.1)' }),
  hospital: field.string({ repeated: true, description: 'sending facility (MSH-4.1), else sending application' }),
  application: field.string({ ...repeated, description: 'sending application (MSH-3.1)' }),
  sent_at: field.timestamp({ ...optional, description: 'when the message was made (MSH-7)' }),
  recorded_at: field.timestamp({ ...optional, description: 'when the event was entered (EVN-2)' }),
  planned_at: field.timestamp({ ...optional, description: 'when the event is planned for (EVN-3)' }),
  occurred_at: field.timestamp({ description: 'when it happened (EVN-6, else EVN-2, else MSH-7): the event time' }),
  received_at: field.timestamp({ ...optional, description: 'when the engine received it; null in `mach decode`' }),

  // ---- the patient
  patient_id: field.string({ ...direct, description: 'record number (PID-3 of type MR, else the first; else PID-2)' }),
  patient_id_authority: field.string({ ...repeated, description: 'who gave patient_id (PID-3.4.1)' }),
  prior_patient_id: field.string({ ...direct, description: 'the identifier that ceases (MRG-1)' }),
  patient_name: field.string({
    ...direct,
    description: 'family, middle and given name, as written in Vietnam (PID-5)',
  }),
  family_name: field.string({ ...direct, description: 'PID-5.1' }),
  given_name: field.string({ ...direct, description: 'given, then middle names (PID-5.2, PID-5.3)' }),
  birth_date: field.string({ ...quasi, description: 'YYYY-MM-DD, or YYYY-MM or YYYY when no more was sent (PID-7)' }),
  sex: field.string({ ...repeated, values: sexes, privacy: 'quasi', description: 'administrative sex (PID-8)' }),
  address: field.string({ ...quasi, description: 'one line (PID-11)' }),
  city: field.string({ ...quasi, description: 'city or province (PID-11.3)' }),
  phone: field.string({ ...direct, description: 'PID-13, else PID-14' }),
  died_at: field.timestamp({ ...health, description: 'PID-29' }),
  deceased: field.bool({ ...health, description: 'PID-30' }),

  // ---- the visit
  visit_id: field.string({ ...quasi, description: 'visit number (PV1-19, else PV1-50, else the account PID-18)' }),
  prior_visit_id: field.string({ ...quasi, description: 'the visit that ceases (MRG-5, else MRG-6)' }),
  account_id: field.string({ ...quasi, description: 'PID-18' }),
  prior_account_id: field.string({ ...quasi, description: 'MRG-3' }),
  patient_class: field.string({ ...repeated, description: 'E emergency, I inpatient, O outpatient, ... (PV1-2)' }),
  admission_type: field.string({ ...repeated, description: 'PV1-4' }),
  service: field.string({ ...repeated, description: 'hospital service (PV1-10)' }),
  facility: field.string({ ...repeated, description: 'site of the place (PV1-3.4.1)' }),
  department: field.string({ ...repeated, description: 'point of care: ED, ICU, ... (PV1-3.1)' }),
  room: field.string({ ...repeated, description: 'PV1-3.2' }),
  bed: field.string({ ...repeated, description: 'PV1-3.3' }),
  prior_department: field.string({ ...repeated, description: 'PV1-6.1' }),
  prior_room: field.string({ ...repeated, description: 'PV1-6.2' }),
  prior_bed: field.string({ ...repeated, description: 'PV1-6.3' }),
  admitted_at: field.timestamp({ ...optional, description: 'begin of the visit (PV1-44)' }),
  discharged_at: field.timestamp({ ...optional, description: 'end of the visit (PV1-45)' }),
  expected_admission_at: field.timestamp({ ...optional, description: 'PV2-8' }),
  expected_discharge_at: field.timestamp({ ...optional, description: 'PV2-9' }),
  disposition: field.string({ ...repeated, description: 'discharge disposition (PV1-36, table 0112)' }),
  admit_source: field.string({ ...repeated, description: 'PV1-14, table 0023' }),

  // ---- the emergency department
  arrival_mode: field.string({ ...repeated, values: arrivalModes, description: 'PV2-38, table 0430' }),
  triage_level: field.int({ ...health, description: '1 most acute to 5 (OBX of LOINC 11283-9)' }),
  triaged_at: field.timestamp({ ...optional, description: 'OBX of code TRIAGED, else OBX-14 of the triage level' }),
  seen_at: field.timestamp({ ...optional, description: 'first contact with a physician (OBX of code SEEN)' }),
  admit_decision_at: field.timestamp({
    ...optional,
    description: 'decision to admit (OBX of code ADMIT-DECISION; else occurred_at of an A14)',
  }),
  ventilated: field.bool({ ...health, description: 'on a ventilator (OBX of code VENTILATED or LOINC 20124-4)' }),
  chief_complaint: field.string({ ...health, description: 'OBX of LOINC 8661-1, else PV2-3 admit reason' }),
  diagnosis: field.string({ ...health, repeated: true, description: 'code of the first diagnosis (DG1-3.1)' }),
  diagnosis_text: field.string({ ...health, description: 'DG1-3.2, else DG1-4' }),

  deleted_fields: field.list(
    { kind: 'string' },
    { description: 'names of the columns that the sender emptied with `""`: forget what was known' },
  ),
  problems: field.list(
    { kind: 'string' },
    { description: 'what was read as null because it could not be understood: `PV1-44: not a time`' },
  ),
  raw: field.string({ ...direct, description: 'the whole message, for kind `other` alone' }),
});

export type Hl7Event = EventOf<typeof schema>;
