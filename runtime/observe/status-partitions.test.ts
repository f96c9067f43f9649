/** What is said of a topology must not hang on how many partitions, or workers, share it. */
import { describe, expect, it } from 'vitest';
import { type Lab, type LabProcess, openLab } from '../testing/engine-lab.ts';
import { mergeStatus } from './merge-status.ts';
import { renderMetrics } from './metrics.ts';
import { type EngineStatus, engineStatus } from './status.ts';

/** Each pulse goes three ways: to its hospital, to all together behind it, and to where everybody has it. */
const topology = `version: 1
name: lab
sources:
  beats: { pulses: {} }
operators:
  taken: { keep: { from: beats, min: 3 } }
  sums: { totals: { from: taken, every: 10s } }
  tally: { tallied: { from: taken } }
  checked: { refuses: { from: beats } }
  counted: { numbered: { from: tally } }
sinks:
  rows: { collect: { from: counted } }
  plain: { collect: { from: checked } }
  sums_kept: { collect: { from: sums, key: [hospital, begin] } }
`;

const engineOf = (process: LabProcess) => process.engine as NonNullable<LabProcess['engine']>;

async function sendAll(lab: Lab, process: LabProcess): Promise<void> {
  for (let round = 0; round < 20; round++) {
    const events = Array.from({ length: 5 }, (_, at) => ({
      event: {
        id: `p${round}-${at}`,
        hospital: `H${at}`,
        value: (round + at) % 6 === 0 ? null : (round * at) % 8,
        patient: null,
      },
      // Now and then one is too late for its window.
      time: (round % 7 === 6 ? round - 6 : round) * 10_000,
    }));
    const letter = { code: 'MACH9901', reason: 'not a pulse', raw: Buffer.from(`r${round}`), place: {} };
    await lab.drive(
      process.source('beats').append({ origin: 'one', events, deadLetters: round % 5 === 0 ? [letter] : [] }),
    );
  }
}

async function statusOf(lab: Lab, processes: readonly LabProcess[]): Promise<EngineStatus[]> {
  await lab.drive(Promise.all(processes.map((process) => engineOf(process).settled())));
  await lab.drive(Promise.all(processes.map((process) => engineOf(process).accounted())));
  return lab.drive(Promise.all(processes.map((process) => engineStatus(engineOf(process), lab.clock.now()))));
}

const countsOf = ({ nodes }: EngineStatus) =>
  Object.fromEntries(
    nodes.map(({ id, in: taken, out, filtered, late, dropped, dead }) => [
      id,
      { taken, out, filtered, late, dropped, dead },
    ]),
  );

async function run(partitions: number, workers: readonly (readonly number[])[]) {
  const lab = openLab({ topology });
  const processes: LabProcess[] = [];
  for (const units of workers) processes.push(await lab.start({ partitions, units }));
  await sendAll(lab, processes[0] as LabProcess);
  const all = await statusOf(lab, processes);
  return { all, processes, status: mergeStatus(all) };
}

describe('the status of a topology', () => {
  it('tells the same accounts and counts at one partition, at four, and shared by two workers', async () => {
    const { status: one } = await run(1, [[0]]);
    expect(one.accounting).toMatchObject({ in: 104, dead_lettered: expect.any(Number), redriven: 0 });
    for (const name of ['delivered', 'dead_lettered'] as const) expect(one.accounting[name]).toBeGreaterThan(0);
    expect(countsOf(one).sums?.late).toBeGreaterThan(0);
    const { status: four } = await run(4, [[0, 1, 2, 3]]);
    expect(four.accounting).toEqual(one.accounting);
    expect(countsOf(four)).toEqual(countsOf(one));
    const {
      all,
      status: shared,
      processes: [withAccounts],
    } = await run(4, [
      [0, 2],
      [1, 3],
    ]);
    expect(shared.accounting).toEqual(one.accounting);
    expect(countsOf(shared)).toEqual(countsOf(one));
    // The worker of the first partition keeps them for all.
    expect(all.map(({ accounting }) => accounting.in)).toEqual([104, 0]);
    const { heap } = engineOf(withAccounts as LabProcess);
    const measured = { metrics: { all: () => [] }, heap };
    expect(await renderMetrics(all[0] as EngineStatus, measured)).toContain(
      'mach_accounting_events_total{topology="lab",outcome="in"} 104',
    );
  });
});
