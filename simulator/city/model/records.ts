/** What is true of patients, ambulances and calls, in the model. Times in ms since the epoch, whole seconds. */
import type { HospitalSite } from '../hospitals.ts';
import type { Complaint, Person } from '../people.ts';

export type TriageLevel = 1 | 2 | 3 | 4 | 5;
export type ArrivalMode = 'ambulance' | 'car' | 'foot' | 'public-transport';
export type Departure = 'ward' | 'home' | 'without-being-seen' | 'other-hospital' | 'died';

export interface EdVisit {
  readonly hospital: HospitalSite;
  /** Visit number. */
  readonly id: string;
  readonly person: Person;
  readonly complaint: Complaint;
  readonly arrivalMode: ArrivalMode;
  readonly transferred: boolean;
  readonly level: TriageLevel;
  readonly arrivedAt: number;
  readonly edPlace: string;
  triagedAt: number | null;
  seenAt: number | null;
  admitDecisionAt: number | null;
  ventilatedAt: number | null;
  departedAt: number | null;
  departedAs: Departure | null;
  ward: string | null;
  /** A wrong entry about the visit is being put right; the patient goes nowhere before it is. */
  notBefore: number;
}

/** A patient of the wards. `visit` is null for those who never were in the emergency department. */
export interface WardStay {
  readonly hospital: HospitalSite;
  readonly id: string;
  readonly person: Person;
  readonly ward: string;
  readonly admittedAt: number;
}

export interface WardCounts {
  readonly occupied: number;
  readonly icuOccupied: number;
}

export type CallOutcome = 'transported' | 'treated_on_scene' | 'refused' | 'false_call' | 'cancelled' | 'deceased';

export interface EmergencyCall {
  readonly id: string;
  readonly receivedAt: number;
  answeredAt: number | null;
  abandonedAt: number | null;
  readonly phoneHash: string;
  readonly address: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly complaint: Complaint;
  readonly level: TriageLevel;
  readonly outcome: CallOutcome;
  station: string | null;
}

export interface Ambulance {
  readonly id: string;
  readonly station: string;
  readonly home: Place;
  run: Run | null;
}

export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

/** The eight times of an emergency run, as far as they have come. */
export interface Run {
  readonly call: EmergencyCall;
  position: Place;
  destination: HospitalSite | null;
  dispatchNotifiedAt: number | null;
  enRouteAt: number | null;
  arrivedSceneAt: number | null;
  leftSceneAt: number | null;
  arrivedDestinationAt: number | null;
  transferOfCareAt: number | null;
  backInServiceAt: number | null;
  outcome: CallOutcome | null;
}

/**
 * Whoever writes down and tells what happens in the model. It may put `paper` on the agenda, and may ask for nothing else.
 * A slip is a wrong entry: it never happened, and is cancelled at `cancelledAt`.
 */
export interface Voice {
  arrived(visit: EdVisit): void;
  triaged(visit: EdVisit): void;
  seen(visit: EdVisit): void;
  ventilated(visit: EdVisit): void;
  admitDecided(visit: EdVisit): void;
  departed(visit: EdVisit): void;
  slip(visit: EdVisit, slip: 'admit-decision' | 'transfer' | 'discharge', cancelledAt: number): void;
  /** A registration by mistake: nobody came. */
  phantomArrival(visit: EdVisit, cancelledAt: number): void;
  wardAdmitted(stay: WardStay): void;
  wardDischarged(stay: WardStay): void;
  beds(hospital: HospitalSite, counts: WardCounts & { physicians: number; ventilated: number }): void;
  call(call: EmergencyCall): void;
  unit(unit: Ambulance, run: Run): void;
  diversion(hospital: HospitalSite, active: boolean, reason: string, until: number | null): void;
}
