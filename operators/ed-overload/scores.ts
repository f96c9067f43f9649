/**
 * Crowding scores of an emergency department. Each function is the published formula and nothing else; null where it is not
 * defined for the values.
 */

/**
 * NEDOCS, National Emergency Department Overcrowding Study (Weiss et al., Acad Emerg Med 2004;11:38-50):
 * 85.8 C/B + 600 A/H + 13.4 V + 0.93 L + 5.64 W - 20. Points, as computed, without a floor or a ceiling.
 */
export function nedocs(values: {
  /** Patients in the department. */
  edPatients: number;
  /** Beds of the department. */
  edBeds: number;
  /** Admitted patients held in the department. */
  boarding: number;
  /** Beds of the hospital. */
  hospitalBeds: number;
  /** Patients on a ventilator in the department. */
  ventilated: number;
  /** Longest time since the decision to admit of those held, hours. */
  longestBoardingHours: number;
  /** Time from arrival to a bed of the patient last called to one, hours. */
  lastBedWaitHours: number;
}): number | null {
  const { edPatients, edBeds, boarding, hospitalBeds, ventilated, longestBoardingHours, lastBedWaitHours } = values;
  if (edBeds <= 0 || hospitalBeds <= 0) return null;
  return (
    85.8 * (edPatients / edBeds) +
    600 * (boarding / hospitalBeds) +
    13.4 * ventilated +
    0.93 * longestBoardingHours +
    5.64 * lastBedWaitHours -
    20
  );
}

export const nedocsBands = [
  'not-busy',
  'busy',
  'extremely-busy',
  'overcrowded',
  'severely-overcrowded',
  'dangerously-overcrowded',
] as const;

export type NedocsBand = (typeof nedocsBands)[number];

const nedocsLimits = [20, 60, 100, 140, 180] as const;

/** 0-20 not busy, 21-60 busy, 61-100 extremely busy, 101-140 overcrowded, 141-180 severely, over 180 dangerously. */
export function nedocsBand(points: number): NedocsBand {
  const rounded = Math.round(points);
  const band = nedocsLimits.findIndex((limit) => rounded <= limit);
  return nedocsBands[band === -1 ? nedocsBands.length - 1 : band] as NedocsBand;
}

/**
 * EDWIN, Emergency Department Work Index (Bernstein et al., Acad Emerg Med 2003;10:938-942): sum of n_i t_i over
 * N_a (B_T - B_A), where t_i is the triage class reversed (5 the most acute). Null without physicians or free bays.
 */
export function edwin(values: {
  /** Patients by triage level, level 1 (most acute) first, five in all. */
  patientsByTriage: readonly number[];
  /** Attending physicians on duty. */
  physicians: number;
  /** Treatment bays. */
  treatmentBays: number;
  /** Admitted patients held in the department. */
  boarding: number;
}): number | null {
  const { patientsByTriage, physicians, treatmentBays, boarding } = values;
  if (physicians <= 0 || boarding >= treatmentBays) return null;
  const load = patientsByTriage.reduce((sum, patients, index) => sum + patients * (5 - index), 0);
  return load / (physicians * (treatmentBays - boarding));
}

export const edwinBands = ['manageable', 'busy', 'crowded'] as const;

export type EdwinBand = (typeof edwinBands)[number];

/** Under 1.5 manageable, 1.5 to 2 busy, over 2 crowded. */
export function edwinBand(index: number): EdwinBand {
  if (index < 1.5) return 'manageable';
  return index <= 2 ? 'busy' : 'crowded';
}

/** What ICMED looks at; each may be unknown. */
export interface IcmedValues {
  /** 90th percentile of ambulance offload, minutes. */
  offloadP90Minutes: number | null;
  /** Share that left without being seen, 0 to 1. */
  leftWithoutBeingSeenShare: number | null;
  /** Longest time from arrival to triage, minutes. */
  triageWaitMinutes: number | null;
  edPatients: number | null;
  edBeds: number | null;
  /** 90th percentile of the length of stay, minutes. */
  lengthOfStayP90Minutes: number | null;
  /** Longest wait for a physician of a patient of triage level 1 or 2, minutes. */
  emergentWaitMinutes: number | null;
  /** Share of the admitted who had left two hours after the decision, 0 to 1. */
  admittedLeftShare: number | null;
  boarding: number | null;
}

const occupancy = ({ edPatients, edBeds }: IcmedValues) => ratio(edPatients, edBeds);
const ratio = (part: number | null, whole: number | null) =>
  part === null || whole === null || whole <= 0 ? null : part / whole;
const exceeds = (value: number | null, limit: number) => (value === null ? null : value > limit);

/** The eight measures of ICMED by name: true when violated, null when unknown. */
export const icmedMeasures: Readonly<Record<string, (values: IcmedValues) => boolean | null>> = {
  ambulance_offload: (values) => exceeds(values.offloadP90Minutes, 15),
  left_without_being_seen: ({ leftWithoutBeingSeenShare: share }) => (share === null ? null : share >= 0.05),
  triage_wait: (values) => exceeds(values.triageWaitMinutes, 5),
  occupancy: (values) => exceeds(occupancy(values), 1),
  length_of_stay: (values) => exceeds(values.lengthOfStayP90Minutes, 240),
  emergent_wait: (values) => exceeds(values.emergentWaitMinutes, 30),
  boarding_time: ({ admittedLeftShare: share }) => (share === null ? null : share < 0.9),
  boarding_share: (values) => exceeds(ratio(values.boarding, values.edPatients), 0.1),
};

/**
 * ICMED, International Crowding Measure in Emergency Departments (Boyle et al., Eur J Emerg Med 2013, 2015): the number of eight
 * measures that are violated. `measured` says how many of them could be judged.
 */
export function icmed(values: IcmedValues): { violations: number; measured: number; unknown: readonly string[] } {
  let violations = 0;
  const unknown: string[] = [];
  for (const [name, measure] of Object.entries(icmedMeasures)) {
    const violated = measure(values);
    if (violated === null) unknown.push(name);
    else if (violated) violations++;
  }
  return { violations, measured: Object.keys(icmedMeasures).length - unknown.length, unknown };
}

/**
 * The level shown to the control room, 1 (ordinary) to 4 (overloaded): the worst that the known scores say. NEDOCS: over 60 is 2, over
 * 100 is 3, over 140 is 4. EDWIN: from 1.5 is 2, over 2 is 3. Occupancy of the department: over 1 is 2, over 1.5 is 3, over 2 is 4.
 * Null when none is known: silence is not health.
 */
export function overloadLevel(scores: {
  nedocs: number | null;
  edwin: number | null;
  occupancy: number | null;
}): { level: number; decidedBy: string } | null {
  const opinions: [string, number][] = [];
  if (scores.nedocs !== null) opinions.push(['nedocs', 1 + countOver(Math.round(scores.nedocs), [60, 100, 140])]);
  if (scores.edwin !== null) opinions.push(['edwin', scores.edwin > 2 ? 3 : scores.edwin >= 1.5 ? 2 : 1]);
  if (scores.occupancy !== null) opinions.push(['occupancy', 1 + countOver(scores.occupancy, [1, 1.5, 2])]);
  let worst: { level: number; decidedBy: string } | null = null;
  for (const [decidedBy, level] of opinions) if (worst === null || level > worst.level) worst = { level, decidedBy };
  return worst;
}

function countOver(value: number, limits: readonly number[]): number {
  return limits.filter((limit) => value > limit).length;
}
