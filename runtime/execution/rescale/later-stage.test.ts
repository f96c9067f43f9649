/** A version with a stage more: it begins with nothing, also where the state of the others has been cut. */
import { expect, it } from 'vitest';
import { type Lab, type LabProcess, openLab } from '../../testing/engine-lab.ts';
import { smallCatalogue } from '../../testing/small-catalogue.ts';
import { rebindVersion } from '../upgrade/rebind.ts';
import { rescale } from './rescale.ts';

const before = `
version: 1
name: lab
sources: { beds: { pulses: {}, idle: 30d } }
operators:
  windows: { totals: { from: beds, every: 10s } }
sinks:
  sums: { collect: { from: windows, key: [hospital, begin], table: sums } }
`;
/** With several partitions what numbers all windows stands in a later stage. */
const after = before
  .replace('sinks:', '  counted: { numbered: { from: windows } }\nsinks:')
  .concat('  numbers: { collect: { from: counted, table: numbers } }\n');
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const rebind = rebindVersion({ catalogue: smallCatalogue(), env: {} });

async function feed(lab: Lab, process: LabProcess, round: number): Promise<void> {
  for (let second = 0; second < 30; second++) {
    const event = { id: `${round}-${second}`, hospital: `H${second % 3}`, value: 1, patient: null };
    const time = 1_699_900_000_000 + (round * 30 + second) * 1_000;
    await lab.drive(process.source('beds').append({ origin: 'beds', events: [{ event, time }] }), 10);
  }
  await lab.settle(process);
}

/** What comes of a start with another number of partitions, and then of the version with a stage more. */
async function ran(partitions: number, { rounds = 2, isHeard = true } = {}): Promise<string[]> {
  const lab = openLab({ topology: before });
  let process = await lab.start();
  if (rounds > 1) await feed(lab, process, 0);
  await lab.drive(process.engine?.drain() ?? Promise.resolve());
  const args = { log: process.log, topology: lab.topology, rebind, logger: silent };
  if (partitions > 1) await lab.drive(rescale({ ...args, partitions }));
  process = await lab.start({ partitions, topology: after });
  if (isHeard) await feed(lab, process, 1);
  else await lab.settle(process);
  await lab.drive(process.engine?.drain() ?? Promise.resolve());
  process = await lab.start({ partitions, topology: after });
  await feed(lab, process, 2);
  return ['sums', 'numbers'].flatMap((sink) =>
    lab
      .events(sink)
      .map((event) => JSON.stringify(event))
      .sort(),
  );
}

it.each([
  ['after the cut', {}],
  ['after the cut of an empty log', { rounds: 1 }],
  ['before anything is heard', { isHeard: false }],
])('begins with nothing %s', async (_, way) => {
  const one = await ran(1, way);
  expect(one.length).toBeGreaterThan(5);
  expect(await ran(4, way)).toEqual(one);
});
