/** The table of hospitals that topologies read, and the simulated city, tell of the same hospitals. */
import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { expect, it } from 'vitest';
import { hospitals } from '../simulator/city/hospitals.ts';

it('data/hospitals.csv has the hospitals of the simulated city', () => {
  const text = readFileSync(new URL('data/hospitals.csv', import.meta.url), 'utf8');
  expect(parse(text, { columns: true })).toEqual(
    hospitals.map((site) => ({
      hospital: site.id,
      name: site.name,
      latitude: String(site.latitude),
      longitude: String(site.longitude),
      capabilities: site.capabilities.join(';'),
      ed_beds: String(site.edBeds),
      hospital_beds: String(site.hospitalBeds),
      address: site.address,
    })),
  );
});
