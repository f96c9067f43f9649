/** For every emergency call, the hospitals that can take it, best first. */
import { z } from 'zod';
import {
  type BoundInput,
  defineOperator,
  duration,
  type Event,
  input,
  type OperatorContext,
  type OperatorHandler,
} from '../../runtime/stream/index.ts';
import { hospitalsOption, readHospitals } from './hospitals.ts';
import { bindStatus, checkDiversions, rankingSchema } from './schema.ts';
import {
  capableOf,
  type Hospital,
  type HospitalStatus,
  rankHospitals,
  type Travel,
  unknownStatus,
  type Weights,
} from './score.ts';

const bytesPerHospital = 400;
const absent: BoundInput = { from: 'nothing', schema: { fields: {} } };

const call = {
  call_id: 'C1',
  centre: '115',
  priority: 1,
  required_capability: 'stroke',
  latitude: 10.77,
  longitude: 106.7,
};

export const rankHospitalsOperator = defineOperator({
  name: 'rank-hospitals',
  status: 'beta',
  summary: 'Ranks the hospitals for every emergency call by distance, overload, capability and diversion.',
  options: z
    .strictObject({
      calls: input().describe('calls with the fields of feed-115; other kinds are filtered'),
      status: input().describe(
        'hospital, and those of level, nedocs, occupancy, waiting, ambulances_on_the_way that there are',
      ),
      diversions: input().optional().describe('diversions with the fields of feed-115; other kinds are filtered'),
      hospitals: hospitalsOption.describe('the hospitals that calls may be sent to'),
      best: z.int().min(1).max(50).default(5).describe('how many hospitals are listed'),
      speed_km_per_hour: z.number().positive().default(25).describe('mean speed of an ambulance'),
      detour: z.number().min(1).default(1.4).describe('length of the road for one of the straight line'),
      status_within: duration().default(3_600_000).describe('an older status counts as unknown'),
      weights: z
        .strictObject({
          level: z.number().min(0).default(10).describe('minutes for each overload level above 1'),
          ambulance: z.number().min(0).default(2).describe('minutes for each ambulance on the way'),
          diversion: z.number().min(0).default(60).describe('minutes for a hospital on diversion'),
        })
        .prefault({})
        .describe('how many minutes further away one goes to avoid each'),
    })
    .describe('a call is ranked each time it comes, with what is known by then; a level that is unknown counts as 2'),
  examples: [
    {
      title: 'an overloaded hospital near by, a quiet one further away, one that cannot treat a stroke',
      options: {
        calls: 'centre',
        status: 'overload',
        best: 2,
        hospitals: [
          { hospital: 'H1', name: 'Gần', latitude: 10.78, longitude: 106.7, capabilities: ['stroke'] },
          { hospital: 'H2', name: 'Xa', latitude: 10.8, longitude: 106.7, capabilities: ['stroke'] },
          { hospital: 'H3', name: 'Nhi', latitude: 10.77, longitude: 106.7, capabilities: ['paediatric'] },
        ],
      },
      in: {
        calls: [{ ...call, $time: 10 }],
        status: [
          { hospital: 'H1', level: 4, nedocs: 170, $time: 0 },
          { hospital: 'H2', level: 1, nedocs: 40, $time: 0 },
        ],
      },
      out: [
        {
          ...call,
          recommended: 'H2',
          recommended_distance_km: 3.3,
          capability_met: true,
          ranking: [
            {
              rank: 1,
              hospital: 'H2',
              name: 'Xa',
              distance_km: 3.3,
              minutes: 11.2,
              level: 1,
              nedocs: 40,
              on_diversion: false,
              score: 11.2,
              reason: '3,3 km, khoảng 11 phút; mức quá tải 1 (NEDOCS 40)',
            },
            {
              rank: 2,
              hospital: 'H1',
              name: 'Gần',
              distance_km: 1.1,
              minutes: 3.7,
              level: 4,
              nedocs: 170,
              on_diversion: false,
              score: 33.7,
              reason: '1,1 km, khoảng 4 phút; mức quá tải 4 (NEDOCS 170)',
            },
          ],
        },
      ],
    },
  ],
  // What is known of each hospital does not hang on how they are ranked.
  state: { basis: () => ({}) },
  bind({ options, inputs, check }) {
    const out = rankingSchema(inputs.calls ?? absent, check);
    const statusOf = bindStatus(inputs.status ?? absent, check);
    if (inputs.diversions) checkDiversions(inputs.diversions, check);
    const setting: Setting = {
      hospitals: readHospitals(options.hospitals, check),
      statusOf,
      statusWithinMs: options.status_within,
      best: options.best,
      travel: { speedKmPerHour: options.speed_km_per_hour, detour: options.detour },
      weights: options.weights,
      callFields: Object.keys(out.fields).filter((name) => name in (inputs.calls?.schema.fields ?? {})),
    };
    return {
      ports: { out },
      keyedBy: { calls: [], status: ['hospital'], diversions: ['hospital'] },
      stateful: true,
      stateBytesPerKey: { 'a hospital': bytesPerHospital },
      create: (context) => createRanking(setting, context),
    };
  },
});

interface Setting {
  readonly hospitals: readonly Hospital[];
  statusOf(event: Event): HospitalStatus;
  readonly statusWithinMs: number;
  readonly best: number;
  readonly travel: Travel;
  readonly weights: Weights;
  /** Fields of a call that come out. */
  readonly callFields: readonly string[];
}

interface Known {
  readonly status: HospitalStatus;
  readonly time: number;
}

interface Diversion {
  readonly on: boolean;
  /** null: until it is taken back. */
  readonly until: number | null;
  readonly time: number;
}

function createRanking(setting: Setting, context: OperatorContext): OperatorHandler {
  const { hospitals, statusWithinMs } = setting;
  const listed = new Set(hospitals.map(({ hospital }) => hospital));
  const statuses = context.keyedState<Known>('status', { bytesPerKey: bytesPerHospital });
  const diversions = context.keyedState<Diversion>('diversions', { bytesPerKey: 80 });

  function rank(event: Event, time: number): Event {
    const capability = (event.required_capability as string | null | undefined) ?? null;
    const { candidates, met } = capableOf(hospitals, capability);
    const { latitude, longitude } = event as { latitude: number | null; longitude: number | null };
    const ranking =
      latitude === null || longitude === null
        ? []
        : rankHospitals({
            ...setting,
            scene: { latitude, longitude },
            candidates,
            lacking: met ? null : capability,
            statusOf(hospital) {
              const known = statuses.get(hospital);
              return known && time - known.time <= statusWithinMs ? known.status : unknownStatus;
            },
            isDiverted(hospital) {
              const diversion = diversions.get(hospital);
              return diversion?.on === true && (diversion.until === null || diversion.until > time);
            },
          });
    const row: Event = {};
    for (const name of setting.callFields) row[name] = event[name];
    row.recommended = ranking[0]?.hospital ?? null;
    row.recommended_distance_km = ranking[0]?.distance_km ?? null;
    row.capability_met = met;
    row.ranking = ranking;
    return row;
  }

  return {
    event(event, time, out, from) {
      if (from === 'calls') {
        if ('kind' in event && event.kind !== 'call') return out.filtered();
        return out.emit(rank(event, time), time);
      }
      if (from === 'diversions' && 'kind' in event && event.kind !== 'diversion') return out.filtered();
      const hospital = event.hospital as string | null;
      if (hospital === null || !listed.has(hospital)) return out.dropped('not a listed hospital');
      const known = from === 'status' ? statuses.get(hospital) : diversions.get(hospital);
      // Of one time the later word counts: a corrected picture.
      if (known && time < known.time) return out.dropped('older than what is known');
      if (from === 'status') return statuses.set(hospital, { status: setting.statusOf(event), time }, time);
      const { on_diversion: on, until } = event as { on_diversion: boolean | null; until?: number | null };
      diversions.set(hospital, { on: on === true, until: until ?? null, time }, time);
    },
  };
}
