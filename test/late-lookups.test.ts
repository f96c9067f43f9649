/** Look-ups behind an exchange: what is late, what is on time, and what is given up do not hang on the number of partitions. */
import { expect, it } from 'vitest';
import { dedupe } from '../operators/dedupe.ts';
import { enrich } from '../operators/enrich/enrich.ts';
import { seededRandom } from '../runtime/random.ts';
import type { OperatorDefinition } from '../runtime/stream/operator-definition.ts';
import { openLab } from '../runtime/testing/engine-lab.ts';
import { runAtPartitions } from '../runtime/testing/topology-test/at-partitions.ts';
import { topologyNames } from '../runtime/topology/names.ts';

const topology = (order: string) => `version: 1
name: lab
sources: { beats: { pulses: {}, disorder: 0s } }
operators:
  tally: { tallied: { from: beats } }
  first: { dedupe: { from: tally, by: id, within: 1h } }
  asked: { enrich: { from: first, url: 'http://registry.example/{id}', set: { known: string }, order: ${order} } }
  sums: { totals: { from: asked, every: 10s } }
sinks:
  rows: { collect: { from: asked } }
  late: { collect: { from: sums.late, table: late } }
  sums_kept: { collect: { from: sums, key: [hospital, begin], table: sums } }
`;
const startMs = 1_700_000_000_000;

/** The operator itself, but for whom it asks. */
function asking(ask: (id: string) => Promise<unknown>): OperatorDefinition {
  const definition = enrich as OperatorDefinition;
  return {
    ...definition,
    bind(args) {
      const bound = definition.bind(args);
      return bound.lookup ? { ...bound, lookup: { ...bound.lookup, ask: (event) => ask(String(event.id)) } } : bound;
    },
  };
}

async function ran(order: string, seed: number) {
  const random = seededRandom(seed);
  const lab = openLab({
    topology: topology(order),
    operators: [
      dedupe,
      asking(async (id) => {
        await lab.clock.sleep(random.int(0, 1) === 0 ? 10 : random.int(500, 4_000));
        return { known: id };
      }),
    ],
  });
  const process = await lab.start();
  for (let second = 0; second < 60; second++) {
    const event = { id: `p${second}`, hospital: `H${random.int(1, 4)}`, value: random.int(0, 9), patient: null };
    // Some come behind the watermark, by less than a window or by more.
    const time = startMs - 3_600_000 + (second - (random.chance(0.3) ? random.int(1, 25) : 0)) * 1_000;
    await lab.drive(process.source('beats').append({ origin: 'one', events: [{ event, time }] }), 20);
    await lab.clock.advance(random.int(0, 1_500));
  }
  for (let round = 0; round < 30; round++) {
    await lab.settle(process);
    await lab.clock.advance(1_000);
  }
  const messages = [...(lab.storage.streams.get(topologyNames('lab').inputStream('s1'))?.messages.values() ?? [])];
  const at = async (partitions: number) => {
    const { rows } = await runAtPartitions({ topology: lab.topology, messages, startMs, partitions });
    const texts = (sink: string) => (rows.get(sink) ?? []).map((row) => JSON.stringify(row)).sort();
    return { rows: texts('rows'), late: texts('late'), sums: texts('sums_kept') };
  };
  return { one: await at(1), two: await at(2), four: await at(4) };
}

it.each(['kept', 'free'])('are the same at any number of partitions, in an order that is %s', async (order) => {
  for (let seed = 1; seed <= 6; seed++) {
    const { one, two, four } = await ran(order, seed);
    expect(one.rows, `seed ${seed}`).toHaveLength(60);
    expect(one.late.length).toBeGreaterThan(0);
    expect(one.sums.length).toBeGreaterThan(5);
    expect(two, `seed ${seed}`).toEqual(one);
    expect(four, `seed ${seed}`).toEqual(one);
  }
});
