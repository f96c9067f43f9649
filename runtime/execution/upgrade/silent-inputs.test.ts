/** A node that is new reads sources that have fallen silent or ended before: they do not say so again. */
import { describe, expect, it } from 'vitest';
import { openLab } from '../../testing/engine-lab.ts';
import { sendPulses, silences } from '../../testing/silences.ts';

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

describe.each(Object.entries(silences))('a source %s', (_, silence) => {
  it.each(['calls', 'few'])('holds no new node that reads %s', async (right) => {
    for (const isLive of [true, false]) {
      const lab = openLab({ topology: topologyOf() });
      let process = await lab.start();
      await silence(lab, process);
      await sendPulses(lab, process, { source: 'beds', count: 90 });
      await lab.settle(process);
      if (isLive) await process.upgrade(joined(right));
      else {
        await lab.drive(process.engine?.stop() ?? Promise.resolve());
        process = await lab.start({ topology: joined(right) });
      }
      await sendPulses(lab, process, { source: 'beds', count: 45 });
      await lab.settle(process);
      expect(lab.events('sums_rows').length).toBeGreaterThanOrEqual(4);
    }
  });
});
