/** A look-up behind an exchange that stands in every partition of its stage: each of them has the answers to what it has asked. */
import { expect, it } from 'vitest';
import { latest } from '../operators/latest.ts';
import { openLab } from '../runtime/testing/engine-lab.ts';

const topology = `version: 1
name: lab
sources: { beats: { pulses: {}, disorder: 0s } }
operators:
  tally: { tallied: { from: beats } }
  newest: { latest: { from: tally, key: value } }
  asked: { ask: { from: newest, timeout: 5s, each: true } }
  sums: { totals: { from: asked, every: 10s } }
sinks:
  rows: { collect: { from: asked } }
  sums_kept: { collect: { from: sums, key: [hospital, begin] } }
`;
const pulses = 40;

async function ran(partitions: number) {
  const lab = openLab({
    topology,
    operators: [latest],
    edges: { answer: async (event) => ({ known: event.hospital }) },
  });
  const process = await lab.start({ partitions });
  for (let second = 0; second < pulses; second++) {
    const event = { id: `p${second}`, hospital: `H${second % 3}`, value: second % 7, patient: null };
    const append = process.source('beats').append({ origin: 'one', events: [{ event, time: second * 1_000 }] });
    await lab.drive(append, 20);
  }
  // What was asked last is answered by another message of the log.
  for (let round = 0; round < 5; round++) {
    await lab.settle(process);
    await lab.clock.advance(1_000);
  }
  const texts = (sink: string) =>
    lab
      .events(sink)
      .map((row) => JSON.stringify(row))
      .sort();
  const place = process.engine?.plan.nodes.get('asked');
  return { rows: texts('rows'), sums: texts('sums_kept'), place };
}

it.each([2, 4])('gives the rows of one partition at %i', async (partitions) => {
  const [one, several] = [await ran(1), await ran(partitions)];
  expect(several.place).toMatchObject({ stage: 2, out: { kind: 'by' } });
  expect(one.rows).toHaveLength(pulses);
  expect(several.rows).toEqual(one.rows);
  expect(one.sums.length).toBeGreaterThan(5);
  expect(several.sums).toEqual(one.sums);
});
