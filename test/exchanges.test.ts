/** Topologies whose operators want one key after another: four partitions give the rows of one, through crashes. */
import { describe, expect, it, vi } from 'vitest';
import { catalogue } from '../catalogue.ts';
import { seededRandom } from '../runtime/random.ts';
import { type LabMessage, runSpread, type SpreadRun } from '../runtime/testing/spread-lab.ts';
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
};

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

  it.each([1, 2, 3])('is the same at two and four partitions (seed %i)', (seed) => {
    const messages = messagesFor(seed);
    const whole = runSpread({ topology, partitions: 1, messages, random: seededRandom(seed) });
    const one = rowsOf(whole);
    expect(Object.keys(one)).toEqual(['a', 'b', 'c']);
    for (const partitions of [2, 4]) {
      const random = seededRandom(`${seed}/${partitions}`);
      const run = runSpread({ topology, partitions, messages, random, crashShare: 0.1 });
      expect(rowsOf(run)).toEqual(one);
      expect(run.accounting).toEqual(whole.accounting);
    }
  });
});
