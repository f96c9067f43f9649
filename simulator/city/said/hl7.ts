/** HL7 v2.5.1 text of what the hospitals say. Chapter 3 (patient administration) of the standard. */
import { cityOffsetMs } from '../model/rhythm.ts';
import type { Person } from '../people.ts';

const dayMs = 86_400_000;
const twoDigits = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));
let day = -1;
let dayText = '';

/** YYYYMMDDHHMMSS+0700 */
export function hl7Time(time: number): string {
  const local = time + cityOffsetMs;
  const number = Math.floor(local / dayMs);
  if (number !== day) {
    day = number;
    dayText = new Date(local).toISOString().slice(0, 10).replaceAll('-', '');
  }
  const second = Math.floor((local - number * dayMs) / 1000);
  const hour = twoDigits[Math.floor(second / 3600)];
  return `${dayText}${hour}${twoDigits[Math.floor(second / 60) % 60]}${twoDigits[second % 60]}+0700`;
}

const escapes: Readonly<Record<string, string>> = {
  '|': '\\F\\',
  '^': '\\S\\',
  '&': '\\T\\',
  '~': '\\R\\',
  '\\': '\\E\\',
};

function escapeHl7(text: string): string {
  return text.replace(/[|^&~\\]/g, (character) => escapes[character] ?? character);
}

/** Structures of chapter 3 that are not named like their trigger. */
const structures: Readonly<Record<string, string>> = {
  A04: 'ADT_A01',
  A07: 'ADT_A06',
  A08: 'ADT_A01',
  A11: 'ADT_A09',
  A13: 'ADT_A01',
  A14: 'ADT_A05',
  A27: 'ADT_A21',
  A40: 'ADT_A39',
};

/** One field of a segment by number; those not given are empty. */
type NumberedFields = Readonly<Record<number, string | undefined>>;

function segment(name: string, fields: NumberedFields): string {
  let last = 0;
  for (const key in fields) if (fields[key]) last = Number(key);
  let text = name;
  for (let number = 1; number <= last; number++) text += `|${fields[number] ?? ''}`;
  return text;
}

export interface Header {
  readonly hospital: string;
  readonly application: string;
  /** MSH-9.1, `ADT` unless given. */
  readonly type?: string;
  readonly trigger: string;
  readonly id: string;
  readonly madeAt: number;
  /** Enhanced acknowledgement mode: the receiver says CA once it has stored the message. Original mode, AA, without. */
  readonly enhanced?: boolean;
}

function headerSegment({ hospital, application, type = 'ADT', trigger, id, madeAt, enhanced }: Header): string {
  const structure = type === 'ADT' ? (structures[trigger] ?? `ADT_${trigger}`) : `${type}_${trigger}`;
  return `MSH|^~\\&|${application}|${hospital}|MACH|DIEU-HANH|${hl7Time(madeAt)}||${type}^${trigger}^${structure}|${id}|P|2.5.1|||${enhanced ? 'AL|NE' : '|'}|VNM|UNICODE UTF-8`;
}

export interface Place {
  readonly department: string;
  readonly room?: string;
}

export interface VisitFields {
  readonly id: string;
  /** PV1-2 */
  readonly patientClass: 'E' | 'I';
  readonly place: Place;
  readonly priorPlace?: Place;
  readonly arrivedAt: number;
  readonly dischargedAt?: number;
  readonly disposition?: string;
  readonly dischargedTo?: string;
  readonly transferred?: boolean;
  /** PV2-38, table 0430. */
  readonly arrivalMode?: string;
  readonly reason?: string;
}

/** A value of OBX-5 that the sender takes back is `""`. */
export interface Observation {
  readonly type: 'NM' | 'TS' | 'TX' | 'ID';
  readonly code: string;
  readonly value: string;
  readonly at: number;
}

export interface AdtMessage extends Header {
  readonly recordedAt: number;
  readonly occurredAt: number;
  readonly person: Person;
  readonly died?: boolean;
  /** MRG-1: the record number that ceases. */
  readonly mergedFrom?: string;
  readonly visit?: VisitFields;
  readonly observations?: readonly Observation[];
}

function location(hospital: string, place: Place | undefined): string | undefined {
  return place && `${place.department}^${place.room ?? ''}^^${hospital}`;
}

function patientSegment(hospital: string, person: Person, died: boolean): string {
  return segment('PID', {
    1: '1',
    3: `${person.recordNumber}^^^${hospital}^MR`,
    5: `${escapeHl7(person.family)}^${escapeHl7(person.given)}^${escapeHl7(person.middle)}`,
    7: person.birthDate,
    8: person.sex,
    11: person.address && `${escapeHl7(person.address)}^^Thành phố Hồ Chí Minh^^^VNM`,
    13: person.phone,
    30: died ? 'Y' : undefined,
  });
}

function visitSegments(hospital: string, visit: VisitFields): string[] {
  const pv1 = segment('PV1', {
    1: '1',
    2: visit.patientClass,
    3: location(hospital, visit.place),
    4: visit.patientClass === 'E' ? 'E' : 'R',
    6: location(hospital, visit.priorPlace),
    14: visit.transferred ? '4' : visit.patientClass === 'E' ? '7' : undefined,
    19: visit.id,
    36: visit.disposition,
    37: visit.dischargedTo,
    44: hl7Time(visit.arrivedAt),
    45: visit.dischargedAt === undefined ? undefined : hl7Time(visit.dischargedAt),
  });
  const pv2 = { 3: visit.reason && `^${escapeHl7(visit.reason)}`, 38: visit.arrivalMode };
  return pv2[3] || pv2[38] ? [pv1, segment('PV2', pv2)] : [pv1];
}

function observationSegment({ type, code, value, at }: Observation, index: number): string {
  return segment('OBX', { 1: String(index + 1), 2: type, 3: code, 5: value, 11: 'F', 14: hl7Time(at) });
}

export function adtText(message: AdtMessage): string {
  const { hospital, trigger, recordedAt, occurredAt, person, visit } = message;
  const lines = [
    headerSegment(message),
    segment('EVN', { 1: trigger, 2: hl7Time(recordedAt), 6: hl7Time(occurredAt) }),
    patientSegment(hospital, person, message.died ?? false),
  ];
  if (message.mergedFrom) lines.push(`MRG|${message.mergedFrom}^^^${hospital}^MR`);
  if (visit) lines.push(...visitSegments(hospital, visit));
  for (const [index, observation] of (message.observations ?? []).entries()) {
    lines.push(observationSegment(observation, index));
  }
  return `${lines.join('\r')}\r`;
}

/** A laboratory result: of a known type, and of no interest to the census. */
export function laboratoryText(header: Header, person: Person, visitId: string, at: number, value: number): string {
  return `${[
    headerSegment(header),
    patientSegment(header.hospital, person, false),
    segment('PV1', { 1: '1', 2: 'E', 19: visitId }),
    segment('OBR', { 1: '1', 3: header.id, 4: '2524-7^Lactate [Moles/volume]^LN', 7: hl7Time(at) }),
    segment('OBX', {
      1: '1',
      2: 'NM',
      3: '2524-7^Lactate [Moles/volume]^LN',
      5: value.toFixed(1),
      6: 'mmol/L',
      11: 'F',
    }),
  ].join('\r')}\r`;
}

/** A message of a type that no standard knows. */
export function foreignText(header: Header, at: number): string {
  return `${headerSegment(header)}\rZNB|1|${hl7Time(at)}|${escapeHl7('Thông báo nội bộ của hệ thống')}\r`;
}
