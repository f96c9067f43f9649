/** 115 calls and ambulances, as boards ask for them. */
import type { Look } from '../kit/look.ts';
import { palette } from '../kit/palette.ts';
import { text } from '../kit/text.ts';
import { callsMax, rowsMax } from './bounds.ts';

/** An ambulance that has said nothing for this long is not shown as the present. */
const presentHours = 12;

/** Calls received from an instant to the end of the range: `received_at`, `answered_at`, `abandoned_at`, `priority`, `answer_seconds`. */
export function callsSince(from: string): string {
  return `SELECT call_received_at AS received_at, answered_at, abandoned_at, priority, recommended, capability_met,
    dateDiff('millisecond', call_received_at, answered_at) / 1000 AS answer_seconds
  FROM emergency_calls FINAL WHERE call_received_at >= ${from} AND call_received_at <= $__toTime LIMIT ${callsMax}`;
}

/** Runs whose call was received from an instant on: `received_at` and, of the first ambulance, `arrival_minutes`; null until one is there. */
export function arrivalsSince(from: string): string {
  return `SELECT centre, call_id, min(call_received_at) AS received_at,
    dateDiff('second', received_at, minOrNull(arrived_scene_at)) / 60 AS arrival_minutes
  FROM unit_reports WHERE reported_at >= ${from} AND reported_at <= $__toTime AND call_received_at >= ${from}
  GROUP BY centre, call_id LIMIT ${callsMax}`;
}

/** What each ambulance said last: `unit_id`, `phase`, `hospital`, `call_id`, `station`, `said_at`. */
export const unitsNow = `SELECT centre, unit_id, max(reported_at) AS said_at, ${[
  'phase',
  'hospital',
  'call_id',
  'station',
]
  .map((name) => `argMax(tuple(t.${name}), tuple(t.reported_at, t._sequence, t._index)).1 AS ${name}`)
  .join(', ')}
  FROM unit_reports AS t WHERE t.reported_at > $__toTime - INTERVAL ${presentHours} HOUR AND t.reported_at <= $__toTime
  GROUP BY centre, unit_id LIMIT ${rowsMax}`;

/** Phases of a run, by what they mean for who needs an ambulance. */
export const phases = [
  ['standby', text('Trực', 'Standby'), palette.calm],
  ['received', text('Nhận cuộc gọi', 'Call received'), palette.watch],
  ['notified', text('Đã báo kíp', 'Crew notified'), palette.watch],
  ['en_route', text('Đang đi', 'On the way'), palette.watch],
  ['on_scene', text('Tại hiện trường', 'At the scene'), palette.warning],
  ['transporting', text('Đang chở', 'Transporting'), palette.warning],
  ['at_destination', text('Chờ bàn giao', 'Waiting to hand over'), palette.severe],
  ['transferred', text('Đã bàn giao', 'Handed over'), palette.plain],
  ['in_service', text('Sẵn sàng', 'Back in service'), palette.calm],
] as const;

/** How many ambulances are in each phase: a number for each. */
export const phaseCounts = {
  sql: phases.map(([name]) => `countIf(phase = '${name}') AS ${name}`).join(', '),
  columns: Object.fromEntries(phases.map(([name, title, color]): [string, Look] => [name, { title, color }])),
} as const;
