/** The picture of an emergency department at an instant, counted from its visits. */
import { defineSchema, type EventOf, field } from '../../runtime/stream/index.ts';
import { isPresent, type Visit } from './visit.ts';

const minuteMs = 60_000;
const hourMs = 3_600_000;
/** How far back the shares and percentiles look. */
export const lookBackMs = 4 * hourMs;
const admittedAfterMs = 2 * hourMs;

const minutes = { nullable: true, unit: 'min' } as const;
const share = { nullable: true } as const;

export const pictureSchema = defineSchema({
  hospital: field.string({ repeated: true, description: 'sending facility' }),
  minute: field.timestamp({ description: 'the instant of the picture, a whole step' }),
  census: field.int({ unit: 'patients', description: 'arrival <= minute < departure' }),
  arrivals: field.int({ unit: 'patients', description: 'arrived in the step before' }),
  departures: field.int({ unit: 'patients', description: 'left in the step before' }),
  waiting: field.int({ unit: 'patients', description: 'present, not yet seen by a physician' }),
  boarding: field.int({ unit: 'patients', description: 'present, decision to admit made' }),
  ventilated: field.int({ unit: 'patients', description: 'present, on a ventilator' }),
  triage_1: field.int({ unit: 'patients', description: 'present, triage level 1 (most acute)' }),
  triage_2: field.int({ unit: 'patients' }),
  triage_3: field.int({ unit: 'patients' }),
  triage_4: field.int({ unit: 'patients' }),
  triage_5: field.int({ unit: 'patients' }),
  longest_wait_minutes: field.float({
    ...minutes,
    description: 'since arrival, of those waiting; null when nobody waits',
  }),
  longest_boarding_minutes: field.float({ ...minutes, description: 'since the decision, of those boarding' }),
  last_bed_wait_minutes: field.float({ ...minutes, description: 'arrival to physician of the patient seen last' }),
  triage_wait_minutes: field.float({
    ...minutes,
    description: 'longest time to triage: of those not triaged yet, and those triaged in the last hour',
  }),
  emergent_wait_minutes: field.float({
    unit: 'min',
    description: 'longest wait at triage level 1 or 2; 0 when none waits',
  }),
  length_of_stay_p90_minutes: field.float({
    ...minutes,
    description: '90th percentile of those who left in the last 4 h',
  }),
  left_without_being_seen_share: field.float({ ...share, description: 'of those who left in the last 4 h' }),
  admitted_left_share: field.float({
    ...share,
    description: 'of decisions to admit 2 to 6 h ago, those who had left within 2 h',
  }),
  revised: field.bool({ description: 'corrects an earlier picture of the same minute' }),
});

export type Picture = EventOf<typeof pictureSchema>;

interface Tally {
  readonly waits: number[];
  readonly boardings: number[];
  readonly triageWaits: number[];
  readonly stays: number[];
  readonly triage: number[];
  census: number;
  ventilated: number;
  arrivals: number;
  departures: number;
  unseenDepartures: number;
  emergentWait: number;
  lastSeenAt: number;
  lastBedWait: number | null;
  decided: number;
  leftInTime: number;
}

/** `stepMs`: the time between two pictures. */
export function pictureAt(args: {
  hospital: string;
  visits: Iterable<Visit>;
  instant: number;
  stepMs: number;
  revised: boolean;
}): Picture {
  const { hospital, visits, instant, stepMs, revised } = args;
  const tally = newTally();
  for (const visit of visits) {
    if (visit.registered.value === null || visit.arrived.value === null || visit.arrived.value > instant) continue;
    tallyFlow(tally, visit, instant, stepMs);
    if (isPresent(visit, instant)) tallyPresent(tally, visit, instant);
  }
  return {
    hospital,
    minute: instant,
    census: tally.census,
    arrivals: tally.arrivals,
    departures: tally.departures,
    waiting: tally.waits.length,
    boarding: tally.boardings.length,
    ventilated: tally.ventilated,
    triage_1: tally.triage[0] ?? 0,
    triage_2: tally.triage[1] ?? 0,
    triage_3: tally.triage[2] ?? 0,
    triage_4: tally.triage[3] ?? 0,
    triage_5: tally.triage[4] ?? 0,
    longest_wait_minutes: largest(tally.waits),
    longest_boarding_minutes: largest(tally.boardings),
    last_bed_wait_minutes: tally.lastBedWait,
    triage_wait_minutes: largest(tally.triageWaits),
    emergent_wait_minutes: tally.emergentWait,
    length_of_stay_p90_minutes: percentile90(tally.stays),
    left_without_being_seen_share: tally.stays.length === 0 ? null : tally.unseenDepartures / tally.stays.length,
    admitted_left_share: tally.decided === 0 ? null : tally.leftInTime / tally.decided,
    revised,
  };
}

function newTally(): Tally {
  return {
    waits: [],
    boardings: [],
    triageWaits: [],
    stays: [],
    triage: [0, 0, 0, 0, 0],
    census: 0,
    ventilated: 0,
    arrivals: 0,
    departures: 0,
    unseenDepartures: 0,
    emergentWait: 0,
    lastSeenAt: Number.NEGATIVE_INFINITY,
    lastBedWait: null,
    decided: 0,
    leftInTime: 0,
  };
}

const within = (time: number | null, from: number, to: number): time is number =>
  time !== null && time > from && time <= to;

function tallyFlow(tally: Tally, visit: Visit, instant: number, stepMs: number): void {
  const arrived = visit.arrived.value as number;
  const { departed, seen, triaged, admitDecision } = visit;
  if (within(arrived, instant - stepMs, instant)) tally.arrivals++;
  if (within(departed.value, instant - stepMs, instant)) tally.departures++;
  if (within(departed.value, instant - lookBackMs, instant)) {
    tally.stays.push((departed.value - arrived) / minuteMs);
    if (seen.value === null || seen.value > departed.value) tally.unseenDepartures++;
  }
  if (seen.value !== null && seen.value <= instant && seen.value > tally.lastSeenAt) {
    tally.lastSeenAt = seen.value;
    tally.lastBedWait = (seen.value - arrived) / minuteMs;
  }
  if (within(triaged.value, instant - hourMs, instant)) tally.triageWaits.push((triaged.value - arrived) / minuteMs);
  if (within(admitDecision.value, instant - lookBackMs - admittedAfterMs, instant - admittedAfterMs)) {
    tally.decided++;
    if (departed.value !== null && departed.value <= admitDecision.value + admittedAfterMs) tally.leftInTime++;
  }
}

function tallyPresent(tally: Tally, visit: Visit, instant: number): void {
  const waited = (instant - (visit.arrived.value as number)) / minuteMs;
  const isSeen = visit.seen.value !== null && visit.seen.value <= instant;
  const isTriaged = visit.triaged.value !== null && visit.triaged.value <= instant;
  tally.census++;
  if (!isSeen) tally.waits.push(waited);
  if (!isTriaged) tally.triageWaits.push(waited);
  if (isTriaged && visit.triageLevel !== null) {
    tally.triage[visit.triageLevel - 1] = (tally.triage[visit.triageLevel - 1] ?? 0) + 1;
    if (visit.triageLevel <= 2 && !isSeen) tally.emergentWait = Math.max(tally.emergentWait, waited);
  }
  const { admitDecision, ventilatedFrom, ventilatedUntil } = visit;
  if (admitDecision.value !== null && admitDecision.value <= instant) {
    tally.boardings.push((instant - admitDecision.value) / minuteMs);
  }
  const isOff = ventilatedUntil.value !== null && ventilatedUntil.value <= instant;
  if (ventilatedFrom.value !== null && ventilatedFrom.value <= instant && !isOff) tally.ventilated++;
}

function largest(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
}

/** Nearest rank. */
function percentile90(values: number[]): number | null {
  if (values.length === 0) return null;
  values.sort((a, b) => a - b);
  return values[Math.ceil(0.9 * values.length) - 1] ?? null;
}
