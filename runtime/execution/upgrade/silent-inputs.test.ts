/** A node that is new reads sources that have fallen silent or ended before: they do not say so again. */
import { describe, expect, it } from 'vitest';
import { type Lab, type LabProcess, openLab } from '../../testing/engine-lab.ts';

const topologyOf = ({ operators = '', sinks = '' } = {}) => `
version: 1
name: live
sources:
  beds: { pulses: {}, idle: 30d, disorder: 0s }
  calls: { pulses: {}, idle: 1m, disorder: 0s }
operators:
  few: { keep: { from: calls, min: 0 } }
${operators}
sinks:
  rows: { collect: { from: beds, table: rows } }
  others: { collect: { from: few, table: others } }
${sinks}
`;

/** Windows over both, of calls as they come or of those that a function of the version before lets pass. */
const joined = (right: string) =>
  topologyOf({
    operators: `  both: { merged: { left: beds, right: ${right} } }\n  sums: { totals: { from: both, every: 10s } }`,
    sinks: '  sums_rows: { collect: { from: sums, key: [hospital, begin], table: sums } }',
  });

async function send(lab: Lab, process: LabProcess, source: string, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent++) {
    const time = lab.clock.now();
    const event = { id: `${source}${time}`, hospital: 'H1', value: 1, patient: null };
    await lab.drive(process.source(source).append({ origin: source, events: [{ event, time }] }), 10);
    await lab.clock.advance(990);
  }
}

const silences: Record<string, (lab: Lab, process: LabProcess) => Promise<void>> = {
  'that nobody has ever used': async () => undefined,
  'that has fallen silent': (lab, process) => send(lab, process, 'calls', 2),
  'that has ended': async (lab, process) => {
    await send(lab, process, 'calls', 2);
    await lab.drive(process.source('calls').ended());
  },
};

describe.each(Object.entries(silences))('a source %s', (_, silence) => {
  it.each(['calls', 'few'])('holds no new node that reads %s', async (right) => {
    for (const isLive of [true, false]) {
      const lab = openLab({ topology: topologyOf() });
      let process = await lab.start();
      await silence(lab, process);
      await send(lab, process, 'beds', 90);
      await lab.settle(process);
      if (isLive) await process.upgrade(joined(right));
      else {
        await lab.drive(process.engine?.stop() ?? Promise.resolve());
        process = await lab.start({ topology: joined(right) });
      }
      await send(lab, process, 'beds', 45);
      await lab.settle(process);
      expect(lab.events('sums_rows').length).toBeGreaterThanOrEqual(4);
    }
  });
});
