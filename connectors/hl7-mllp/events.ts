/** From a parsed message to events of `schema.ts`: one for each patient of an ADT message, one for any other message. */
import type { Hl7Segment } from '@medplum/core';
import { hl7Errors } from './errors.ts';
import { kindOf } from './kinds.ts';
import { hl7Limits } from './limits.ts';
import type { Message } from './message.ts';
import { codedText, type ObservedField, readObservations } from './observations.ts';
import { identifierOf, readAddress, readBirthDate, readName, readPhone, readSex } from './patient.ts';
import { type Column, Reader } from './reader.ts';
import type { arrivalModes, EventKind, Hl7Event } from './schema.ts';
import { type Zone, zoneOf } from './time.ts';

export interface EventOptions {
  readonly zone: string;
  readonly codes: ReadonlyMap<string, ObservedField>;
  /** Ms since the epoch; null when there is no clock (`mach decode`). */
  readonly receivedAt: number | null;
}

/** Segments that belong to one patient. */
interface Group {
  pid: Hl7Segment | undefined;
  pv1: Hl7Segment | undefined;
  pv2: Hl7Segment | undefined;
  mrg: Hl7Segment | undefined;
  dg1: Hl7Segment | undefined;
  readonly obx: Hl7Segment[];
}

const arrivalModeOf: Readonly<Record<string, (typeof arrivalModes)[number]>> = {
  A: 'ambulance',
  H: 'helicopter',
  C: 'car',
  F: 'foot',
  P: 'public-transport',
  O: 'other',
  U: 'unknown',
};

/** Throws MACH2012 to MACH2015 and MACH2018. */
export function eventsOf(message: Message, options: EventOptions): Hl7Event[] {
  const msh = message.segments[0];
  const evn = message.segments.find((segment) => segment.name === 'EVN');
  const head = readHead(new Reader(message, options.zone), msh, evn);
  const zone = zoneOf(head.sentAtText) ?? options.zone;
  const groups = groupsOf(message.segments);
  if (head.type === 'ADT' && kindOf({ ...head, emergency: false }) !== 'other' && !groups[0]?.pid) {
    throw hl7Errors.make('MACH2015', { type: `ADT^${head.trigger}`, segment: 'PID' });
  }
  if (groups.length > hl7Limits.patientsMax) {
    throw hl7Errors.make('MACH2018', { limit: 'patientsMax', max: hl7Limits.patientsMax });
  }
  const kept = head.type === 'ADT' ? groups : groups.slice(0, 1);
  const events = kept.map((group, part) => eventOf({ message, options, zone, head, msh, evn, group, part }));
  const [first, second] = events;
  if (first && second && events.length === 2 && (first.kind === 'link' || first.kind === 'unlink')) {
    first.prior_patient_id ??= second.patient_id;
    second.prior_patient_id ??= first.patient_id;
  }
  return events;
}

interface Head {
  readonly type: string;
  readonly trigger: string;
  readonly sentAtText: string;
}

function readHead(reader: Reader, msh: Hl7Segment | undefined, evn: Hl7Segment | undefined): Head {
  const version = reader.value([msh, 12]);
  if (version !== '' && !/^2(?:\.|$)/.test(version)) throw hl7Errors.make('MACH2013', { version });
  const eventCode = reader.value([evn, 1]);
  // Before 2.2 MSH-9 was one text; some still send ADT_A01.
  const [, joinedType, joinedTrigger] = /^([A-Z]{3})_([A-Z]\d\d)$/.exec(reader.value([msh, 9])) ?? [];
  const type = joinedType ?? reader.value([msh, 9]) ?? '';
  const trigger = reader.value([msh, 9, 2]) || joinedTrigger || eventCode;
  if (type === '' && !/^A\d\d$/.test(trigger)) throw hl7Errors.make('MACH2012');
  return { type: type || 'ADT', trigger, sentAtText: reader.value([msh, 7]) };
}

/** A new group begins at each PID, and at a second MRG of one patient (A45: several visits moved). */
function groupsOf(segments: readonly Hl7Segment[]): Group[] {
  const groups: Group[] = [newGroup()];
  let group = groups[0] as Group;
  const begin = (pid: Hl7Segment | undefined) => {
    group = newGroup(pid);
    groups.push(group);
  };
  for (const segment of segments) {
    if (segment.name === 'PID') {
      if (group.pid) begin(segment);
      else group.pid = segment;
    } else if (segment.name === 'MRG') {
      if (group.mrg) begin(group.pid);
      group.mrg = segment;
    } else if (segment.name === 'PV1') group.pv1 ??= segment;
    else if (segment.name === 'PV2') group.pv2 ??= segment;
    else if (segment.name === 'DG1') group.dg1 ??= segment;
    else if (segment.name === 'OBX') group.obx.push(segment);
  }
  return groups;
}

function newGroup(pid?: Hl7Segment): Group {
  return { pid, pv1: undefined, pv2: undefined, mrg: undefined, dg1: undefined, obx: [] };
}

interface Subject {
  readonly message: Message;
  readonly options: EventOptions;
  readonly zone: Zone;
  readonly head: Head;
  readonly msh: Hl7Segment | undefined;
  readonly evn: Hl7Segment | undefined;
  readonly group: Group;
  readonly part: number;
}

/** All columns, in the order of the schema. */
function eventOf({ message, options, zone, head, msh, evn, group, part }: Subject): Hl7Event {
  const reader = new Reader(message, zone);
  const { pid, pv1, pv2, mrg, dg1 } = group;
  const sentAt = reader.time('sent_at', [msh, 7]);
  const recordedAt = reader.time('recorded_at', [evn, 2]);
  const occurredAt = reader.time('occurred_at', [evn, 6]) ?? recordedAt ?? sentAt;
  if (occurredAt === null) throw hl7Errors.make('MACH2014', { reason: timeProblem(reader) });
  const patientClass = reader.first('patient_class', [pv1, 2]);
  const kind = kindOf({ ...head, emergency: patientClass?.toUpperCase() === 'E' });
  const application = reader.first('application', [msh, 3]);
  const hospital = reader.first('hospital', [msh, 4]) ?? application ?? 'unknown';
  const patient = identifierOf(reader, 'patient_id', pid, 3, 2);
  const name = readName(reader, pid);
  const address = readAddress(reader, pid);
  const observed = readObservations(group.obx, reader, options.codes);
  return {
    kind,
    trigger: head.trigger || null,
    message_type: head.type,
    message_id: reader.first('message_id', [msh, 10]),
    part,
    version: reader.first('version', [msh, 12]),
    processing: reader.first('processing', [msh, 11]),
    hospital: hospital.slice(0, hl7Limits.hospitalLengthMax),
    application,
    sent_at: sentAt,
    recorded_at: recordedAt,
    planned_at: reader.time('planned_at', [evn, 3]),
    occurred_at: occurredAt,
    received_at: options.receivedAt,
    patient_id: patient?.value ?? null,
    patient_id_authority: patient?.authority ?? null,
    prior_patient_id: identifierOf(reader, 'prior_patient_id', mrg, 1)?.value ?? null,
    patient_name: name.full,
    family_name: name.family,
    given_name: name.given,
    birth_date: readBirthDate(reader, pid),
    sex: readSex(reader, pid),
    address: address.line,
    city: address.city,
    phone: readPhone(reader, pid),
    died_at: reader.time('died_at', [pid, 29]),
    deceased: yesOrNo(reader.first('deceased', [pid, 30])),
    visit_id: reader.first('visit_id', [pv1, 19], [pv1, 50], [pid, 18]),
    prior_visit_id: reader.first('prior_visit_id', [mrg, 5], [mrg, 6]),
    account_id: reader.first('account_id', [pid, 18]),
    prior_account_id: reader.first('prior_account_id', [mrg, 3]),
    patient_class: patientClass,
    admission_type: reader.first('admission_type', [pv1, 4]),
    service: reader.first('service', [pv1, 10]),
    facility: reader.first('facility', [pv1, 3, 4]),
    department: reader.first('department', [pv1, 3]),
    room: reader.first('room', [pv1, 3, 2]),
    bed: reader.first('bed', [pv1, 3, 3]),
    prior_department: reader.first('prior_department', [pv1, 6]),
    prior_room: reader.first('prior_room', [pv1, 6, 2]),
    prior_bed: reader.first('prior_bed', [pv1, 6, 3]),
    admitted_at: reader.time('admitted_at', [pv1, 44]),
    discharged_at: reader.time('discharged_at', [pv1, 45]),
    expected_admission_at: reader.time('expected_admission_at', [pv2, 8]),
    expected_discharge_at: reader.time('expected_discharge_at', [pv2, 9]),
    disposition: reader.first('disposition', [pv1, 36]),
    admit_source: reader.first('admit_source', [pv1, 14]),
    arrival_mode: readArrivalMode(reader, pv2),
    triage_level: observed.triage_level,
    triaged_at: observed.triaged_at,
    seen_at: observed.seen_at,
    admit_decision_at: observed.admit_decision_at ?? (kind === 'pending-admission' ? occurredAt : null),
    ventilated: observed.ventilated,
    chief_complaint: observed.chief_complaint ?? codedText(reader, pv2, 3),
    diagnosis: reader.first('diagnosis', [dg1, 3]),
    diagnosis_text: reader.text([dg1, 3, 2]) || reader.first('diagnosis_text', [dg1, 4]),
    deleted_fields: deletedOf(reader, kind),
    problems: reader.problems,
    raw: kind === 'other' ? message.text : null,
  };
}

function timeProblem(reader: Reader): string {
  return reader.problems.length > 0 ? reader.problems.join('; ') : 'EVN-6, EVN-2 and MSH-7 are empty';
}

function readArrivalMode(reader: Reader, pv2: Hl7Segment | undefined): (typeof arrivalModes)[number] | null {
  const code = reader.first('arrival_mode', [pv2, 38]);
  if (code === null) return null;
  const mode = arrivalModeOf[code.toUpperCase()];
  if (mode === undefined) reader.problem([pv2, 38], 'not a mode of arrival of table 0430');
  return mode ?? null;
}

function yesOrNo(code: string | null): boolean | null {
  if (code === null) return null;
  return /^(?:Y|YES|TRUE|1)$/i.test(code) ? true : /^(?:N|NO|FALSE|0)$/i.test(code) ? false : null;
}

/** Columns that the message itself always has say nothing about the patient. */
const neverDeleted = new Set<Column>(['sent_at', 'recorded_at', 'occurred_at', 'hospital', 'message_id', 'version']);

function deletedOf(reader: Reader, kind: EventKind): string[] {
  if (kind === 'other' || reader.deleted.size === 0) return [];
  return [...reader.deleted].filter((column) => !neverDeleted.has(column));
}
