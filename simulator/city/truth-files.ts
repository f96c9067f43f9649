/** Writes the truth: `truth.csv` (hospital and minute), `visits.csv`, `summary.json`. Times are ISO, UTC. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HospitalSite } from './hospitals.ts';
import { type TruthRow, truthColumns } from './model/census.ts';
import type { EdVisit } from './model/records.ts';
import type { CitySummary } from './summary.ts';

type Cell = string | number | null;

function csv(header: readonly string[], rows: Iterable<readonly Cell[]>): string {
  const lines = [header.join(',')];
  for (const row of rows) lines.push(row.map(cellText).join(','));
  return `${lines.join('\n')}\n`;
}

function cellText(cell: Cell): string {
  const text = cell === null ? '' : String(cell);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function iso(time: number | null): string | null {
  return time === null ? null : `${new Date(time).toISOString().slice(0, 19)}Z`;
}

export function truthCsv(rows: readonly TruthRow[]): string {
  const cells = rows.map((row) => truthColumns.map((column) => (column === 'minute' ? iso(row.minute) : row[column])));
  return csv(truthColumns, cells);
}

const visitColumns = [
  'hospital',
  'visit',
  'level',
  'arrived_at',
  'triaged_at',
  'seen_at',
  'admit_decision_at',
  'ventilated_at',
  'departed_at',
  'departed_as',
];

export function visitsCsv(visits: readonly EdVisit[]): string {
  const cells = visits.map((visit) => [
    visit.hospital.id,
    visit.id,
    visit.level,
    iso(visit.arrivedAt),
    iso(visit.triagedAt),
    iso(visit.seenAt),
    iso(visit.admitDecisionAt),
    iso(visit.ventilatedAt),
    iso(visit.departedAt),
    visit.departedAs,
  ]);
  return csv(visitColumns, cells);
}

const hospitalColumns = [
  'hospital',
  'name',
  'address',
  'latitude',
  'longitude',
  'capabilities',
  'ed_beds',
  'hospital_beds',
  'icu_beds',
];

/** The list of hospitals for a look-up table or a topology. Capabilities are separated by spaces. */
export function hospitalsCsv(sites: readonly HospitalSite[]): string {
  const cells = sites.map((site) => [
    site.id,
    site.name,
    site.address,
    site.latitude,
    site.longitude,
    site.capabilities.join(' '),
    site.edBeds,
    site.hospitalBeds,
    site.icuBeds,
  ]);
  return csv(hospitalColumns, cells);
}

export async function writeTruth(
  folder: string,
  truth: { rows: readonly TruthRow[]; visits: readonly EdVisit[]; summary: CitySummary },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const files = {
    'truth.csv': truthCsv(truth.rows),
    'visits.csv': visitsCsv(truth.visits),
    'summary.json': `${JSON.stringify(truth.summary, null, 2)}\n`,
  };
  for (const [name, text] of Object.entries(files)) {
    const part = join(folder, `.${name}.part`);
    await writeFile(part, text);
    await rename(part, join(folder, name));
  }
}
