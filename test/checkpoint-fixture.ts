/**
 * A topology with every operator that keeps state, run up to its middle: what a checkpoint of today looks like. Checkpoints made so
 * by earlier versions lie in `runtime/execution/fixtures/checkpoints/`; each must go on as it would have then, or be refused with a reason.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { operators } from '../operators/index.ts';
import type { SourceFrame } from '../runtime/execution/log-frame.ts';
import { rowByRow } from '../runtime/execution/output-run.ts';
import { StageMachine } from '../runtime/execution/stage-machine.ts';
import { seededRandom } from '../runtime/random.ts';
import { type Catalogue, duration, inputs } from '../runtime/stream/index.ts';
import { type Event, type Field, field, type Schema } from '../runtime/stream/schema.ts';
import { defineSink } from '../runtime/stream/sink-definition.ts';
import { defineSource } from '../runtime/stream/source-definition.ts';
import type { BoundTopology } from '../runtime/topology/bound.ts';
import { loadTopology } from '../runtime/topology/load.ts';

export const fixtureFolder = join('runtime', 'execution', 'fixtures', 'checkpoints');
/** Handled before the checkpoint; as many again come after it. */
export const messagesBefore = 80;
const start = Date.parse('2026-03-02T07:00:00+07:00');
const hospitals = ['H1', 'H2', 'H3'];

const optional = { nullable: true } as const;
const waits: Schema = {
  fields: {
    id: field.string(),
    hospital: field.string({ repeated: true }),
    minutes: field.int(),
    department: field.string({ repeated: true }),
  },
};
const waitsOf = (departments: readonly string[]): Schema => ({
  fields: { ...waits.fields, department: field.string({ repeated: true, values: departments }) },
});
const streams: Readonly<Record<string, Schema>> = {
  waits,
  waits_of_two_departments: waitsOf(['ED', 'ICU']),
  waits_of_three_departments: waitsOf(['ED', 'ICU', 'OPD']),
  adt: {
    fields: {
      kind: field.string({ repeated: true }),
      hospital: field.string({ repeated: true }),
      visit_id: field.string(optional),
      prior_visit_id: field.string(optional),
      patient_class: field.string(optional),
      department: field.string(optional),
      prior_department: field.string(optional),
      occurred_at: field.timestamp(),
      recorded_at: field.timestamp(optional),
      admitted_at: field.timestamp(optional),
      discharged_at: field.timestamp(optional),
      triage_level: field.int(optional),
      triaged_at: field.timestamp(optional),
      seen_at: field.timestamp(optional),
      admit_decision_at: field.timestamp(optional),
      ventilated: field.bool(optional),
      deleted_fields: field.list({ kind: 'string' }),
    },
  },
  centre: {
    fields: {
      kind: field.string({ repeated: true }),
      centre: field.string({ repeated: true }),
      call_id: field.string(optional),
      unit_id: field.string(optional),
      hospital: field.string(optional),
      left_scene_at: field.timestamp(optional),
      arrived_destination_at: field.timestamp(optional),
      transfer_of_care_at: field.timestamp(optional),
      latitude: field.float(optional),
      longitude: field.float(optional),
      on_diversion: field.bool(optional),
      until: field.timestamp(optional),
    },
  },
};

export const fixtureTopology = `
version: 1
name: fixture
sources:
  waits: { stream: { of: waits }, disorder: 10s }
  adt: { stream: { of: adt }, disorder: 10s }
  centre: { stream: { of: centre }, disorder: 10s }
operators:
  once: { dedupe: { from: waits, by: id, within: 1h } }
  some: { sample: { from: once, every: 3, key: hospital } }
  slow: { throttle: { from: once, key: hospital, every: 2m, keep: latest } }
  windows: { aggregate: { from: once, key: hospital, window: { tumbling: 5m, lateness: 5m }, values: { n: count(), most: max(minutes), typical: "quantile(minutes, 0.5)" } } }
  sliding: { aggregate: { from: once, window: { sliding: 10m, every: 2m }, values: { total: sum(minutes), least: min(minutes) } } }
  sessions: { aggregate: { from: once, key: department, window: { session: 90s }, values: { n: count(), kinds: distinct(hospital) } } }
  worst: { top: { from: once, by: minutes, rows: 2, key: department, of: hospital, every: 1m } }
  alarm: { alert: { from: once, key: hospital, raise: minutes >= 60, hold: 1m, escalate: { severe: minutes >= 110 }, clear: minutes < 30, remind: 5m, values: [minutes] } }
  totals: { aggregate: { from: once, key: department, of: hospital, window: { global: true, early: change }, values: { n: count(), most: max(minutes), usual: mean(minutes) } } }
  remembered: { aggregate: { from: once, key: hospital, window: { global: true, early: 5m, forget: 1h }, values: { n: count() } } }
  counted: { aggregate: { from: once, key: [hospital, department], window: { tumbling: 7m, lateness: 4m, early: 1m }, values: { n: count() } } }
  moving: { aggregate: { from: once, key: department, window: { sliding: 9m, every: 90s, lateness: 4m }, values: { longest: max(minutes) } } }
  visits: { aggregate: { from: once, key: hospital, window: { session: 3m, lateness: 5m }, values: { usual: mean(minutes) } } }
  busiest: { aggregate: { from: once, key: hospital, window: { sliding: 12m, every: 4m }, values: { n: count() }, best: { by: n } } }
  summed: { aggregate: { from: once, key: hospital, of: department, window: { global: true, early: 4m }, values: { all: sum(minutes) } } }
  newest_wait: { latest: { from: once, key: hospital, every: 5m } }
  all_pairs: { join: { left: slow, right: some, on: [hospital], within: forever, prefix: any_ } }
  rising: { pattern: { from: once, key: hospital, within: 45m, steps: [{ name: low }, { name: rise, times: +, when: minutes > previous.minutes, totals: { all: sum(minutes) } }], values: { n: rise.count, all: rise.all } } }
  longest: { top: { from: once, by: minutes, then_by: [{ by: id }], rows: 4, key: department, ties: all, every: 1m } }
  census: { ed-census: { from: adt } }
  ambulances: { ambulance-load: { from: centre } }
  newest: { join: { left: census, right: ambulances, on: hospital, keep: latest, fields: [ambulances_on_the_way] } }
  shown: { map: { from: newest, keep: [hospital, minute, census, waiting, ambulances_on_the_way] } }
  near: { join: { left: slow, right: some, on: hospital, within: { before: 3m, after: 3m }, kind: left, prefix: near_ } }
  alike: { join: { left: some, right: once, on: minutes, within: { before: 20m, after: 2m }, fields: [id], prefix: other_ } }
  until_then: { join: { left: census, right: ambulances, on: hospital, within: { before: 90s, until: minute }, fields: [ambulances_on_the_way], prefix: then_ } }
  levels: { map: { from: census, set: { level: "census > 3 ? 3 : 1" } } }
  calls: { filter: { from: centre, when: kind == "call" } }
  diversions: { filter: { from: centre, when: kind == "diversion" } }
  ranked:
    rank-hospitals:
      calls: calls
      status: levels
      diversions: diversions
      hospitals:
        - { hospital: H1, name: Gần, latitude: 10.78, longitude: 106.7 }
        - { hospital: H2, name: Xa, latitude: 10.8, longitude: 106.7 }
        - { hospital: H3, name: Giữa, latitude: 10.79, longitude: 106.71 }
sinks:
  some_rows: { collect: { from: some } }
  slow_rows: { collect: { from: slow } }
  window_rows: { collect: { from: windows } }
  sliding_rows: { collect: { from: sliding } }
  session_rows: { collect: { from: sessions } }
  worst_rows: { collect: { from: worst } }
  alarm_rows: { collect: { from: alarm } }
  near_rows: { collect: { from: near } }
  alike_rows: { collect: { from: alike } }
  until_then_rows: { collect: { from: until_then } }
  totals_rows: { collect: { from: totals } }
  remembered_rows: { collect: { from: remembered } }
  counted_rows: { collect: { from: counted } }
  moving_rows: { collect: { from: moving } }
  visits_rows: { collect: { from: visits } }
  busiest_rows: { collect: { from: busiest } }
  summed_rows: { collect: { from: summed } }
  newest_wait_rows: { collect: { from: newest_wait } }
  all_pairs_rows: { collect: { from: all_pairs } }
  rising_rows: { collect: { from: rising } }
  longest_rows: { collect: { from: longest } }
  newest_rows: { collect: { from: shown } }
  ranked_rows: { collect: { from: ranked } }
`;

export interface FixtureMessage {
  readonly source: string;
  readonly origin: string;
  readonly time: number;
  /** Fields that are not null. */
  readonly event: Event;
}

/** What came after the checkpoint, and the rows that it gave then. */
export interface FixtureStory {
  readonly topology: string;
  readonly sequence: number;
  readonly messages: readonly FixtureMessage[];
  readonly rows: readonly { readonly sink: string; readonly time: number; readonly event: Event }[];
}

export function fixtureCatalogue(): Catalogue {
  const stream = defineSource({
    name: 'stream',
    status: 'stable',
    summary: 'Events of a test.',
    options: z.strictObject({ of: z.string(), pause: duration().optional() }),
    durability: 'disk',
    examples: [],
    bind: ({ options }) => ({
      ports: { out: streams[options.of] ?? { fields: {} } },
      open: async () => ({ address: 'the test', close: async () => {} }),
    }),
  });
  const collect = defineSink({
    name: 'collect',
    status: 'stable',
    summary: 'Gives rows to the test.',
    options: z.strictObject({ from: inputs() }),
    examples: [],
    bind: () => ({ open: async () => ({ write: async () => [], close: async () => {} }) }),
  });
  return { sources: [stream], operators, sinks: [collect] };
}

export function loadFixture(text: string): BoundTopology {
  const readFile = () => new TextEncoder().encode(text);
  const loaded = loadTopology('fixture.yaml', { catalogue: fixtureCatalogue(), env: {}, readFile });
  if (loaded.topology) return loaded.topology;
  throw new Error(loaded.diagnostics.map(({ line, message }) => `${line}: ${message}`).join('\n'));
}

/** Two hours of three made-up hospitals and a centre. */
export function fixtureMessages(): FixtureMessage[] {
  const random = seededRandom('checkpoint-fixture');
  const messages: FixtureMessage[] = [];
  for (let index = 0; index < 2 * messagesBefore; index++) {
    const time = start + index * 45_000 + random.int(-8_000, 8_000);
    const hospital = random.pick(hospitals);
    const event = eventOf(random, index, hospital, time);
    messages.push({ ...event, time });
  }
  return messages;
}

type Random = ReturnType<typeof seededRandom>;

function eventOf(random: Random, index: number, hospital: string, time: number): Omit<FixtureMessage, 'time'> {
  const kind = random.int(0, 4);
  if (kind <= 1) {
    const department = random.pick(['ED', 'ICU']);
    const id = random.chance(0.2) ? `W${index - 1}` : `W${index}`;
    return { source: 'waits', origin: hospital, event: { id, hospital, minutes: random.int(0, 130), department } };
  }
  if (kind <= 3) {
    const common = { hospital, visit_id: `V${random.int(1, 30)}`, patient_class: 'E', department: 'ED' };
    const story = random.pick(['arrival', 'arrival', 'update', 'discharge']);
    const seen = story === 'update' ? { seen_at: time, triage_level: random.int(1, 5) } : {};
    return {
      source: 'adt',
      origin: hospital,
      event: { kind: story, ...common, ...seen, occurred_at: time, deleted_fields: [] },
    };
  }
  const call = `C${random.int(1, 20)}`;
  const common = { centre: '115', call_id: call, hospital };
  const event = random.pick<Event>([
    { kind: 'call', ...common, latitude: 10.77, longitude: 106.7 },
    { kind: 'unit', ...common, unit_id: 'A1', left_scene_at: time - 120_000 },
    { kind: 'unit', ...common, unit_id: 'A1', left_scene_at: time - 600_000, arrived_destination_at: time },
    { kind: 'diversion', ...common, on_diversion: random.chance(0.5), until: time + 600_000 },
  ]);
  return { source: 'centre', origin: '115', event };
}

/** Runs messages, the first of them with the input sequence given, and gathers the rows. */
export function fixtureMachine(topology: BoundTopology) {
  const rows: FixtureStory['rows'][number][] = [];
  const machine = new StageMachine(topology, {
    rows: rowByRow((sink, { time, event }) => void rows.push({ sink, time, event })),
    question: () => undefined,
  });
  const schemas = new Map(topology.sources.map(({ id, ports }) => [id, ports.out?.fields ?? {}] as const));
  const feed = (messages: readonly FixtureMessage[], firstSequence: number) => {
    messages.forEach(({ source, origin, time, event }, at) => {
      const fields: Readonly<Record<string, Field>> = schemas.get(source) ?? {};
      const nothing = Object.fromEntries(Object.keys(fields).map((name) => [name, null]));
      const frame: SourceFrame = {
        kind: 'source',
        acceptedAt: time,
        segments: [{ origin, events: 1 }],
        deadLetters: [],
        events: [{ ...nothing, ...event }],
        times: [time],
      };
      machine.handle(firstSequence + at, source, frame);
    });
  };
  return { machine, rows, feed };
}

/** As it is compared and stored: what JSON cannot say is written out. */
export function plainRows(rows: FixtureStory['rows']): FixtureStory['rows'] {
  return JSON.parse(JSON.stringify(rows)) as FixtureStory['rows'];
}

export function readStory(format: string): FixtureStory {
  return JSON.parse(gunzipSync(readFileSync(join(fixtureFolder, `${format}.json.gz`))).toString()) as FixtureStory;
}
