/** The hospitals that calls may be sent to: from a file beside the topology, or written in it. */
import { z } from 'zod';
import type { Checker } from '../../runtime/stream/index.ts';
import { readTable } from '../support/table-file.ts';
import type { Hospital } from './score.ts';

const written = z.strictObject({
  hospital: z.string().min(1).describe('its id, as in the status and the diversions'),
  name: z.string().min(1),
  latitude: z.number(),
  longitude: z.number(),
  capabilities: z.array(z.string()).default([]),
});

export const hospitalsOption = z.union([
  z.strictObject({
    file: z
      .string()
      .min(1)
      .describe('CSV, YAML or JSON: hospital, name, latitude, longitude, capabilities (separated by `;`)'),
  }),
  z.array(written).min(1),
]);

const fileSchema = {
  hospital: 'string',
  name: 'string',
  latitude: 'float',
  longitude: 'float',
  capabilities: 'list?',
} as const;

export function readHospitals(option: z.output<typeof hospitalsOption>, check: Checker): Hospital[] {
  const hospitals = Array.isArray(option) ? option : hospitalsOf(option.file, check);
  const seen = new Set<string>();
  for (const { hospital, latitude, longitude } of hospitals) {
    if (seen.has(hospital)) check.problem('hospitals', `hospital ${hospital} stands there twice`);
    seen.add(hospital);
    if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180) {
      check.problem('hospitals', `hospital ${hospital} is at ${latitude}, ${longitude}, which is no place on earth`);
    }
  }
  return hospitals;
}

function hospitalsOf(file: string, check: Checker): Hospital[] {
  const { rows } = readTable({ file, schema: fileSchema }, 'hospitals', check);
  return rows.map((event) => ({
    hospital: String(event.hospital),
    name: String(event.name),
    latitude: Number(event.latitude),
    longitude: Number(event.longitude),
    capabilities: (event.capabilities as string[] | null) ?? [],
  }));
}
