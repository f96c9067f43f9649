/** One partition, then three, then two: what comes out is what one partition gives throughout. */
import { expect, it } from 'vitest';
import { seededRandom } from '../random.ts';
import { type Lab, type LabProcess, openLab } from '../testing/engine-lab.ts';
import { requestsOf } from './chaos.fixture.ts';
import { rescale } from './rescale.ts';

const topology = `
version: 1
name: lab
sources: { beds: { pulses: {}, idle: 30d } }
operators:
  windows: { totals: { from: beds, every: 10s } }
  counted: { numbered: { from: windows } }
  order: { numbered: { from: beds } }
sinks:
  sums: { collect: { from: windows, key: [hospital, begin] } }
  numbers: { collect: { from: counted } }
  rows: { collect: { from: order } }
`;

const hospitals = ['H1', 'H2', 'H3', 'H4', 'H5', 'H6', 'H7'];

async function feed(lab: Lab, process: LabProcess, round: number): Promise<void> {
  for (const origin of hospitals) {
    const random = seededRandom(`${origin}/${round}`);
    for (const { events, id } of requestsOf(origin, 'beds', 4, random)) {
      const typed = events.map(({ id: event, value, time }) => ({
        event: { id: `${round}-${event}`, hospital: origin, value, patient: null },
        time: time + round * 60_000,
      }));
      await lab.drive(process.source('beds').append({ origin, id: `${round}/${id}`, events: typed }));
    }
  }
  await lab.settle(process);
}

async function runRounds(partitions: readonly number[]): Promise<Lab> {
  const lab = openLab({ topology });
  for (const [round, count] of partitions.entries()) {
    const process = await lab.start({ partitions: count });
    // The clock of the lab is ahead of all events.
    if (round === 0) await lab.clock.advance(600_000);
    await feed(lab, process, round);
    await lab.drive(process.engine?.drain() as Promise<void>);
    const next = partitions[round + 1];
    if (next === undefined || next === count) continue;
    const logger = { debug() {}, info() {}, warn() {}, error() {} };
    // Another number in between, without a run, changes nothing.
    for (const partitions of [next + 2, next])
      await lab.drive(rescale({ log: process.log, topology: lab.topology, partitions, logger }));
  }
  return lab;
}

const sorted = (lab: Lab, sink: string) =>
  lab
    .events(sink)
    .map((event) => JSON.stringify(event))
    .sort();

it('keeps the state of every key when the partitions are cut anew', async () => {
  const plain = await runRounds([1, 1, 1]);
  const cut = await runRounds([1, 3, 2]);
  expect(sorted(plain, 'sums').length).toBeGreaterThan(20);
  expect(sorted(cut, 'sums')).toEqual(sorted(plain, 'sums'));
  expect(sorted(cut, 'rows')).toEqual(sorted(plain, 'rows'));
  expect(cut.events('numbers').map(({ number }) => number)).toEqual(
    plain.events('numbers').map(({ number }) => number),
  );
  const written = new Set(cut.sink('sums').rows.map(({ partition }) => partition));
  expect(written.size).toBeGreaterThan(1);
});

it('refuses what is not drained, and a start with another number', async () => {
  const lab = openLab({ topology });
  const process = await lab.start({ partitions: 1 });
  await feed(lab, process, 0);
  await lab.drive(process.engine?.stage.checkpoint() as Promise<void>);
  process.kill();
  const next = await lab.start({ partitions: 1 });
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  const refused = rescale({ log: next.log, topology: lab.topology, partitions: 2, logger });
  await expect(lab.drive(refused)).rejects.toMatchObject({ code: 'MACH3213' });
  next.kill();
  await expect(lab.start({ partitions: 2 })).rejects.toMatchObject({ code: 'MACH3212' });
});

it('refuses what an earlier version has made part of', async () => {
  const lab = openLab({ topology });
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  const first = await lab.start({ partitions: 1 });
  await feed(lab, first, 0);
  await lab.drive(first.engine?.drain() as Promise<void>);
  const changed = topology.replace('every: 10s', 'every: 20s');
  const second = await lab.start({ partitions: 1, topology: changed, acceptLoss: ['windows'] });
  await lab.drive(second.engine?.drain() as Promise<void>);
  const refused = rescale({ log: second.log, topology: lab.topology, partitions: 2, logger });
  await expect(lab.drive(refused)).rejects.toMatchObject({ code: 'MACH3216' });
});

it('another version starts at several partitions only where the one before has come to its end', async () => {
  const lab = openLab({ topology });
  const first = await lab.start({ partitions: 3 });
  await feed(lab, first, 0);
  first.kill();
  const changed = topology.replace('order: { numbered', 'other: { numbered').replace('from: order', 'from: other');
  const options = { partitions: 3, topology: changed, acceptLoss: ['order'] };
  await expect(lab.start(options)).rejects.toMatchObject({ code: 'MACH3217' });
  const again = await lab.start({ partitions: 3 });
  await lab.drive(again.engine?.drain() as Promise<void>);
  const second = await lab.start(options);
  expect(second.engine?.state).toBe('running');
});
