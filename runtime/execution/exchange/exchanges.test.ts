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
  const pulses = 24_000;
  /** Of so many pulses, a watermark each and about half as many rows. */
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
  }, 120_000);
});
