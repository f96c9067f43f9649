/** The messages of `feed115.proto` as they are in JavaScript: names as in the proto, absent is `undefined`, enums are numbers. */

export interface Call {
  call_id?: string;
  received_ms?: number;
  answered_ms?: number;
  abandoned_ms?: number;
  caller_phone_hash?: string;
  address?: string;
  latitude?: number;
  longitude?: number;
  complaint_code?: string;
  priority?: number;
  station?: string;
  required_capability?: number;
}

export interface UnitStatus {
  unit_id?: string;
  reported_ms?: number;
  call_id?: string;
  station?: string;
  latitude?: number;
  longitude?: number;
  hospital?: string;
  call_received_ms?: number;
  dispatch_notified_ms?: number;
  en_route_ms?: number;
  arrived_scene_ms?: number;
  left_scene_ms?: number;
  arrived_destination_ms?: number;
  transfer_of_care_ms?: number;
  back_in_service_ms?: number;
  outcome?: number;
}

export interface Diversion {
  hospital?: string;
  changed_ms?: number;
  active?: boolean;
  reason?: string;
  until_ms?: number;
}

export interface Item {
  call?: Call;
  unit?: UnitStatus;
  diversion?: Diversion;
}

/** Numbers of the enums of the proto, by the names that events carry. */
export const capabilityNumber = { stroke: 1, trauma: 2, burn: 3, obstetric: 4, paediatric: 5, cardiac: 6 } as const;
export const outcomeNumber = {
  transported: 1,
  treated_on_scene: 2,
  refused: 3,
  false_call: 4,
  cancelled: 5,
  deceased: 6,
} as const;

export interface PublishRequest {
  centre?: string;
  first_position?: number;
  items?: Item[];
}

export interface Refusal {
  position: number;
  code: string;
  reason: string;
}

export interface Acknowledgement {
  position?: number;
  accepted?: number;
  resent?: number;
  refused?: number;
  refusals?: Refusal[];
}

export interface Resume {
  position?: number;
  requests_in_flight_max?: number;
}

export interface PublishResponse {
  resume?: Resume;
  acknowledgement?: Acknowledgement;
}

export interface SubmitRequest {
  centre?: string;
  id?: string;
  items?: Item[];
}

export interface SubmitResponse {
  accepted?: number;
  refused?: number;
  refusals?: Refusal[];
}

export interface WatchHospitalsRequest {
  hospitals?: string[];
}

export interface HospitalLoad {
  hospital?: string;
  minute_ms?: number;
  level?: number;
  nedocs?: number;
  occupancy?: number;
  waiting?: number;
  boarding?: number;
  ambulances_on_the_way?: number;
  diversion?: boolean;
}

export interface WatchHospitalsResponse {
  load?: HospitalLoad;
}
