/** The main job at one partition and at four, with parts that crash and run apart: the same rows. */
import { describe, expect, it } from 'vitest';
import { catalogue } from '../catalogue.ts';
import type { InputFrame } from '../runtime/execution/log-frame.ts';
import { seededRandom } from '../runtime/random.ts';
import { isBalanced } from '../runtime/stream/ledger.ts';
import { type LabMessage, runSpread, type SpreadRun } from '../runtime/testing/spread-lab.ts';
import { type BoundTopology, loadTopology } from '../runtime/topology/index.ts';
import { type CityRun, saidByCity } from './city-log.ts';

const hourMs = 3_600_000;
const city: CityRun = {
  seed: 23,
  hospitals: 12,
  start: Date.parse('2026-03-02T07:00:00+07:00'),
  durationMs: hourMs,
  scenario: 'surge',
};

function load(): BoundTopology {
  const { topology } = loadTopology('topologies/emergency-overload.yaml', {
    catalogue,
    env: { MACH_BED_FILES: 'inbox' },
  });
  return topology as BoundTopology;
}

async function cityMessages(topology: BoundTopology): Promise<LabMessage[]> {
  const said = await saidByCity(topology, city);
  const messages: LabMessage[] = said.map(({ source, origin, events, deadLetters }) => ({
    source,
    frame: {
      kind: 'source',
      acceptedAt: 1,
      segments: [{ origin, events: events.length }],
      deadLetters,
      events: events.map(({ event }) => event),
      times: events.map(({ time }) => time),
    } satisfies InputFrame,
  }));
  for (const { id } of topology.sources) {
    const origins = [...new Set(said.filter(({ source }) => source === id).map(({ origin }) => origin))];
    messages.push({
      source: id,
      frame: { kind: 'silence', idle: origins.map((origin) => ({ origin, elapsedMs: hourMs / 4 })), closed: [] },
    });
  }
  return messages;
}

/** Rows of each sink with the source message that caused them, in an order that does not depend on partitions. */
function rowsOf({ rows }: SpreadRun): Map<string, string[]> {
  const texts = ({ sequence, time, event }: { sequence: number; time: number; event: object }) =>
    `${String(sequence).padStart(8, '0')} ${JSON.stringify({ time, ...event })}`;
  return new Map([...rows].map(([sink, list]) => [sink, list.map(texts).sort()]));
}

describe('emergency-overload over partitions', async () => {
  const topology = load();
  const messages = await cityMessages(topology);
  const one = runSpread({ topology, partitions: 1, messages, random: seededRandom(1) });
  const expected = rowsOf(one);

  it('gives rows to every sink with one', () => {
    for (const { id } of topology.sinks) expect(expected.get(id)?.length, id).toBeGreaterThan(0);
  });

  it.each([2, 3])(
    'gives the same with four partitions, with crashes (seed %i)',
    (seed) => {
      const four = runSpread({ topology, partitions: 4, messages, random: seededRandom(seed), crashShare: 0.1 });
      expect(four.crashes).toBeGreaterThan(0);
      const found = rowsOf(four);
      for (const [sink, rows] of expected) expect(found.get(sink), sink).toEqual(rows);
      expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
      const writers = new Set(four.rows.get('ed_status')?.map(({ partition }) => partition));
      expect(writers.size).toBeGreaterThan(2);
      expect(isBalanced(one.accounting)).toBe(true);
      expect(four.accounting).toEqual(one.accounting);
    },
    180_000,
  );
});
