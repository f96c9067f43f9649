/** Events that wait for an answer while the source that they came of falls silent or ends: time does not pass them by. */
import { describe, expect, it } from 'vitest';
import { type Lab, type LabProcess, openLab } from '../testing/engine-lab.ts';

const topology = `version: 1
name: lab
sources:
  beds: { pulses: {}, idle: 30d, disorder: 0s }
  calls: { pulses: {}, idle: 2s, disorder: 0s }
operators:
  asked: { ask: { from: calls, timeout: 60s } }
  both: { merged: { left: asked, right: beds } }
  sums: { totals: { from: both, every: 10s } }
sinks:
  rows: { collect: { from: both } }
  sums_rows: { collect: { from: sums, key: [hospital, begin] } }
`;

const start = 1_700_000_000_000;

/** The answer takes longer than the silence after which nobody waits for the source. */
function opened(): Lab {
  const lab: Lab = openLab({ topology, edges: { answer: () => lab.clock.sleep(20_000).then(() => 'known') } });
  return lab;
}

async function send(lab: Lab, process: LabProcess, source: string, hospital: string): Promise<void> {
  const time = lab.clock.now();
  const event = { id: `${source}${time}`, hospital, value: 1, patient: null };
  await lab.drive(process.source(source).append({ origin: source, events: [{ event, time }] }), 10);
}

async function sendBeds(lab: Lab, process: LabProcess, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent++) {
    await send(lab, process, 'beds', 'H1');
    await lab.clock.advance(990);
  }
}

const begin = start + 10_000;
const callsOf = (lab: Lab) => lab.events('sums_rows').filter(({ hospital }) => hospital === 'H9');

describe.each([1, 2])('an event that waits for an answer, at %i partitions', (partitions) => {
  it.each([false, true])('holds time back although its source has fallen silent (crash: %s)', async (isCrashing) => {
    const lab = opened();
    await lab.clock.advance(begin - lab.clock.now() + 10);
    let process = await lab.start({ partitions, checkpointEveryMs: 500 });
    await send(lab, process, 'calls', 'H9');
    await sendBeds(lab, process, 12);
    expect(lab.events('sums_rows')).toEqual([]);
    if (isCrashing) {
      process.kill();
      process = await lab.start({ partitions, checkpointEveryMs: 500 });
    }
    await sendBeds(lab, process, 25);
    await lab.settle(process);
    expect(callsOf(lab)).toEqual([{ hospital: 'H9', begin, count: 1 }]);
  });

  it.each([false, true])('comes before the end of its source (crash: %s)', async (isCrashing) => {
    const lab = opened();
    await lab.clock.advance(begin - lab.clock.now() + 10);
    let process = await lab.start({ partitions, checkpointEveryMs: 500 });
    await send(lab, process, 'calls', 'H9');
    await lab.drive(process.source('calls').ended(), 10);
    await lab.drive(process.source('beds').ended(), 10);
    await lab.clock.advance(2_000);
    if (isCrashing) {
      process.kill();
      process = await lab.start({ partitions, checkpointEveryMs: 500 });
    }
    await lab.clock.advance(25_000);
    await lab.settle(process);
    expect(callsOf(lab)).toEqual([{ hospital: 'H9', begin, count: 1 }]);
  });
});
