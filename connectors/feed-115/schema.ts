/**
 * What comes out of `feed-115`: one schema for calls, ambulances and diversions, told apart by `kind`. A field that does
 * not belong to the kind, or is not known, is null.
 */
import { defineSchema, type EventOf, field } from '../../runtime/stream/index.ts';

const itemKinds = ['call', 'unit', 'diversion'] as const;

/** Names as in the proto's enum, by its numbers; 0 is "not known". */
export const capabilities = ['stroke', 'trauma', 'burn', 'obstetric', 'paediatric', 'cardiac'] as const;
export const outcomes = ['transported', 'treated_on_scene', 'refused', 'false_call', 'cancelled', 'deceased'] as const;

/**
 * Where an ambulance is in its run: told by the last of the eight times that is known. `standby` without any of them.
 * It is on the way to a hospital while the phase is `transporting`.
 */
export const phases = [
  'standby',
  'received',
  'notified',
  'en_route',
  'on_scene',
  'transporting',
  'at_destination',
  'transferred',
  'in_service',
] as const;

const id = { nullable: true } as const;
const name = { nullable: true, repeated: true } as const;
const time = { nullable: true } as const;

/** Event time is the newest of the times in the event, `until` aside. */
export const feedSchema = defineSchema({
  kind: field.string({ values: itemKinds, repeated: true, description: 'call, unit (an ambulance) or diversion' }),
  centre: field.string({ repeated: true, description: 'the 115 centre that sent it' }),
  call_id: field.string({ ...id, description: 'identity of the call at its centre (call, unit)' }),
  unit_id: field.string({ ...name, description: 'identity of the ambulance (unit)' }),
  station: field.string({ ...name, description: 'satellite station (call, unit)' }),
  hospital: field.string({ ...name, description: 'destination (unit), or the hospital on diversion (diversion)' }),
  latitude: field.float({
    nullable: true,
    unit: '°',
    privacy: 'quasi',
    description: 'of the scene (call) or the unit',
  }),
  longitude: field.float({
    nullable: true,
    unit: '°',
    privacy: 'quasi',
    description: 'of the scene (call) or the unit',
  }),
  priority: field.int({ nullable: true, description: '1 (life at risk now) to 5 (call)' }),
  complaint_code: field.string({
    ...name,
    privacy: 'health',
    description: "the centre's code of what is wrong (call)",
  }),
  required_capability: field.string({
    ...name,
    values: capabilities,
    privacy: 'health',
    description: 'what the hospital must be able to treat (call)',
  }),
  caller_phone_hash: field.string({ ...id, privacy: 'quasi', description: "keyed hash of the caller's number (call)" }),
  address: field.string({ nullable: true, privacy: 'quasi', description: 'address of the scene (call)' }),
  call_received_at: field.timestamp({ ...time, description: '1 of 8: the call was received (call, unit)' }),
  answered_at: field.timestamp({ ...time, description: 'a dispatcher answered (call)' }),
  abandoned_at: field.timestamp({ ...time, description: 'the caller hung up before an answer (call)' }),
  reported_at: field.timestamp({ ...time, description: 'when the status was true (unit), or was said (diversion)' }),
  dispatch_notified_at: field.timestamp({ ...time, description: '2 of 8: the crew was notified (unit)' }),
  en_route_at: field.timestamp({ ...time, description: '3 of 8: it set out (unit)' }),
  arrived_scene_at: field.timestamp({ ...time, description: '4 of 8: it arrived at the scene (unit)' }),
  left_scene_at: field.timestamp({ ...time, description: '5 of 8: it left the scene (unit)' }),
  arrived_destination_at: field.timestamp({ ...time, description: '6 of 8: it arrived at the hospital (unit)' }),
  transfer_of_care_at: field.timestamp({ ...time, description: '7 of 8: the hospital took the patient over (unit)' }),
  back_in_service_at: field.timestamp({ ...time, description: '8 of 8: it is free again (unit)' }),
  phase: field.string({ ...name, values: phases, description: 'where it is in its run, from the eight times (unit)' }),
  outcome: field.string({ ...name, values: outcomes, description: 'how the run ended (unit)' }),
  on_diversion: field.bool({ nullable: true, description: 'ambulances are asked to go elsewhere (diversion)' }),
  reason: field.string({ nullable: true, description: 'why (diversion)' }),
  until: field.timestamp({ ...time, description: 'planned end, may lie in the future (diversion)' }),
});

export type FeedEvent = EventOf<typeof feedSchema>;
