/** A source that says that nothing more will come of it: what waits for it is due, once and for all. */
import { describe, expect, it } from 'vitest';
import { type Lab, type LabProcess, openLab } from '../testing/engine-lab.ts';

const windows = `
version: 1
name: lab
sources: { beds: { pulses: {}, idle: 30d, disorder: 1s } }
operators: { sums: { totals: { from: beds, every: 10s } } }
sinks: { rows: { collect: { from: sums } } }
`;

const start = 1_700_000_000_000;

async function send(lab: Lab, process: LabProcess, count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, index) => ({
    event: { id: `P${index}`, hospital: `H${index % 3}`, value: 1, patient: null },
    time: start + index,
  }));
  await lab.drive(process.source('beds').append({ origin: 'H', events }));
  await lab.settle(process);
}

async function end(lab: Lab, process: LabProcess): Promise<void> {
  await lab.drive(process.source('beds').ended());
  await lab.settle(process);
}

describe('a source that has ended', () => {
  it.each([1, 4])('closes every window, with %i partitions', async (partitions) => {
    const lab = openLab({ topology: windows });
    const process = await lab.start({ partitions });
    await send(lab, process, 30);
    expect(lab.events('rows')).toEqual([]);
    expect(process.engine?.stage.machine.hasEnded('beds')).toBe(false);
    await end(lab, process);
    expect(process.engine?.stage.machine.hasEnded('beds')).toBe(true);
    expect(
      lab
        .events('rows')
        .map(({ hospital }) => hospital)
        .sort(),
    ).toEqual(['H0', 'H1', 'H2']);
  });

  it('has ended after a restart too, and may say it again', async () => {
    const lab = openLab({ topology: windows });
    const first = await lab.start();
    await send(lab, first, 30);
    await end(lab, first);
    await lab.drive(first.engine?.stage.checkpoint() as Promise<void>);
    const rows = lab.events('rows').length;
    first.kill();
    const second = await lab.start();
    expect(second.engine?.stage.restoredAt).toBe(2);
    expect(second.engine?.stage.machine.hasEnded('beds')).toBe(true);
    await end(lab, second);
    expect(lab.events('rows')).toHaveLength(rows);
    expect(second.engine?.state).toBe('running');
  });

  it('takes nothing more in', async () => {
    const lab = openLab({ topology: windows });
    const process = await lab.start();
    await end(lab, process);
    const event = { id: 'P1', hospital: 'H1', value: 1, patient: null };
    await expect(
      lab.drive(process.source('beds').append({ origin: 'H', events: [{ event, time: start }] })),
    ).rejects.toThrow('closing');
  });
});
