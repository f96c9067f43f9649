/** Ambulances on their way to each hospital, minute by minute, and how long hospitals take to take their patients over. */
import { z } from 'zod';
import { defineOperator, defineSchema, duration, type EventOf, field, input } from '../runtime/stream/index.ts';
import {
  newProgress,
  noteChange,
  type PictureProgress,
  picturesMigration,
  takeDueInstants,
} from './support/pictures.ts';
import { requireFields } from './support/required-fields.ts';

const bytesPerRun = 160;
const offloadLookBackMs = 3_600_000;
const minuteMs = 60_000;

const loadSchema = defineSchema({
  hospital: field.string({ repeated: true, description: 'destination' }),
  minute: field.timestamp({ description: 'the instant of the picture, a whole step' }),
  ambulances_on_the_way: field.int({ unit: 'ambulances', description: 'left the scene, not yet arrived' }),
  ambulances_waiting: field.int({ unit: 'ambulances', description: 'arrived, patient not yet taken over' }),
  offload_p90_minutes: field.float({
    nullable: true,
    unit: 'min',
    description: '90th percentile of arrival to transfer of care, of those taken over in the last hour',
  }),
  revised: field.bool({ description: 'corrects an earlier picture of the same minute' }),
});

const wanted = {
  kind: { kind: 'string' },
  centre: { kind: 'string' },
  call_id: { kind: 'string' },
  unit_id: { kind: 'string' },
  hospital: { kind: 'string' },
  left_scene_at: { kind: 'timestamp' },
  arrived_destination_at: { kind: 'timestamp' },
  transfer_of_care_at: { kind: 'timestamp' },
} as const;

interface UnitEvent {
  readonly kind: string;
  readonly centre: string;
  readonly call_id: string | null;
  readonly unit_id: string | null;
  readonly hospital: string | null;
  readonly left_scene_at: number | null;
  readonly arrived_destination_at: number | null;
  readonly transfer_of_care_at: number | null;
}

/** One run of an ambulance to a hospital; times in ms since the epoch, null until known. */
interface Run {
  hospital: string;
  leftScene: number | null;
  arrived: number | null;
  takenOver: number | null;
}

interface Destination {
  readonly runs: Map<string, Run>;
  readonly progress: PictureProgress;
}

export const ambulanceLoad = defineOperator({
  name: 'ambulance-load',
  status: 'stable',
  summary:
    'Counts the ambulances on their way to each hospital at every minute, and corrects earlier minutes when late news comes.',
  options: z.strictObject({
    from: input().describe('unit events with the fields of feed-115'),
    every: duration().default(60_000).describe('time between two pictures'),
    revise: duration()
      .default(6 * 3_600_000)
      .describe('how far back late news still corrects'),
    run: duration()
      .default(12 * 3_600_000)
      .describe('a run without an end is forgotten after this long'),
  }),
  examples: [
    {
      title: 'other events of the feed are filtered',
      options: { from: 'centre' },
      schema: {
        fields: Object.fromEntries(Object.entries(wanted).map(([name, type]) => [name, { type, nullable: true }])),
      },
      in: [
        {
          kind: 'call',
          centre: '115',
          call_id: 'C1',
          unit_id: null,
          hospital: null,
          left_scene_at: null,
          arrived_destination_at: null,
          transfer_of_care_at: null,
        },
      ],
      out: [],
    },
  ],
  state: {
    basis: ({ options }) => ({ everyMs: options.every, reviseMs: options.revise }),
    migrations: [picturesMigration('hospitals')],
  },
  bind({ options, inputs, check }) {
    const remedy = 'feed it from feed-115, or add the field with map';
    requireFields(check, { option: 'from', input: inputs.from, fields: wanted, remedy });
    const steps = { everyMs: options.every, reviseMs: options.revise };
    return {
      ports: { out: loadSchema },
      key: ['hospital'],
      stateful: true,
      stateBytesPerKey: { 'a run': bytesPerRun },
      create(context) {
        const hospitals = context.keyedState<Destination>('hospitals', { bytesPerKey: bytesPerRun });
        const destinations = context.keyedState<string>('destinations', { ttlMs: options.run });
        return {
          event(event, time, out) {
            const unit = event as unknown as UnitEvent;
            if (unit.kind !== 'unit' || unit.call_id === null || unit.hospital === null) return out.filtered();
            const run = `${unit.centre}/${unit.call_id}/${unit.unit_id ?? ''}`;
            // Sent elsewhere on the way: it no longer counts where it was going.
            const before = destinations.get(run);
            if (before !== undefined && before !== unit.hospital) {
              const old = hospitals.get(before);
              const left = old?.runs.get(run)?.leftScene;
              old?.runs.delete(run);
              if (old && left !== null && left !== undefined) noteChange(old.progress, left, time, options.every);
            }
            destinations.set(run, unit.hospital, time);
            const destination = hospitals.get(unit.hospital) ?? { runs: new Map(), progress: newProgress() };
            noteChange(destination.progress, learn(destination, run, unit), time, options.every);
            hospitals.set(unit.hospital, destination, time);
          },
          watermark(time, out) {
            for (const [hospital, destination] of hospitals.entries()) {
              for (const { at, revised } of takeDueInstants(destination.progress, time, steps)) {
                out.emit(loadAt(String(hospital), destination.runs.values(), at, revised), at);
              }
              forgetRuns(destination, time, options.revise + offloadLookBackMs, options.run);
            }
          },
        };
      },
    };
  },
});

/** Takes the times of an event into its run; returns the earliest time at which something changed. */
function learn(destination: Destination, id: string, unit: UnitEvent): number {
  const run = destination.runs.get(id) ?? {
    hospital: unit.hospital ?? '',
    leftScene: null,
    arrived: null,
    takenOver: null,
  };
  destination.runs.set(id, run);
  let changedFrom = Number.POSITIVE_INFINITY;
  const say = (name: 'leftScene' | 'arrived' | 'takenOver', value: number | null) => {
    // Status events tell all the times known so far; an older one that comes late takes nothing back.
    if (value === null || run[name] === value) return;
    changedFrom = Math.min(changedFrom, run[name] ?? value, value);
    run[name] = value;
  };
  say('leftScene', unit.left_scene_at);
  say('arrived', unit.arrived_destination_at);
  say('takenOver', unit.transfer_of_care_at);
  return changedFrom;
}

function loadAt(hospital: string, runs: Iterable<Run>, instant: number, revised: boolean): EventOf<typeof loadSchema> {
  let onTheWay = 0;
  let waiting = 0;
  const offloads: number[] = [];
  for (const { leftScene, arrived, takenOver } of runs) {
    if (leftScene !== null && leftScene <= instant && (arrived === null || arrived > instant)) onTheWay++;
    if (arrived !== null && arrived <= instant && (takenOver === null || takenOver > instant)) waiting++;
    if (arrived === null || takenOver === null || takenOver > instant || takenOver <= instant - offloadLookBackMs)
      continue;
    offloads.push((takenOver - arrived) / minuteMs);
  }
  offloads.sort((a, b) => a - b);
  return {
    hospital,
    minute: instant,
    ambulances_on_the_way: onTheWay,
    ambulances_waiting: waiting,
    offload_p90_minutes: offloads[Math.ceil(0.9 * offloads.length) - 1] ?? null,
    revised,
  };
}

function forgetRuns(destination: Destination, watermark: number, keepMs: number, runMs: number): void {
  for (const [id, { leftScene, arrived, takenOver }] of destination.runs) {
    const ended = takenOver ?? arrived;
    const began = leftScene ?? arrived ?? watermark;
    if ((ended !== null && ended < watermark - keepMs) || began < watermark - runMs) destination.runs.delete(id);
  }
}
