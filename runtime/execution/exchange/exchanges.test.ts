/** Engines whose stages pass rows to each other, on a log in memory: partitions that are away, and what they bring when they are back. */
import { describe, expect, it } from 'vitest';
import { limits } from '../../limits.ts';
import { type Lab, type LabProcess, openLab } from '../../testing/engine-lab.ts';

const topology = `version: 1
name: lab
sources:
  beats: { pulses: {} }
operators:
  sums: { totals: { from: beats, every: 1s } }
  counted: { numbered: { from: sums } }
sinks:
  rows: { collect: { from: beats } }
  numbers: { collect: { from: counted, key: [number] } }
`;

const hospitals = ['H1', 'H2', 'H3', 'H4', 'H5', 'H6'];

/** One pulse a second: each closes the window before it. */
const pulse = (second: number) => ({
  event: { id: `p${second}`, hospital: hospitals[second % hospitals.length] as string, value: second, patient: null },
  time: second * 1_000,
});

const engineOf = (process: LabProcess) => process.engine as NonNullable<LabProcess['engine']>;

async function send(lab: Lab, process: LabProcess, from: number, to: number): Promise<void> {
  const perMessage = 1_000;
  for (let at = from; at < to; at += perMessage) {
    const events = Array.from({ length: Math.min(perMessage, to - at) }, (_, index) => pulse(at + index));
    await lab.drive(process.source('beats').append({ origin: 'all', events }), 10);
  }
}

const resultsOf = (lab: Lab) => ({ rows: lab.events('rows'), numbers: lab.events('numbers') });

async function atOne(pulses: number) {
  const lab = openLab({ topology });
  const process = await lab.start();
  await send(lab, process, 0, pulses);
  await lab.settle(process);
  return resultsOf(lab);
}

describe('a partition that is away', () => {
  const pulses = 20_000;
  /** Of so many pulses, a watermark each and at most a row. */
  const perMessageMax = 2_000;

  it('makes the others wait in the log, not in memory; when it is back, all is there in the right order', async () => {
    const one = await atOne(pulses);
    const lab = openLab({ topology });
    const here = await lab.start({ partitions: 2, units: [0] });
    await send(lab, here, 0, pulses);
    const [first, second] = engineOf(here).units.get(0)?.stages ?? [];
    if (!first || !second) throw new Error('partition 0 has two stages');
    await lab.drive(first.reached(pulses / 1_000, new AbortController().signal).then(() => first.flushed()));
    // Whoever reads on would have read all of it by then.
    await lab.clock.advance(10_000);
    expect(second.waiting).toBeGreaterThanOrEqual(limits.laneRowsMax);
    expect(second.waiting).toBeLessThan(limits.laneRowsMax + perMessageMax);
    expect(lab.events('numbers')).toEqual([]);
    const there = await lab.start({ partitions: 2, units: [1] });
    await lab.drive(Promise.all([engineOf(here).settled(), engineOf(there).settled()]));
    expect(second.waiting).toBe(0);
    expect(one.numbers.length).toBeGreaterThan(pulses - 10);
    expect(resultsOf(lab)).toEqual(one);
  }, 240_000);
});

describe('the loss of the log, accepted, at two partitions', () => {
  const two = topology
    .replace('collect: { from: beats }', 'collect: { from: both }')
    .replace('beats: { pulses: {} }', 'beats: { pulses: {} }\n  others: { pulses: {} }')
    .replace(
      'sums: { totals: { from: beats',
      'both: { merged: { left: beats, right: others } }\n  sums: { totals: { from: both',
    );

  /** An engine of both partitions has handled a log, taken checkpoints, and died; then its log is gone. */
  async function lost() {
    const lab = openLab({ topology: two });
    const before = await lab.start({ partitions: 2 });
    for (let second = 0; second < 20; second++) await sendOne(lab, before, second);
    await lab.settle(before);
    for (const unit of engineOf(before).units.values()) await lab.drive(unit.checkpoint());
    before.kill();
    lab.storage.wipe('mach-lab-s1-in');
    return { lab, numbers: lab.events('numbers').length };
  }

  async function sendOne(lab: Lab, process: LabProcess, second: number, source = 'beats'): Promise<void> {
    await lab.drive(process.source(source).append({ origin: 'all', events: [pulse(second)] }));
  }

  const idsOf = (lab: Lab) => lab.events('rows').map(({ id }) => id);
  const countsOf = (lab: Lab, from: number) =>
    lab
      .events('numbers')
      .slice(from)
      .map(({ begin }) => begin);

  /** Each pulse closes the window of the one before it. */
  const windows = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => (from + at) * 1_000);

  it('keeps what one partition passes on before the other opens', async () => {
    const { lab, numbers } = await lost();
    const there = await lab.start({ partitions: 2, units: [1], acceptLoss: ['log'] });
    for (let second = 100; second < 110; second++) await sendOne(lab, there, second, 'others');
    const [stage] = engineOf(there).units.get(1)?.stages ?? [];
    await lab.drive(stage?.flushed() as Promise<void>);
    const here = await lab.start({ partitions: 2, units: [0], acceptLoss: ['log'] });
    await sendOne(lab, here, 110);
    await lab.drive(Promise.all([engineOf(here).settled(), engineOf(there).settled()]));
    const closed = countsOf(lab, numbers);
    // What the state held is all that is left of the log before.
    expect(closed.slice(-10)).toEqual([19_000, ...windows(100, 109)]);
    expect(idsOf(lab).slice(-11)).toEqual(Array.from({ length: 11 }, (_, at) => `p${100 + at}`));
  });

  it('begins anew in every partition, also where the new log is longer than the old one was', async () => {
    const { lab, numbers } = await lost();
    const there = await lab.start({ partitions: 2, units: [1], acceptLoss: ['log'] });
    for (let second = 100; second < 140; second++) await sendOne(lab, there, second, 'others');
    // Without a word about the loss: it is settled.
    const here = await lab.start({ partitions: 2, units: [0] });
    await sendOne(lab, here, 140);
    await lab.drive(Promise.all([engineOf(here).settled(), engineOf(there).settled()]));
    expect(countsOf(lab, numbers).slice(-40)).toEqual([19_000, ...windows(100, 139)]);
    expect(idsOf(lab).slice(-41)).toEqual(Array.from({ length: 41 }, (_, at) => `p${100 + at}`));
    // A checkpoint of the old log does not come back.
    here.kill();
    there.kill();
    const again = await lab.start({ partitions: 2 });
    await sendOne(lab, again, 141);
    await lab.settle(again);
    expect(idsOf(lab).slice(-42)).toEqual(Array.from({ length: 42 }, (_, at) => `p${100 + at}`));
  });

  it('is refused (MACH3207) where any partition has handled more than the log has', async () => {
    const { lab } = await lost();
    const refusal = { code: 'MACH3207', data: { last: 0, sequence: 20 } };
    await expect(lab.start({ partitions: 2, units: [1] })).rejects.toMatchObject(refusal);
    await expect(lab.start({ partitions: 2, units: [0] })).rejects.toMatchObject(refusal);
  });

  it('ends an engine that still runs on the log before (MACH3218), instead of mixing its rows in', async () => {
    const { lab } = await lost();
    const here = await lab.start({ partitions: 2, units: [0], acceptLoss: ['log'] });
    await sendOne(lab, here, 100);
    lab.storage.wipe('mach-lab-s1-in');
    const there = await lab.start({ partitions: 2, units: [1], acceptLoss: ['log'] });
    await sendOne(lab, there, 200, 'others');
    const failure = await lab.drive(engineOf(here).failed);
    expect(['MACH3006', 'MACH3218']).toContain((failure as { code: string }).code);
  });
});
