/** Topologies whose operators want one key after another: four partitions give the rows of one, through crashes. */
import { describe, expect, it, vi } from 'vitest';
import { catalogue } from '../catalogue.ts';
import { seededRandom } from '../runtime/random.ts';
import { type LabMessage, runScaled, runSpread, type SpreadRun } from '../runtime/testing/spread-lab.ts';
import { type BoundTopology, loadTopology } from '../runtime/topology/index.ts';
import { spreadTopology } from '../runtime/topology/spread.ts';

/** For a machine that is busy with others. */
vi.setConfig({ testTimeout: 180_000 });

const sources = `
version: 1
name: spread
sources:
  visits:
    nats: { url: "nats://127.0.0.1:4222", subject: visits, schema: { hospital: string, ward: string, patient: string, minutes: int, at: timestamp }, time: at, origin: hospital }
    disorder: 5s
  wards:
    nats: { url: "nats://127.0.0.1:4222", subject: wards, schema: { ward: string, beds: int, at: timestamp }, time: at, origin: ward }
    disorder: 5s
`;

const topologies: Record<string, string> = {
  'by hospital, then by ward, then all together': `
operators:
  once: { dedupe: { from: visits, by: [hospital, patient, minutes], within: 1h } }
  stays: { aggregate: { from: once, key: [hospital, ward], window: { tumbling: 1m }, values: { visits: count(), minutes: sum(minutes) } } }
  wards_now: { aggregate: { from: stays, key: ward, window: { tumbling: 5m }, values: { visits: sum(visits) } } }
  most: { top: { from: wards_now, by: visits, rows: 3, window: { tumbling: 5m } } }
sinks:
  a: { clickhouse: { from: stays, table: a, order_by: [hospital, ward, window_start] } }
  b: { clickhouse: { from: wards_now, table: b, order_by: [ward, window_start] } }
  c: { clickhouse: { from: most, table: c, order_by: [ranking_start, rank] } }
`,
  'joins of sides that are spread in different ways': `
operators:
  stays: { aggregate: { from: visits, key: [hospital, ward], window: { tumbling: 1m }, values: { visits: count() } } }
  beds: { map: { from: wards, keep: [ward, beds] } }
  with_beds: { join: { left: stays, right: beds, on: ward, keep: latest } }
  crowded: { filter: { from: with_beds, when: visits > 1 } }
  alarm: { alert: { from: crowded, key: hospital, raise: visits >= 3, clear: visits < 2, values: [visits] } }
  both: { union: { from: [stays, quiet] } }
  quiet: { filter: { from: stays, when: visits < 2 } }
sinks:
  a: { clickhouse: { from: with_beds, table: a, order_by: [hospital, ward, window_start] } }
  b: { clickhouse: { from: alarm, table: b, order_by: [hospital, at] } }
  c: { clickhouse: { from: both, table: c, order_by: [hospital, ward, window_start] } }
`,
  'updating results, newest events, joins for ever, patterns': `
operators:
  newest: { latest: { from: visits, key: [hospital, ward] } }
  longest: { aggregate: { from: newest, key: [hospital, ward], window: { global: true, early: change, forget: 1h }, values: { longest: max(minutes), visits: count() } } }
  usual: { aggregate: { from: longest, key: ward, of: hospital, window: { global: true, early: 10s }, values: { usual: mean(longest), visits: sum(visits) } } }
  beds: { map: { from: wards, keep: [ward, beds] } }
  crowded: { filter: { from: visits, when: minutes > 4 } }
  ever: { join: { left: crowded, right: beds, on: ward, within: { before: 5m, after: forever } } }
  rises: { pattern: { from: ever, key: ward, within: 10m, steps: [{ name: low }, { name: rise, times: +, when: beds > previous.beds, follows: later }], values: { beds: rise.last.beds } } }
  best: { top: { from: ever, by: beds, then_by: [{ by: patient, order: asc }], ties: all, rows: 2, key: hospital, every: 30s } }
sinks:
  a: { clickhouse: { from: usual, table: a, order_by: [ward] } }
  b: { clickhouse: { from: rises, table: b, order_by: [ward, match_start] } }
  c: { clickhouse: { from: best, table: c, order_by: [hospital, ranked_at, rank] } }
`,
};

/** Each is cut in a way of its own. */
topologies['every operator that keeps state by a key'] = `
operators:
  once: { dedupe: { from: visits, by: [minutes, hospital, patient], within: 2m } }
  few: { sample: { from: once, every: 2, key: [hospital] } }
  slow: { throttle: { from: visits, key: [hospital, ward], events: 1, every: 30s, keep: latest } }
  sessions: { aggregate: { from: visits, key: hospital, window: { session: 10s, lateness: 10s }, values: { visits: count() } } }
  sliding: { aggregate: { from: few, key: [ward], window: { sliding: 2m, every: 30s, lateness: 20s, early: 10s }, values: { visits: count(), most: max(minutes) } } }
  best: { top: { from: slow, key: hospital, by: minutes, rows: 2, of: ward, every: 20s, forget: 2m } }
  alarm: { alert: { from: visits, key: [ward], raise: minutes >= 4, clear: minutes < 2, hold: 3s, clear_hold: 3s, remind: 40s, values: [minutes] } }
  near: { join: { left: visits, right: wards, on: ward, within: { before: 20s, after: 10s }, kind: left, lateness: 5s, prefix: near_ } }
sinks:
  a: { clickhouse: { from: sessions, table: a, order_by: [hospital, window_start] } }
  b: { clickhouse: { from: sliding, table: b, order_by: [ward, window_start] } }
  c: { clickhouse: { from: best, table: c, order_by: [hospital, rank] } }
  d: { clickhouse: { from: alarm, table: d, order_by: [ward, at] } }
  e: { clickhouse: { from: near, table: e, order_by: [ward, at] } }
`;

function load(text: string): BoundTopology {
  const readFile = () => new TextEncoder().encode(sources.trim() + text);
  const { topology, diagnostics } = loadTopology('spread.yaml', { catalogue, env: {}, readFile });
  if (!topology) throw new Error(diagnostics.map(({ line, message }) => `${line}: ${message}`).join('\n'));
  return topology;
}

const start = Date.parse('2026-03-02T07:00:00+07:00');

function messagesFor(seed: number): LabMessage[] {
  const random = seededRandom(seed);
  let now = start;
  const messages = Array.from({ length: 400 }, (): LabMessage => {
    now += random.int(0, 4_000);
    const isVisit = random.chance(0.8);
    const count = random.int(1, 5);
    const hospital = `H${random.int(1, 6)}`;
    const ward = `W${random.int(1, 9)}`;
    const times = Array.from({ length: count }, () => now - random.int(0, 8_000));
    const events = times.map((at) =>
      isVisit
        ? { hospital, ward: `W${random.int(1, 9)}`, patient: `p${random.int(1, 40)}`, minutes: random.int(1, 5), at }
        : { ward, beds: random.int(1, 30), at },
    );
    const origin = isVisit ? hospital : ward;
    return {
      source: isVisit ? 'visits' : 'wards',
      frame: { kind: 'source', acceptedAt: 1, segments: [{ origin, events: count }], deadLetters: [], events, times },
    };
  });
  for (const source of ['visits', 'wards']) {
    const letters = source === 'visits' ? 'H' : 'W';
    const idle = Array.from({ length: 9 }, (_, index) => ({ origin: `${letters}${index + 1}`, elapsedMs: 900_000 }));
    messages.push({ source, frame: { kind: 'silence', idle, closed: [] } });
  }
  return messages;
}

function rowsOf({ rows }: SpreadRun): Record<string, string[]> {
  const text = ({ sequence, time, event }: { sequence: number; time: number; event: object }) =>
    `${String(sequence).padStart(5, '0')} ${JSON.stringify({ time, ...event })}`;
  return Object.fromEntries([...rows].sort().map(([sink, list]) => [sink, list.map(text).sort()]));
}

describe.each(Object.entries(topologies))('%s', (_, text) => {
  const topology = load(text);

  it('passes rows between stages', () => {
    expect(spreadTopology(topology, 4).stages).toBeGreaterThan(1);
  });

  it.each([1, 2, 3])('is the same at two and four partitions (seed %i)', { timeout: 300_000 }, (seed) => {
    const messages = messagesFor(seed);
    const whole = runSpread({ topology, partitions: 1, messages, random: seededRandom(seed) });
    const one = rowsOf(whole);
    expect(Object.keys(one)).toEqual(topology.sinks.map(({ id }) => id));
    for (const partitions of [2, 4]) {
      const random = seededRandom(`${seed}/${partitions}`);
      const run = runSpread({ topology, partitions, messages, random, crashShare: 0.1 });
      expect(rowsOf(run)).toEqual(one);
      expect(run.accounting).toEqual(whole.accounting);
    }
  });

  it.each([4, 5])(
    'is the same when its state is cut for other numbers on the way (seed %i)',
    {
      timeout: 300_000,
    },
    (seed) => {
      const messages = messagesFor(seed);
      const whole = runSpread({ topology, partitions: 1, messages, random: seededRandom(seed) });
      for (const numbers of [
        [1, 4, 2],
        [3, 1, 4, 5],
        [2, 7, 1],
      ]) {
        const random = seededRandom(`${seed}/${numbers.join()}`);
        const run = runScaled({ topology, numbers, messages, random, crashShare: 0.1 });
        expect(rowsOf(run)).toEqual(rowsOf(whole));
        expect(run.accounting).toEqual(whole.accounting);
      }
    },
  );
});
