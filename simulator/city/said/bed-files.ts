/** A hospital's bed file, every quarter of an hour: CSV with the columns of `topologies/schemas/beds.yaml`. */
import type { BedFileCityEvent } from '../events.ts';
import type { HospitalSite } from '../hospitals.ts';
import type { WardCounts } from '../model/records.ts';
import { cityOffsetMs } from '../model/rhythm.ts';
import type { Random } from '../random.ts';

const shares = { duplicate: 0.015, badRow: 0.015, physiciansUnknown: 0.02 } as const;

const bedColumns = [
  'hospital',
  'reported_at',
  'ed_beds',
  'hospital_beds',
  'planned_beds',
  'occupied_beds',
  'icu_beds',
  'icu_occupied',
  'negative_pressure_beds',
  'ed_physicians',
  'ventilators_in_use',
  'latitude',
  'longitude',
  'capabilities',
] as const;

export interface BedReport extends WardCounts {
  readonly physicians: number;
  readonly ventilated: number;
}

/** 2026-03-02T07:15:00+07:00 */
function cityTime(time: number): string {
  return `${new Date(time + cityOffsetMs).toISOString().slice(0, 19)}+07:00`;
}

function cells(site: HospitalSite, report: BedReport, at: number, random: Random): (string | number)[] {
  return [
    site.id,
    cityTime(at),
    site.edBeds,
    site.hospitalBeds,
    Math.round((site.hospitalBeds * 0.94) / 10) * 10,
    report.occupied,
    site.icuBeds,
    report.icuOccupied,
    Math.max(2, Math.round(site.icuBeds / 8)),
    random.chance(shares.physiciansUnknown) ? '' : report.physicians,
    report.ventilated,
    site.latitude,
    site.longitude,
    site.capabilities.join(' '),
  ];
}

/** The file, and perhaps the same content again under another name. */
export function bedFiles(site: HospitalSite, report: BedReport, at: number, random: Random): BedFileCityEvent[] {
  const row = cells(site, report, at, random);
  const lines = [bedColumns.join(','), row.join(',')];
  const bad = random.chance(shares.badRow);
  if (bad) lines.push(row.with(2, 'ba mươi').join(','));
  const text = `${lines.join('\n')}\n`;
  const stamp = cityTime(at).replaceAll(/[-:]/g, '').slice(0, 15);
  const name = `giuong-${site.id}-${stamp}`;
  const writtenAt = at + random.int(1_000, 4_000);
  const file = { kind: 'bed-file', hospital: site.id, text } as const;
  const files: BedFileCityEvent[] = [{ ...file, at: writtenAt, name: `${name}.csv`, note: bad ? 'bad-row' : 'plain' }];
  if (random.chance(shares.duplicate)) {
    files.push({ ...file, at: writtenAt + random.int(20, 200) * 1000, name: `${name}-gui-lai.csv`, note: 'duplicate' });
  }
  return files;
}
