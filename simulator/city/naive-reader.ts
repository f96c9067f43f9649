/**
 * Reads the census out of HL7 texts in the plainest way, to hold it against the model's truth: split the text, gather the
 * messages of a visit, and let the entry made last decide each fact. It shares no code with what writes the messages,
 * and is the written rule (`simulator/README.md`) in code.
 */
import type { TruthRow } from './model/census.ts';

interface Entry {
  readonly hospital: string;
  readonly trigger: string;
  readonly visit: string;
  readonly department: string;
  readonly priorDepartment: string;
  readonly recordedAt: number;
  readonly occurredAt: number;
  readonly admittedAt: number | null;
  readonly dischargedAt: number | null;
  readonly patientClass: string;
  readonly observed: ReadonlyMap<string, string>;
}

interface Stay {
  arrival: number | null;
  cancelled: boolean;
  departure: number | null;
  seenAt: number | null;
  admitAt: number | null;
  ventilatedAt: number | null;
}

/** ms since the epoch of `YYYYMMDDHHMMSS+0700`; null for anything else. */
function timeOf(text: string | undefined): number | null {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\+0700$/.exec(text ?? '');
  if (!match) return null;
  const [, year, month, day, hour, minute, second] = match;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}+07:00`);
}

function readEntry(text: string): Entry | null {
  const segments = text.split('\r').map((line) => line.split('|'));
  const find = (name: string) => segments.find(([first]) => first === name);
  const [msh, evn, pv1] = [find('MSH'), find('EVN'), find('PV1')];
  const [type, trigger] = (msh?.[8] ?? '').split('^');
  const recordedAt = timeOf(evn?.[2]);
  const occurredAt = timeOf(evn?.[6]);
  if (type !== 'ADT' || !trigger || !pv1?.[19] || recordedAt === null || occurredAt === null) return null;
  const observed = new Map<string, string>();
  for (const segment of segments) {
    if (segment[0] === 'OBX') observed.set((segment[3] ?? '').split('^')[0] ?? '', segment[5] ?? '');
  }
  return {
    hospital: msh?.[3] ?? '',
    trigger,
    visit: pv1[19],
    department: (pv1[3] ?? '').split('^')[0] ?? '',
    priorDepartment: (pv1[6] ?? '').split('^')[0] ?? '',
    recordedAt,
    occurredAt,
    admittedAt: timeOf(pv1[44]),
    dischargedAt: timeOf(pv1[45]),
    patientClass: pv1[2] ?? '',
    observed,
  };
}

function apply(stay: Stay, entry: Entry): void {
  const { trigger, department, priorDepartment, occurredAt, dischargedAt, observed } = entry;
  const inEd = department === 'ED';
  if (entry.admittedAt !== null) stay.arrival = entry.admittedAt;
  if (trigger === 'A11') stay.cancelled = true;
  if (trigger === 'A02' && priorDepartment === 'ED' && !inEd) stay.departure = occurredAt;
  if (trigger === 'A12' && inEd) stay.departure = null;
  if (trigger === 'A13' && inEd) stay.departure = null;
  if ((trigger === 'A03' || trigger === 'A08') && inEd && dischargedAt !== null) stay.departure = dischargedAt;
  if (trigger === 'A14') stay.admitAt = occurredAt;
  if (trigger === 'A27') stay.admitAt = null;
  const decision = observed.get('ADMIT-DECISION');
  if (decision !== undefined) stay.admitAt = timeOf(decision);
  const seen = observed.get('SEEN');
  if (seen !== undefined) stay.seenAt = timeOf(seen);
  if (observed.get('VENTILATED') === 'Y') stay.ventilatedAt ??= occurredAt;
}

/** The stays in emergency departments, by hospital, as the texts tell them. */
function readStays(texts: Iterable<string>): Map<string, Stay[]> {
  const visits = new Map<string, Entry[]>();
  for (const text of texts) {
    const entry = readEntry(text);
    if (!entry) continue;
    const key = `${entry.hospital} ${entry.visit}`;
    const entries = visits.get(key);
    if (entries) entries.push(entry);
    else visits.set(key, [entry]);
  }
  const stays = new Map<string, Stay[]>();
  for (const entries of visits.values()) {
    const first = entries.find(({ trigger }) => trigger === 'A04');
    if (first?.department !== 'ED') continue;
    entries.sort((left, right) => left.recordedAt - right.recordedAt);
    const stay: Stay = {
      arrival: null,
      cancelled: false,
      departure: null,
      seenAt: null,
      admitAt: null,
      ventilatedAt: null,
    };
    for (const entry of entries) apply(stay, entry);
    if (stay.cancelled || stay.arrival === null) continue;
    const list = stays.get(first.hospital);
    if (list) list.push(stay);
    else stays.set(first.hospital, [stay]);
  }
  return stays;
}

/** What the truth should be, ambulances aside, counted minute by minute from the texts alone. */
export function readTruth(
  texts: Iterable<string>,
  range: { hospitals: readonly string[]; from: number; to: number },
): Omit<TruthRow, 'ambulances_on_the_way'>[] {
  const stays = readStays(texts);
  const rows: Omit<TruthRow, 'ambulances_on_the_way'>[] = [];
  for (let minute = range.from; minute < range.to; minute += 60_000) {
    for (const hospital of range.hospitals) rows.push(countAt(hospital, minute, stays.get(hospital) ?? []));
  }
  return rows;
}

function countAt(hospital: string, minute: number, stays: readonly Stay[]): Omit<TruthRow, 'ambulances_on_the_way'> {
  const since = (times: readonly number[]) => (times.length > 0 ? (minute - Math.min(...times)) / 60_000 : null);
  const present = stays.filter(
    ({ arrival, departure }) => (arrival ?? 0) <= minute && (departure === null || departure > minute),
  );
  const admitTimes = present.flatMap(({ admitAt }) => (admitAt !== null && admitAt <= minute ? [admitAt] : []));
  const waitTimes = present.flatMap(({ seenAt, arrival }) =>
    seenAt === null || seenAt > minute ? [arrival ?? 0] : [],
  );
  return {
    hospital,
    minute,
    census: present.length,
    boarding: admitTimes.length,
    waiting: waitTimes.length,
    arrivals: stays.filter(({ arrival }) => arrival !== null && arrival >= minute && arrival < minute + 60_000).length,
    longest_wait_min: since(waitTimes),
    longest_boarding_min: since(admitTimes),
    ventilated: present.filter(({ ventilatedAt }) => ventilatedAt !== null && ventilatedAt <= minute).length,
  };
}
