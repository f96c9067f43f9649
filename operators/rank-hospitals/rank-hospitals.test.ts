import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Event, Schema } from '../../runtime/stream/index.ts';
import {
  at,
  bindOperator,
  expectSameForAnyCut,
  operatorRun,
  type Step,
  watermark,
} from '../../runtime/testing/operator-harness.ts';
import { rankHospitalsOperator } from './rank-hospitals.ts';
import { haversineKm } from './score.ts';

const nullable = { nullable: true } as const;
const feed: Schema = {
  fields: {
    kind: { type: { kind: 'string' } },
    call_id: { type: { kind: 'string' }, ...nullable },
    hospital: { type: { kind: 'string' }, ...nullable },
    latitude: { type: { kind: 'float' }, ...nullable, privacy: 'quasi' },
    longitude: { type: { kind: 'float' }, ...nullable, privacy: 'quasi' },
    required_capability: { type: { kind: 'string' }, ...nullable, privacy: 'health' },
    address: { type: { kind: 'string' }, ...nullable, privacy: 'quasi' },
    on_diversion: { type: { kind: 'bool' }, ...nullable },
    until: { type: { kind: 'timestamp' }, ...nullable },
  },
};
const status: Schema = {
  fields: {
    hospital: { type: { kind: 'string' } },
    level: { type: { kind: 'int' }, ...nullable },
    ambulances_on_the_way: { type: { kind: 'int' }, ...nullable },
  },
};
const schemas = { calls: feed, status, diversions: feed };

const hospitals = [
  { hospital: 'H1', name: 'Một', latitude: 10.78, longitude: 106.7, capabilities: ['stroke', 'trauma'] },
  { hospital: 'H2', name: 'Hai', latitude: 10.8, longitude: 106.72, capabilities: ['stroke'] },
  { hospital: 'H3', name: 'Ba', latitude: 10.75, longitude: 106.66, capabilities: ['paediatric'] },
  { hospital: 'H4', name: 'Bốn', latitude: 10.78, longitude: 106.7, capabilities: [] },
];
const options = { calls: 'centre', status: 'overload', diversions: 'centre', hospitals, best: 4, status_within: '1m' };
const run = operatorRun({ definition: rankHospitalsOperator, options, schema: schemas });

const empty = Object.fromEntries(Object.keys(feed.fields).map((name) => [name, null]));
const callAt = (time: number, facts: object = {}) =>
  at(time, { ...empty, kind: 'call', call_id: 'C1', latitude: 10.77, longitude: 106.69, ...facts }, 'calls');
const statusAt = (time: number, hospital: string, level: number | null, ambulances: number | null = null) =>
  at(time, { hospital, level, ambulances_on_the_way: ambulances }, 'status');
const diversionAt = (time: number, hospital: string, on: boolean, until: number | null = null) =>
  at(time, { ...empty, kind: 'diversion', hospital, on_diversion: on, until }, 'diversions');

const time = fc.integer({ min: 0, max: 120_000 });
const hospital = fc.constantFrom('H1', 'H2', 'H3', 'H4', 'H9');
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc
      .tuple(
        time,
        fc.record({
          latitude: fc.constantFrom(10.77, 10.7801, null),
          longitude: fc.constantFrom(106.69, 106.7),
          required_capability: fc.constantFrom(null, 'stroke', 'paediatric', 'burn'),
        }),
      )
      .map(([when, facts]) => callAt(when, facts)),
    fc
      .tuple(time, hospital, fc.constantFrom(null, 1, 2, 3, 4), fc.constantFrom(null, 0, 3))
      .map(([when, id, level, ambulances]) => statusAt(when, id, level, ambulances)),
    fc
      .tuple(time, hospital, fc.boolean(), fc.option(time))
      .map(([when, id, on, until]) => diversionAt(when, id, on, until)),
    time.map((when) => watermark(when)),
  ),
  { maxLength: 50 },
);

/** The newest word about a hospital among those heard before, the later of two of one time. */
function newest(heard: readonly { time: number; event: Event }[], id: string) {
  let found: { time: number; event: Event } | undefined;
  for (const one of heard) if (one.event.hospital === id && (!found || one.time >= found.time)) found = one;
  return found;
}

function referenceRanking(
  call: Event,
  now: number,
  said: readonly { time: number; event: Event }[],
  diverted: typeof said,
) {
  const able = hospitals.filter(({ capabilities }) => capabilities.includes(String(call.required_capability)));
  const candidates = call.required_capability === null || able.length === 0 ? hospitals : able;
  if (call.latitude === null) return [];
  const scored = candidates.map((one) => {
    const km = haversineKm(call as never, one);
    const known = newest(said, one.hospital);
    const fresh = known && now - known.time <= 60_000 ? known.event : {};
    const diversion = newest(diverted, one.hospital)?.event;
    const off = diversion?.on_diversion === true && (diversion.until === null || (diversion.until as number) > now);
    const level = (fresh.level as number | null | undefined) ?? null;
    const ambulances = (fresh.ambulances_on_the_way as number | null | undefined) ?? 0;
    const score = (km * 1.4 * 60) / 25 + 10 * ((level ?? 2) - 1) + 2 * ambulances + (off ? 60 : 0);
    return { id: one.hospital, km, level, off, score };
  });
  scored.sort((a, b) => (Math.abs(a.score - b.score) > 1e-9 ? a.score - b.score : a.id < b.id ? -1 : 1));
  return scored.map(({ id, level, off, score }) => ({ id, level, off, score: Math.round(score * 10) / 10 }));
}

describe('rank-hospitals', () => {
  it('agrees with a plain search of all that was heard before', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const said: { time: number; event: Event }[] = [];
        const diverted: { time: number; event: Event }[] = [];
        const expected: unknown[] = [];
        for (const step of list) {
          if (step.kind === 'watermark') continue;
          if (step.input === 'status') said.push(step);
          else if (step.input === 'diversions') diverted.push(step);
          else expected.push(referenceRanking(step.event, step.time, said, diverted));
        }
        const got = run(list)
          .events()
          .map(({ ranking, recommended }) => {
            const rows = ranking as {
              hospital: string;
              level: number | null;
              on_diversion: boolean;
              score: number;
              rank: number;
            }[];
            expect(recommended).toBe(rows[0]?.hospital ?? null);
            expect(rows.map(({ rank }) => rank)).toEqual(rows.map((_, index) => index + 1));
            return rows.map(({ hospital: id, level, on_diversion: off, score }) => ({ id, level, off, score }));
          });
        expect(got).toEqual(expected);
      }),
    );
  });

  it('is the same for any cut and crash', () => {
    expectSameForAnyCut(run, steps);
  });

  it('ranks a call again when it comes again, with what is known by then', () => {
    const result = run([
      callAt(1_000),
      statusAt(2_000, 'H1', 4),
      statusAt(2_000, 'H4', 4),
      callAt(3_000),
      callAt(62_001),
    ]);
    expect(result.events().map(({ recommended }) => recommended)).toEqual(['H1', 'H3', 'H1']);
    const [first, second] = result.events() as { ranking: { reason: string }[] }[];
    expect(first?.ranking[0]?.reason).toBe('1,6 km, khoảng 5 phút; chưa rõ mức quá tải');
    expect(second?.ranking.at(-1)?.reason).toContain('mức quá tải 4');
  });

  it('names a capability that no hospital has, and then ranks all', () => {
    const [row] = run([callAt(0, { required_capability: 'burn' })]).events();
    expect(row).toMatchObject({ capability_met: false, required_capability: 'burn' });
    const ranking = row?.ranking as { reason: string }[];
    expect(ranking).toHaveLength(4);
    expect(ranking[0]?.reason).toContain('không nơi nào có bỏng');
  });

  it('puts a hospital on diversion behind, until its end', () => {
    const steps = [diversionAt(0, 'H1', true, 10_000), diversionAt(0, 'H4', true), callAt(9_999), callAt(10_000)];
    const rankings = run(steps).events() as {
      ranking: { hospital: string; on_diversion: boolean; reason: string }[];
    }[];
    expect(rankings[0]?.ranking.map(({ hospital: id }) => id)).toEqual(['H3', 'H2', 'H1', 'H4']);
    expect(rankings[0]?.ranking[2]?.reason).toContain('đang đề nghị chuyển hướng');
    expect(rankings[1]?.ranking[0]).toMatchObject({ hospital: 'H1', on_diversion: false });
  });

  it('filters other kinds, drops what it knows no hospital for, and says when a call has no place', () => {
    const result = run([
      at(0, { ...empty, kind: 'unit', hospital: 'H1' }, 'calls'),
      at(0, { ...empty, kind: 'call', hospital: 'H1' }, 'diversions'),
      statusAt(0, 'H9', 1),
      statusAt(5, 'H1', 1),
      statusAt(4, 'H1', 4),
      callAt(0, { latitude: null }),
    ]);
    expect(result.accounting).toMatchObject({ filtered: 2, dropped: 2, delivered: 2 });
    const nothing = { recommended: null, recommended_distance_km: null, ranking: [] };
    expect(result.events()).toMatchObject([nothing]);
  });

  it('keeps the tags of a call, and tags the ranking, from which the scene could be found', () => {
    const { bound } = bindOperator({ definition: rankHospitalsOperator, options, schema: schemas });
    const fields = bound.ports.out?.fields ?? {};
    expect(fields.address?.privacy).toBe('quasi');
    expect(fields.required_capability?.privacy).toBe('health');
    expect(fields.ranking?.privacy).toBe('quasi');
    expect(Object.keys(fields)).not.toContain('station');
  });

  it('reads the hospitals of the city', () => {
    const file = fileURLToPath(new URL('../../topologies/data/hospitals.csv', import.meta.url));
    const city = operatorRun({
      definition: rankHospitalsOperator,
      options: { ...options, hospitals: { file } },
      schema: schemas,
    });
    const [row] = city([callAt(0, { required_capability: 'burn', latitude: 10.7688, longitude: 106.6706 })]).events();
    expect(row).toMatchObject({ recommended: 'H3', capability_met: true, recommended_distance_km: 0 });
  });

  it('measures one degree of latitude as 111.2 km', () => {
    expect(haversineKm({ latitude: 10, longitude: 106 }, { latitude: 11, longitude: 106 })).toBeCloseTo(111.195, 2);
    expect(haversineKm({ latitude: 0, longitude: 179.5 }, { latitude: 0, longitude: -179.5 })).toBeCloseTo(111.195, 2);
  });

  it.each([
    [
      'calls without a place',
      { calls: { fields: { call_id: feed.fields.call_id as never } } },
      {},
      'has no field latitude',
    ],
    ['a status without a hospital', { status: { fields: {} } }, {}, '"overload" has no field hospital'],
    [
      'a level that is a text',
      { status: { fields: { ...status.fields, level: { type: { kind: 'string' as const } } } } },
      {},
      'field level of "overload" is a string',
    ],
    [
      'diversions without the word',
      { diversions: { fields: { hospital: feed.fields.hospital as never } } },
      {},
      'has no field on_diversion',
    ],
    ['a hospital twice', {}, { hospitals: [hospitals[0], hospitals[0]] }, 'H1 stands there twice'],
    ['a hospital nowhere', {}, { hospitals: [{ ...hospitals[0], latitude: 106.7 }] }, 'no place on earth'],
    ['a file that is not there', {}, { hospitals: { file: '/nowhere/h.csv' } }, 'cannot be read'],
  ])('says what is wrong: %s', (_, otherSchemas, otherOptions, message) => {
    const bind = () =>
      bindOperator({
        definition: rankHospitalsOperator,
        options: { ...options, ...otherOptions },
        schema: { ...schemas, ...otherSchemas },
      });
    expect(bind).toThrow(message);
  });
});
