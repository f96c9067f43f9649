/** One partition, then four, then two: what comes out is what one partition gives throughout. */
import { expect, it } from 'vitest';
import type { MachError } from '../../errors.ts';
import { armedCrashPoints, type CrashPoints } from '../../faults.ts';
import { seededRandom } from '../../random.ts';
import { type Lab, type LabProcess, openLab } from '../../testing/engine-lab.ts';
import { smallCatalogue } from '../../testing/small-catalogue.ts';
import { requestsOf } from '../chaos.fixture.ts';
import { rebindVersion } from '../upgrade/rebind.ts';
import { deployedPartitions } from './deployed-partitions.ts';
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

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const rebind = rebindVersion({ catalogue: smallCatalogue(), env: {} });

function cut(lab: Lab, process: LabProcess, partitions: number, points?: CrashPoints) {
  const args = { log: process.log, topology: lab.topology, partitions, rebind, logger: silent };
  return lab.drive(rescale({ ...args, ...(points && { crashPoints: points }) }));
}

/** `points`: where the command dies, once for each round, before it is given again. */
async function runRounds(partitions: readonly number[], points: readonly string[] = []): Promise<Lab> {
  const lab = openLab({ topology });
  for (const [round, count] of partitions.entries()) {
    const process = await lab.start({ partitions: count });
    // The clock of the lab is ahead of all events.
    if (round === 0) await lab.clock.advance(600_000);
    await feed(lab, process, round);
    await lab.drive(process.engine?.drain() as Promise<void>);
    const next = partitions[round + 1];
    if (next === undefined || next === count) continue;
    const point = points[round];
    if (point !== undefined) await dieAt(lab, process, { point, before: count, next });
    // Another number in between, without a run, changes nothing.
    else for (const number of [next + 2, next]) await cut(lab, process, number);
  }
  return lab;
}

/** The command dies: the topology starts with one of the two numbers, and the command given again does the rest. */
async function dieAt(
  lab: Lab,
  process: LabProcess,
  at: { point: string; before: number; next: number },
): Promise<void> {
  const crashPoints = armedCrashPoints(() => undefined);
  const [name = '', visit = '1'] = at.point.split('#');
  crashPoints.arm(name, Number(visit));
  await expect(cut(lab, process, at.next, crashPoints)).rejects.toThrow('simulated crash');
  const now = (await deployedPartitions(process.log, lab.topology.name)) ?? 1;
  expect(now).toBe(name === 'rescale.after-switch' ? at.next : at.before);
  const between = await lab.start({ partitions: now });
  await lab.drive(between.engine?.drain() as Promise<void>);
  await cut(lab, between, at.next);
}

const sorted = (lab: Lab, sink: string) =>
  lab
    .sink(sink)
    .rows.map(({ event, time, sequence }) => JSON.stringify({ event, time, sequence }))
    .sort();

function expectSame(cutLab: Lab, plain: Lab): void {
  for (const sink of ['sums', 'rows', 'numbers']) expect(sorted(cutLab, sink)).toEqual(sorted(plain, sink));
  expect(cutLab.events('numbers').map(({ number }) => number)).toEqual(
    plain.events('numbers').map(({ number }) => number),
  );
}

it('keeps the state of every key when the partitions are cut anew', { timeout: 300_000 }, async () => {
  const plain = await runRounds([1, 1, 1, 1]);
  const scaled = await runRounds([1, 4, 2, 3]);
  expect(sorted(plain, 'sums').length).toBeGreaterThan(20);
  expectSame(scaled, plain);
  const written = new Set(scaled.sink('sums').rows.map(({ partition }) => partition));
  expect(written.size).toBeGreaterThan(1);
});

it.each([
  ['rescale.before-put', 'rescale.before-put#2'],
  ['rescale.before-put#5', 'rescale.before-put#3'],
  ['rescale.before-switch', 'rescale.before-switch'],
  ['rescale.after-switch', 'rescale.after-switch'],
])(
  'a command that dies at %s, then at %s, leaves one of the two numbers whole',
  { timeout: 300_000 },
  async (...points) => {
    expectSame(await runRounds([1, 4, 2], points), await runRounds([1, 1, 1]));
  },
);

it('needs neither the beginning of the log nor the topology of now', async () => {
  const changed = topology.replace('counted: {', 'kept: { keep: { from: beds, min: 3 } }\n  counted: {');
  const withSink = changed.replace('sinks:', 'sinks:\n  few: { collect: { from: kept } }');
  const run = async (partitions: number) => {
    const lab = openLab({ topology });
    const first = await lab.start({ partitions: 1 });
    await lab.clock.advance(600_000);
    await feed(lab, first, 0);
    await lab.drive(first.engine?.drain() as Promise<void>);
    const second = await lab.start({ partitions: 1, topology: withSink });
    await feed(lab, second, 1);
    await lab.drive(second.engine?.drain() as Promise<void>);
    // What the log has kept for long enough is gone.
    const input = lab.storage.streams.get('mach-lab-s1-in');
    input?.messages.clear();
    input?.lastBySubject.clear();
    if (partitions > 1) await cut(lab, second, partitions);
    const third = await lab.start({ partitions, topology: withSink });
    await feed(lab, third, 2);
    await lab.drive(third.engine?.drain() as Promise<void>);
    return lab;
  };
  const [plain, scaled] = [await run(1), await run(4)];
  expectSame(scaled, plain);
  expect(sorted(scaled, 'few')).toEqual(sorted(plain, 'few'));
});

it('does not begin without the checkpoint that was cut', async () => {
  const lab = openLab({ topology });
  const first = await lab.start({ partitions: 1 });
  await feed(lab, first, 0);
  await lab.drive(first.engine?.drain() as Promise<void>);
  await cut(lab, first, 2);
  const objects = await first.log.objects('mach-lab-checkpoints');
  for (const name of await objects.list()) if (name.startsWith('s1/1/')) await objects.put(name, new Uint8Array(9));
  await expect(lab.start({ partitions: 2 })).rejects.toMatchObject({ code: 'MACH3214' });
});

it('refuses what is not drained, and a start with another number', async () => {
  const lab = openLab({ topology });
  const process = await lab.start({ partitions: 1 });
  await feed(lab, process, 0);
  await lab.drive(process.engine?.stage.checkpoint() as Promise<void>);
  process.kill();
  const next = await lab.start({ partitions: 1 });
  await expect(cut(lab, next, 2)).rejects.toMatchObject({ code: 'MACH3213' });
  next.kill();
  await expect(lab.start({ partitions: 2 })).rejects.toMatchObject({ code: 'MACH3212' });
});

it('refuses while the topology runs, and where an operator does not say how its state is cut', async () => {
  const lab = openLab({ topology });
  const process = await lab.start({ partitions: 1 });
  await feed(lab, process, 0);
  await lab.drive(process.engine?.drain() as Promise<void>);
  const runs = async () => 'w1 runs it';
  const args = { log: process.log, topology: lab.topology, partitions: 2, rebind, logger: silent };
  await expect(lab.drive(rescale({ ...args, runs }))).rejects.toMatchObject({ code: 'MACH3213' });
  const operators = lab.topology.operators.map((node) => {
    const { cut: _none, ...bound } = node.bound;
    return { ...node, bound };
  });
  const mute = { ...args, topology: { ...lab.topology, operators } };
  await expect(lab.drive(rescale(mute))).rejects.toMatchObject({ code: 'MACH3227', data: { node: 'windows' } });
  expect(await deployedPartitions(process.log, 'lab')).toBeUndefined();
});

it('another version starts at several partitions only where the one before has come to its end', async () => {
  const lab = openLab({ topology });
  const first = await lab.start({ partitions: 3 });
  await feed(lab, first, 0);
  first.kill();
  const changed = topology.replace('order: { numbered', 'other: { numbered').replace('from: order', 'from: other');
  const options = { partitions: 3, topology: changed, acceptLoss: ['order'] };
  // A process that has some of the partitions cannot finish for all of them.
  const some = await lab.start({ ...options, units: [0, 1] }).catch((error: MachError) => error.code);
  expect(some).toBe('MACH3217');
  // One that has all lets the version before handle what is left.
  const second = await lab.start(options);
  expect(second.engine?.state).toBe('running');
  await lab.settle(second);
  expect(sorted(lab, 'rows').length).toBeGreaterThan(20);
});
