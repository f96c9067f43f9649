/** A source by the time of arrival: windows of processing time that follow from what is in the log alone. */
import { describe, expect, it } from 'vitest';
import { catalogue } from '../catalogue.ts';
import { seededRandom } from '../runtime/random.ts';
import { type LabMessage, runSpread } from '../runtime/testing/spread-lab.ts';
import { type BoundTopology, loadTopology } from '../runtime/topology/index.ts';

function load(eventTime: string) {
  const text = `
version: 1
name: arrivals
sources:
  calls:
    nats: { url: "nats://127.0.0.1:4222", subject: calls, schema: { hospital: string, call: int, at: timestamp }, time: at, origin: hospital }
    disorder: 0s
    event_time: ${eventTime}
operators:
  taken: { aggregate: { from: calls, key: hospital, window: { tumbling: 10s }, values: { calls: count(), said: max(at) } } }
sinks:
  rows: { clickhouse: { from: taken, table: taken, order_by: [hospital, window_start] } }
`;
  return loadTopology('arrivals.yaml', { catalogue, env: {}, readFile: () => new TextEncoder().encode(text.trim()) });
}

function bound(eventTime: string): BoundTopology {
  const { topology, diagnostics } = load(eventTime);
  if (!topology) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  return topology;
}

const start = Date.parse('2026-03-02T07:00:00+07:00');

/** Calls say any time; they come one message after another, and once the clock is put back. */
function messages(seed: number): LabMessage[] {
  const random = seededRandom(seed);
  let now = start;
  return Array.from({ length: 200 }, (_, index): LabMessage => {
    now += index === 100 ? -30_000 : random.int(0, 1_500);
    const hospital = `H${random.int(1, 4)}`;
    const times = Array.from({ length: random.int(1, 4) }, () => start - random.int(0, 10_000_000));
    return {
      source: 'calls',
      frame: {
        kind: 'source',
        acceptedAt: 1,
        engineTime: now,
        segments: [{ origin: hospital, events: times.length }],
        deadLetters: [],
        events: times.map((at, call) => ({ hospital, call, at })),
        times,
      },
    };
  });
}

describe('a source by the time of arrival', () => {
  const topology = bound('arrival');

  it.each([1, 2, 3])('counts each event in the window in which the engine took it in (seed %i)', (seed) => {
    const said = messages(seed);
    const expected = new Map<string, number>();
    let latest = 0;
    for (const { frame } of said) {
      if (frame.kind !== 'source') continue;
      // The watermark goes in whole seconds, and a clock that is put back waits for it.
      const time = Math.max(frame.engineTime ?? 0, latest);
      const window = Math.floor(time / 10_000) * 10_000;
      latest = Math.max(latest, Math.floor((frame.engineTime ?? 0) / 1_000) * 1_000);
      for (const { hospital } of frame.events) {
        const key = `${hospital} ${window}`;
        expected.set(key, (expected.get(key) ?? 0) + 1);
      }
    }
    const texts = [1, 4].map((partitions) => {
      const random = seededRandom(`${seed}/${partitions}`);
      const run = runSpread({ topology, partitions, messages: said, random, crashShare: 0.1 });
      const rows = (run.rows.get('rows') ?? []).map(({ event }) => event);
      for (const { hospital, window_start: from, calls } of rows)
        expect(calls).toBe(expected.get(`${hospital} ${from}`));
      expect(rows.length).toBeGreaterThan(10);
      return rows.map((row) => JSON.stringify(row)).sort();
    });
    expect(texts[1]).toEqual(texts[0]);
  });

  it('says in the plan that it is', () => expect(topology.sources[0]?.eventTime).toBe('arrival'));

  it('knows no other time than that', () => {
    const { topology: none, diagnostics } = load('arival');
    expect(none).toBeUndefined();
    expect(diagnostics).toMatchObject([{ code: 'MACH1018', suggestion: 'did you mean arrival?' }]);
  });
});
