/** The truth, minute by minute: counted from the patients themselves, never from what was said about them. */
import type { HospitalSite } from '../hospitals.ts';
import type { EdVisit } from './records.ts';

/** What was true of a hospital's emergency department at the instant `minute`. */
export interface TruthRow {
  readonly hospital: string;
  /** The instant, ms since the epoch, a whole minute. */
  readonly minute: number;
  /** Patients with arrival <= minute < departure. */
  readonly census: number;
  /** Of these, those with a decision to admit at or before the minute. */
  readonly boarding: number;
  /** Of these, those whom no physician has seen by the minute. */
  readonly waiting: number;
  /** Patients who arrived in [minute, minute + 1 min). */
  readonly arrivals: number;
  /** Minutes since arrival of the one who has waited longest for a physician; null when nobody waits. */
  readonly longest_wait_min: number | null;
  /** Minutes since the decision of the one who has boarded longest; null when nobody boards. */
  readonly longest_boarding_min: number | null;
  /** Patients on a ventilator. */
  readonly ventilated: number;
  /** Ambulances of the 115 centre with left_scene <= minute < arrived_destination. */
  readonly ambulances_on_the_way: number;
}

export const truthColumns: readonly (keyof TruthRow)[] = [
  'hospital',
  'minute',
  'census',
  'boarding',
  'waiting',
  'arrivals',
  'longest_wait_min',
  'longest_boarding_min',
  'ventilated',
  'ambulances_on_the_way',
];

/** Counts those present now. `arrivals` is filled in a minute later. */
export function countNow(
  site: HospitalSite,
  present: Iterable<EdVisit>,
  now: number,
  ambulances: number,
): Omit<TruthRow, 'arrivals'> {
  let census = 0;
  let boarding = 0;
  let waiting = 0;
  let ventilated = 0;
  let firstWaiting = Number.POSITIVE_INFINITY;
  let firstBoarding = Number.POSITIVE_INFINITY;
  for (const visit of present) {
    census++;
    if (visit.ventilatedAt !== null) ventilated++;
    if (visit.admitDecisionAt !== null) {
      boarding++;
      firstBoarding = Math.min(firstBoarding, visit.admitDecisionAt);
    }
    if (visit.seenAt === null) {
      waiting++;
      firstWaiting = Math.min(firstWaiting, visit.arrivedAt);
    }
  }
  const minutesSince = (time: number) => (time === Number.POSITIVE_INFINITY ? null : (now - time) / 60_000);
  return {
    hospital: site.id,
    minute: now,
    census,
    boarding,
    waiting,
    longest_wait_min: minutesSince(firstWaiting),
    longest_boarding_min: minutesSince(firstBoarding),
    ventilated,
    ambulances_on_the_way: ambulances,
  };
}
