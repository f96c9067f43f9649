/**
 * From an item of the wire to an event, or to the reason why it cannot be one. This runs for every item, tens of thousands
 * a second: no closures, no allocation beyond the event, problems by return value.
 */
import { type Event, hidden, isPersonalIn, type SourceEvent } from '../../runtime/stream/index.ts';
import { type FeedErrorCode, feedErrors } from './errors.ts';
import { feedLimits } from './limits.ts';
import { capabilities, type FeedEvent, feedSchema, outcomes, phases } from './schema.ts';
import type { Call, Diversion, Item, UnitStatus } from './wire.ts';

export interface Problem {
  readonly code: FeedErrorCode;
  readonly reason: string;
}

/** What the checks need to know: who sends, and the latest time that is believed. */
export interface Reading {
  readonly centre: string;
  readonly timeMax: number;
}

export function isProblem(result: SourceEvent | Problem): result is Problem {
  return 'code' in result;
}

function problem(code: FeedErrorCode, data: Record<string, string | number>): Problem {
  return { code, reason: feedErrors.make(code, data).message };
}

/** The first problem of an item is kept here while its fields are read; one item is read at a time. */
let found: Problem | null = null;

function text(value: string | undefined, field: string, lengthMax: number): string | null {
  if (value === undefined || value === '') return null;
  if (value.length > lengthMax) {
    found ??= problem('MACH2113', { field, length: value.length, length_max: lengthMax });
    return null;
  }
  return value;
}

const name = (value: string | undefined, field: string) => text(value, field, feedLimits.nameLengthMax);

function required(value: string | undefined, field: string): string {
  if (value === undefined || value.trim() === '') {
    found ??= problem('MACH2110', { field });
    return '';
  }
  return text(value, field, feedLimits.nameLengthMax) ?? '';
}

function within(value: number | undefined, field: string, minimum: number, maximum: number): number | null {
  if (value === undefined) return null;
  if (value >= minimum && value <= maximum) return value;
  // Also one that is out of bounds may say where a call came from: where both places of a position are swapped, it does.
  const shown = isPersonalIn(feedSchema, field) ? hidden : value;
  found ??= problem('MACH2111', { field, value: shown, minimum, maximum });
  return null;
}

/** A code that counts from 1; 0 and absent are "not known". */
function named<T extends string>(value: number | undefined, field: string, names: readonly T[]): T | null {
  if (value === undefined || value === 0) return null;
  const known = names[value - 1];
  if (known !== undefined) return known;
  found ??= problem('MACH2111', { field, value, minimum: 0, maximum: names.length });
  return null;
}

function time(value: number | undefined, field: string, timeMax: number): number | null {
  if (value === undefined || value === 0) return null;
  if (value >= feedLimits.timeMin && value <= timeMax) return value;
  const reason =
    value > timeMax ? 'too far in the future' : 'before the year 2000 (are these seconds instead of milliseconds?)';
  const shown =
    Number.isSafeInteger(value) && Math.abs(value) <= 8.64e15 ? new Date(value).toISOString() : String(value);
  found ??= problem('MACH2112', { field, value: shown, reason });
  return null;
}

function newest(a: number, b: number | null): number {
  return b !== null && b > a ? b : a;
}

function fromCall(call: Call, { centre, timeMax }: Reading): FeedEvent {
  const hasPlace = call.latitude !== undefined && call.longitude !== undefined;
  if (!hasPlace && (call.latitude !== undefined || call.longitude !== undefined)) {
    found ??= problem('MACH2110', { field: call.latitude === undefined ? 'latitude' : 'longitude' });
  }
  const received = time(call.received_ms, 'received_ms', timeMax);
  if (received === null) found ??= problem('MACH2110', { field: 'received_ms' });
  const priority = within(call.priority, 'priority', 0, 5);
  return {
    kind: 'call',
    centre,
    call_id: required(call.call_id, 'call_id'),
    unit_id: null,
    station: name(call.station, 'station'),
    hospital: null,
    latitude: within(call.latitude, 'latitude', -90, 90),
    longitude: within(call.longitude, 'longitude', -180, 180),
    priority: priority === 0 ? null : priority,
    complaint_code: name(call.complaint_code, 'complaint_code'),
    required_capability: named(call.required_capability, 'required_capability', capabilities),
    caller_phone_hash: name(call.caller_phone_hash, 'caller_phone_hash'),
    address: text(call.address, 'address', feedLimits.textLengthMax),
    call_received_at: received,
    answered_at: time(call.answered_ms, 'answered_ms', timeMax),
    abandoned_at: time(call.abandoned_ms, 'abandoned_ms', timeMax),
    reported_at: null,
    dispatch_notified_at: null,
    en_route_at: null,
    arrived_scene_at: null,
    left_scene_at: null,
    arrived_destination_at: null,
    transfer_of_care_at: null,
    back_in_service_at: null,
    phase: null,
    outcome: null,
    on_diversion: null,
    reason: null,
    until: null,
  };
}

function phaseOf(event: FeedEvent): FeedEvent['phase'] {
  if (event.back_in_service_at !== null) return phases[8];
  if (event.transfer_of_care_at !== null) return phases[7];
  if (event.arrived_destination_at !== null) return phases[6];
  if (event.left_scene_at !== null) return phases[5];
  if (event.arrived_scene_at !== null) return phases[4];
  if (event.en_route_at !== null) return phases[3];
  if (event.dispatch_notified_at !== null) return phases[2];
  return event.call_received_at !== null ? phases[1] : phases[0];
}

function fromUnit(unit: UnitStatus, { centre, timeMax }: Reading): FeedEvent {
  const event: FeedEvent = {
    kind: 'unit',
    centre,
    call_id: name(unit.call_id, 'call_id'),
    unit_id: required(unit.unit_id, 'unit_id'),
    station: name(unit.station, 'station'),
    hospital: name(unit.hospital, 'hospital'),
    latitude: within(unit.latitude, 'latitude', -90, 90),
    longitude: within(unit.longitude, 'longitude', -180, 180),
    priority: null,
    complaint_code: null,
    required_capability: null,
    caller_phone_hash: null,
    address: null,
    call_received_at: time(unit.call_received_ms, 'call_received_ms', timeMax),
    answered_at: null,
    abandoned_at: null,
    reported_at: time(unit.reported_ms, 'reported_ms', timeMax),
    dispatch_notified_at: time(unit.dispatch_notified_ms, 'dispatch_notified_ms', timeMax),
    en_route_at: time(unit.en_route_ms, 'en_route_ms', timeMax),
    arrived_scene_at: time(unit.arrived_scene_ms, 'arrived_scene_ms', timeMax),
    left_scene_at: time(unit.left_scene_ms, 'left_scene_ms', timeMax),
    arrived_destination_at: time(unit.arrived_destination_ms, 'arrived_destination_ms', timeMax),
    transfer_of_care_at: time(unit.transfer_of_care_ms, 'transfer_of_care_ms', timeMax),
    back_in_service_at: time(unit.back_in_service_ms, 'back_in_service_ms', timeMax),
    phase: null,
    outcome: named(unit.outcome, 'outcome', outcomes),
    on_diversion: null,
    reason: null,
    until: null,
  };
  if ((unit.latitude === undefined) !== (unit.longitude === undefined)) {
    found ??= problem('MACH2110', { field: unit.latitude === undefined ? 'latitude' : 'longitude' });
  }
  event.phase = phaseOf(event);
  return event;
}

function fromDiversion(diversion: Diversion, { centre, timeMax }: Reading): FeedEvent {
  const changed = time(diversion.changed_ms, 'changed_ms', timeMax);
  if (changed === null) found ??= problem('MACH2110', { field: 'changed_ms' });
  return {
    kind: 'diversion',
    centre,
    call_id: null,
    unit_id: null,
    station: null,
    hospital: required(diversion.hospital, 'hospital'),
    latitude: null,
    longitude: null,
    priority: null,
    complaint_code: null,
    required_capability: null,
    caller_phone_hash: null,
    address: null,
    call_received_at: null,
    answered_at: null,
    abandoned_at: null,
    reported_at: changed,
    dispatch_notified_at: null,
    en_route_at: null,
    arrived_scene_at: null,
    left_scene_at: null,
    arrived_destination_at: null,
    transfer_of_care_at: null,
    back_in_service_at: null,
    phase: null,
    outcome: null,
    on_diversion: diversion.active === true,
    reason: text(diversion.reason, 'reason', feedLimits.textLengthMax),
    until: time(diversion.until_ms, 'until_ms', feedLimits.untilMax),
  };
}

/** The newest of the times in an event, `until` aside; 0 without any. */
function timeOf(event: FeedEvent): number {
  let at = newest(newest(0, event.call_received_at), event.reported_at);
  if (event.kind === 'call') return newest(newest(at, event.answered_at), event.abandoned_at);
  at = newest(newest(at, event.dispatch_notified_at), event.en_route_at);
  at = newest(newest(at, event.arrived_scene_at), event.left_scene_at);
  return newest(newest(newest(at, event.arrived_destination_at), event.transfer_of_care_at), event.back_in_service_at);
}

/** The event of an item and its time, or the first problem of the item. */
export function readItem(item: Item, reading: Reading): SourceEvent | Problem {
  found = null;
  let event: FeedEvent;
  if (item.unit) event = fromUnit(item.unit, reading);
  else if (item.call) event = fromCall(item.call, reading);
  else if (item.diversion) event = fromDiversion(item.diversion, reading);
  else return problem('MACH2114', { reason: '' });
  if (found !== null) return found;
  const at = timeOf(event);
  if (at === 0) return problem('MACH2110', { field: 'reported_ms' });
  return { event: event as Event, time: at };
}
