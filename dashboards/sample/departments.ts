/** Emergency departments, beds and hospitals of the made-up city. */
import type { TableSpec } from '../../runtime/store/store.ts';
import type { SampleCity } from './city.ts';
import { chance, dayMs, insertSelect, instant, minuteMs, rhythm } from './sql.ts';

/** These say nothing in the last minutes: boards must show it. */
export const silentHospitals = [7, 23] as const;
export const silentMs = 40 * minuteMs;
/** This one has never sent a bed file: its level is not known. */
export const bedlessHospital = 11;

/** `n`, `hospital`, and what follows from them. */
const hospitalColumns = `concat('H', toString(n)) AS hospital, 20 + (n * 37) % 45 AS places, places * 22 AS beds`;

/** Visits of the city in a minute, spread over its hospitals. */
const arrivalsPerMinute = ({ hospitals }: SampleCity) => 140_000 / 1_440 / hospitals;

function pictures(city: SampleCity, from: number, stepMs: number): string {
  const minutes = dayMs / stepMs;
  const silent = `n IN (${silentHospitals.join(', ')}) AND at > ${city.end - silentMs}`;
  return `SELECT *, toInt64(load * places) AS patients, greatest(0, toInt64((load - 0.7) * places * 0.5)) AS held, load * 95 + held * 4 - 10 AS points
    FROM (
      SELECT number % ${city.hospitals} + 1 AS n, ${hospitalColumns}, ${from} + intDiv(number, ${city.hospitals}) * ${stepMs} AS at,
        ${instant('at')} AS minute, ${rhythm('minute')} * (0.7 + ${chance('n')} * 0.6) + 0.05 * ${chance('n', 'at')} AS load
      FROM numbers(${minutes * city.hospitals})
    ) WHERE at <= ${city.end} AND NOT (${silent})`;
}

const known = (sql: string) => `if(n = ${bedlessHospital}, NULL, ${sql})`;

/** One day of pictures, one for each `stepMs`. */
export function insertPictures(table: TableSpec, city: SampleCity, from: number, stepMs: number): string {
  const columns = {
    hospital: 'hospital',
    minute: 'minute',
    census: 'patients',
    arrivals: `toInt64(${chance('n', 'at', '1')} < ${arrivalsPerMinute(city)})`,
    departures: `toInt64(${chance('n', 'at', '2')} < ${arrivalsPerMinute(city)})`,
    waiting: 'toInt64(patients * 0.4)',
    boarding: 'held',
    triage_1: 'toInt64(patients * 0.03)',
    triage_2: 'toInt64(patients * 0.17)',
    triage_3: 'toInt64(patients * 0.4)',
    longest_wait_minutes: 'load * 150',
    longest_boarding_minutes: 'if(held = 0, NULL, load * 300)',
    length_of_stay_p90_minutes: 'load * 320',
    revised: '0',
    ed_beds: known('places'),
    hospital_beds: known('beds'),
    ambulances_on_the_way: `toInt64(${chance('n', 'intDiv(at, 600000)')} * 3)`,
    ambulances_waiting: `toInt64(${chance('n', 'intDiv(at, 900000)')} * load * 3)`,
    offload_p90_minutes: 'load * 25',
    occupancy: known('patients / places'),
    nedocs: known('points'),
    level: known('multiIf(points > 140, 4, points > 100, 3, points > 60, 2, 1)'),
    level_decided_by: known("'nedocs'"),
    missing_inputs: `if(n = ${bedlessHospital}, ['ed_beds'], [])`,
    icmed_measured: '6',
  };
  return insertSelect(table, { columns, sequence: 'intDiv(at, 1000)', from: pictures(city, from, stepMs) });
}

/** Corrections of one minute in a hundred of a day: rows of the same minute with a higher version. */
export function insertCorrections(table: TableSpec, city: SampleCity, from: number): string {
  const columns = {
    hospital: 'hospital',
    minute: 'minute',
    census: 'patients + 1',
    boarding: 'held',
    revised: '1',
    nedocs: known('points + 1'),
    level: known('multiIf(points > 140, 4, points > 100, 3, points > 60, 2, 1)'),
  };
  const some = `SELECT * FROM (${pictures(city, from, minuteMs)}) WHERE ${chance('n', 'at', '3')} < 0.01`;
  return insertSelect(table, { columns, sequence: 'intDiv(at, 1000) + 300', from: some });
}

const fileEveryMs = 15 * minuteMs;

function bedFiles(city: SampleCity, from: number): string {
  const files = (dayMs / fileEveryMs) * city.hospitals;
  return `SELECT number % ${city.hospitals} + 1 AS n, ${hospitalColumns}, ${from} + intDiv(number, ${city.hospitals}) * ${fileEveryMs} AS at, ${instant('at')} AS reported
    FROM numbers(${files}) WHERE at <= ${city.end} AND n != ${bedlessHospital}`;
}

const bedColumns = {
  hospital: 'hospital',
  reported_at: 'reported',
  ed_beds: 'places',
  hospital_beds: 'beds',
  planned_beds: 'beds',
  occupied_beds: `toInt64(beds * (0.8 + 0.22 * ${chance('n', 'intDiv(at, 3600000)')}))`,
  icu_beds: '8 + n % 20',
  icu_occupied: `toInt64((8 + n % 20) * (0.6 + 0.4 * ${chance('n', 'intDiv(at, 3600000)', '1')}))`,
  ed_physicians: '4 + n % 7',
  latitude: `10.70 + 0.2 * ${chance('n', "'latitude'")}`,
  longitude: `106.58 + 0.25 * ${chance('n', "'longitude'")}`,
  capabilities: "'trauma'",
};

export function insertBedFiles(table: TableSpec, city: SampleCity, from: number): string {
  return insertSelect(table, { columns: bedColumns, sequence: 'intDiv(at, 1000)', from: bedFiles(city, from) });
}

export function insertHospitals(table: TableSpec, city: SampleCity, from: number): string {
  const named = {
    ...bedColumns,
    name: "concat('Bệnh viện Thử nghiệm ', toString(n))",
    address: "concat(toString(n), ' đường Thử Nghiệm, Thành phố Hồ Chí Minh')",
  };
  return insertSelect(table, { columns: named, sequence: 'intDiv(at, 1000)', from: bedFiles(city, from) });
}
