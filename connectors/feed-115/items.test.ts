import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bindSource } from '../testing/bind.ts';
import { decodeItems } from './decode.ts';
import { feed115 } from './index.ts';
import { isProblem, readItem } from './items.ts';
import { readItems } from './requests.ts';
import { feedSchema } from './schema.ts';
import type { Item } from './wire.ts';

const now = Date.UTC(2026, 2, 2);
const reading = { centre: '115-thu', timeMax: now };
const names = Object.keys(feedSchema.fields);

const read = (item: Item) => {
  const result = readItem(item, reading);
  if (isProblem(result)) throw new Error(result.reason);
  return result;
};
const refusal = (item: Item) => {
  const result = readItem(item, reading);
  return isProblem(result) ? `${result.code} ${result.reason}` : 'taken';
};

describe('readItem', () => {
  it('reads a call', () => {
    const { event, time } = read({
      call: {
        call_id: 'C1',
        received_ms: now - 60_000,
        answered_ms: now - 55_000,
        address: '12 đường Thử Nghiệm',
        latitude: 10.77,
        longitude: 106.69,
        priority: 1,
        required_capability: 1,
      },
    });
    expect(time).toBe(now - 55_000);
    expect(event).toMatchObject({
      kind: 'call',
      centre: '115-thu',
      call_id: 'C1',
      required_capability: 'stroke',
      priority: 1,
    });
    expect(event).toMatchObject({ call_received_at: now - 60_000, abandoned_at: null, address: '12 đường Thử Nghiệm' });
  });

  it('tells the phase of a run from the last of the eight times', () => {
    const times = [
      'call_received_ms',
      'dispatch_notified_ms',
      'en_route_ms',
      'arrived_scene_ms',
      'left_scene_ms',
      'arrived_destination_ms',
      'transfer_of_care_ms',
      'back_in_service_ms',
    ];
    const unit: Record<string, unknown> = { unit_id: 'XE-1', reported_ms: now - 100_000 };
    const phases = [read({ unit }).event.phase];
    for (const [index, name] of times.entries()) {
      unit[name] = now - 90_000 + index * 10_000;
      const { event, time } = read({ unit });
      expect(time).toBe(unit[name]);
      phases.push(event.phase);
    }
    expect(phases).toEqual([
      'standby',
      'received',
      'notified',
      'en_route',
      'on_scene',
      'transporting',
      'at_destination',
      'transferred',
      'in_service',
    ]);
  });

  it('reads a diversion whose end lies in the future', () => {
    const { event, time } = read({
      diversion: { hospital: 'H1', changed_ms: now, active: true, until_ms: now + 7_200_000 },
    });
    expect(time).toBe(now);
    expect(event).toMatchObject({ kind: 'diversion', on_diversion: true, until: now + 7_200_000 });
    expect(read({ diversion: { hospital: 'H1', changed_ms: now } }).event.on_diversion).toBe(false);
  });

  it('refuses with the field and the reason', () => {
    const unit = { unit_id: 'XE-1', reported_ms: now };
    expect(refusal({})).toMatch(/MACH2114/);
    expect(refusal({ unit: {} })).toBe('MACH2110 unit_id is missing');
    expect(refusal({ unit: { unit_id: '  ', reported_ms: now } })).toBe('MACH2110 unit_id is missing');
    expect(refusal({ unit: { unit_id: 'XE-1' } })).toBe('MACH2110 reported_ms is missing');
    expect(refusal({ call: { call_id: 'C' } })).toBe('MACH2110 received_ms is missing');
    expect(refusal({ diversion: { hospital: 'H' } })).toBe('MACH2110 changed_ms is missing');
    // Where both places are swapped this is the longitude of the scene.
    expect(refusal({ unit: { ...unit, latitude: 91, longitude: 0 } })).toBe(
      'MACH2111 latitude is •••, outside -90 to 90',
    );
    expect(refusal({ unit: { ...unit, latitude: Number.NaN, longitude: 0 } })).toMatch(/MACH2111 latitude is •••/);
    expect(refusal({ unit: { ...unit, latitude: 1 } })).toBe('MACH2110 longitude is missing');
    expect(refusal({ unit: { ...unit, outcome: 7 } })).toBe('MACH2111 outcome is 7, outside 0 to 6');
    expect(refusal({ unit: { ...unit, reported_ms: now + 1 } })).toMatch(
      /MACH2112 reported_ms is .* too far in the future/,
    );
    expect(refusal({ unit: { ...unit, reported_ms: now / 1000 } })).toMatch(/seconds instead of milliseconds/);
    expect(refusal({ unit: { ...unit, en_route_ms: 1e300 } })).toMatch(/MACH2112 en_route_ms/);
    expect(refusal({ unit: { ...unit, station: 'x'.repeat(129) } })).toMatch(/MACH2113 station has 129/);
  });

  it('gives every event the fields of the schema, in its order, or a coded problem; never throws', () => {
    const number = fc.oneof(fc.constant(undefined), fc.integer(), fc.double(), fc.constant(now));
    const text = fc.option(fc.string({ maxLength: 200 }), { nil: undefined });
    const part = fc.record(
      Object.fromEntries([
        ...['call_id', 'unit_id', 'hospital', 'station', 'address', 'reason', 'complaint_code'].map((name) => [
          name,
          text,
        ]),
        ...[
          'received_ms',
          'reported_ms',
          'changed_ms',
          'latitude',
          'longitude',
          'priority',
          'outcome',
          'left_scene_ms',
        ].map((name) => [name, number]),
      ]),
      { requiredKeys: [] },
    );
    const item = fc.oneof(fc.record({ call: part }), fc.record({ unit: part }), fc.record({ diversion: part }));
    fc.assert(
      fc.property(item, (value) => {
        const result = readItem(value as Item, reading);
        if (isProblem(result)) {
          expect(result.code).toMatch(/^MACH21\d\d$/);
          return;
        }
        expect(Object.keys(result.event)).toEqual(names);
        expect(Number.isFinite(result.time)).toBe(true);
      }),
    );
  });
});

describe('decodeItems', () => {
  it('reads JSON lines of the proto, and says which line is none', async () => {
    const lines = [
      '{"unit":{"unit_id":"XE-1","reported_ms":"1772409600000","outcome":"OUTCOME_TRANSPORTED"}}',
      '',
      '{"call":',
      '[]',
      '{"ambulance":{}}',
      '{"unit":{"reported_ms":1772409600000}}',
    ];
    const { events, deadLetters } = await decodeItems(Buffer.from(lines.join('\r\n')), 'items.ndjson', now);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      time: 1772409600000,
      event: { unit_id: 'XE-1', outcome: 'transported', centre: 'items.ndjson' },
    });
    expect(deadLetters.map(({ code, place }) => [code, place.line])).toEqual([
      ['MACH2115', 3],
      ['MACH2115', 4],
      ['MACH2114', 5],
      ['MACH2110', 6],
    ]);
  });
});

describe('a dead letter', () => {
  it('is the item as it came, and is read again as of its centre', async () => {
    const call = { call_id: 'C1', received_ms: now + 60_000, priority: 1, latitude: 10.77, longitude: 106.69 };
    const options = { centre: '115-thu', peer: 'p', from: 0, firstPosition: 0 };
    const [letter] = readItems([{ call }], { ...options, timeMax: now }).deadLetters;
    expect(letter?.place).toEqual({ centre: '115-thu', peer: 'p', position: 0 });
    const source = bindSource(feed115, { listen: 0, ahead: '30s' });
    const { raw = new Uint8Array(), place = {} } = letter ?? {};
    const early = await source.redecode?.({ raw, place, acceptedAt: now, now });
    expect(early?.deadLetters).toHaveLength(1);
    const again = await source.redecode?.({ raw, place, acceptedAt: now, now: now + 30_000 });
    expect(again?.deadLetters).toEqual([]);
    expect(again?.events).toMatchObject([
      { event: { kind: 'call', centre: '115-thu', call_id: 'C1', priority: 1, latitude: 10.77 }, time: now + 60_000 },
    ]);
  });
});
