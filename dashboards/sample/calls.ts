/** Calls, ambulances and alerts of the made-up city. */
import type { TableSpec } from '../../runtime/store/store.ts';
import type { SampleCity } from './city.ts';
import { type Columns, chance, dayMs, insertSelect, instant } from './sql.ts';

/** One call in sixteen is given up before anyone has answered. */
const abandonedShare = 1 / 16;

function calls(city: SampleCity, from: number): string {
  return `SELECT number AS n, intDiv(${from}, ${dayMs}) AS day, ${from} + toInt64(number * ${dayMs} / ${city.callsPerDay}) + sipHash64(number, day) % 60000 AS received,
      received + 2000 + toInt64(28000 * pow(${chance('n', 'day')}, 3)) AS answered, ${chance('n', 'day', '1')} < ${abandonedShare} AS given_up, toString(day) || '-' || toString(n) AS call
    FROM numbers(${city.callsPerDay}) WHERE received <= ${city.end}`;
}

export function insertCalls(table: TableSpec, city: SampleCity, from: number): string {
  const columns: Columns = {
    call_id: 'call',
    centre: "'115'",
    call_received_at: instant('received'),
    answered_at: `if(given_up, NULL, ${instant('answered')})`,
    abandoned_at: `if(given_up, ${instant('received + 25000')}, NULL)`,
    priority: 'toInt64(1 + n % 5)',
    station: "concat('T', toString(n % 12))",
    recommended: `concat('H', toString(n % ${city.hospitals} + 1))`,
    recommended_distance_km: `0.5 + 6 * ${chance('n', 'day', '2')}`,
    capability_met: '1',
  };
  return insertSelect(table, { columns, sequence: 'intDiv(received, 1000)', from: calls(city, from) });
}

/** Phases of a run after `received`, with the minutes from the call to each. */
const phases = [
  ['notified', 'dispatch_notified_at', 1.5],
  ['en_route', 'en_route_at', 2.5],
  ['on_scene', 'arrived_scene_at', 11],
  ['transporting', 'left_scene_at', 26],
  ['at_destination', 'arrived_destination_at', 40],
  ['transferred', 'transfer_of_care_at', 55],
  ['in_service', 'back_in_service_at', 65],
] as const;

/** One report for each phase of each run, with all times so far. */
export function insertUnitReports(table: TableSpec, city: SampleCity, from: number): string {
  const at = (minutes: number) => `answered + toInt64(${minutes} * 60000 * (0.6 + 0.8 * ${chance('n', 'day', '4')}))`;
  const times = `[${phases.map(([, , minutes]) => at(minutes)).join(', ')}]`;
  const columns: Columns = {
    centre: "'115'",
    unit_id: `concat('A', toString(n % ${city.units} + 1))`,
    call_id: 'call',
    station: "concat('T', toString(n % 12))",
    hospital: `if(step >= 4, concat('H', toString(n % ${city.hospitals} + 1)), NULL)`,
    phase: `[${phases.map(([name]) => `'${name}'`).join(', ')}][step]`,
    outcome: "if(step = 7, 'transported', NULL)",
    call_received_at: instant('received'),
    ...Object.fromEntries(
      phases.map(([, field], index) => [field, `if(step > ${index}, ${instant(`times[${index + 1}]`)}, NULL)`]),
    ),
    reported_at: instant('times[step]'),
  };
  const reports = `SELECT *, ${times} AS times, arrayJoin(range(1, 8)) AS step FROM (${calls(city, from)}) WHERE NOT given_up AND times[step] <= ${city.end}`;
  return insertSelect(table, { columns, sequence: 'intDiv(received, 1000)', from: reports });
}

/** States of an alert with the minutes since it was raised; the last alerts of the city are still open. */
const alertSteps = [
  ['raised', 0],
  ['acknowledged', 4],
  ['assigned', 7],
  ['escalated', 20],
  ['cleared', 95],
] as const;

export function insertAlerts(table: TableSpec, city: SampleCity, from: number): string {
  const perDay = 40;
  const columns: Columns = {
    alert_id: "concat('crowding/', hospital, '/', toString(raised))",
    hospital: 'hospital',
    nedocs: '101 + n % 50',
    census: '30 + n % 40',
    waiting: '12',
    boarding: '5',
    state: `[${alertSteps.map(([name]) => `'${name}'`).join(', ')}][step]`,
    severity: 'toInt64(if(step >= 4, 2, 1))',
    level: "if(step >= 4, 'severe', NULL)",
    at: instant('changed'),
    raised_at: instant('raised'),
    held_ms: '300000',
    reason: "'level >= 3: level 3'",
    acknowledged_by: "if(step >= 2, 'Trực ban Thử Nghiệm', NULL)",
    assigned_to: "if(step >= 3, 'Điều phối Thử Nghiệm', NULL)",
    action_by: "[NULL, 'Trực ban Thử Nghiệm', 'Trực ban Thử Nghiệm', NULL, NULL][step]",
    action_note: "if(step = 3, 'Đã gọi khoa', NULL)",
  };
  const alerts = `SELECT number AS n, concat('H', toString(sipHash64(number, ${from}) % ${city.hospitals} + 1)) AS hospital, ${from} + toInt64(number * ${dayMs} / ${perDay}) AS raised,
      arrayJoin(range(1, 6)) AS step, raised + [${alertSteps.map(([, minutes]) => minutes).join(', ')}][step] * 60000 AS changed
    FROM numbers(${perDay}) WHERE changed <= ${city.end} AND NOT (n % 3 = 0 AND step IN (2, 3))`;
  return insertSelect(table, { columns, sequence: 'intDiv(changed, 1000)', from: alerts });
}
