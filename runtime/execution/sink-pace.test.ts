/** Writes of a sink keep a distance, so that each is larger, unless somebody waits for the rows. */
import { describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { openLab } from '../testing/engine-lab.ts';

const topology = `
version: 1
name: lab
sources: { calls: { pulses: {}, idle: 30d } }
sinks:
  rows: { collect: { from: calls } }
`;
/** Until a row that was sent is with the sink, and far less than the distance. */
const underWayMs = 2 * limits.outputFlushEveryMs;
const stepMs = 1;

async function openWorld() {
  const lab = openLab({ topology });
  const process = await lab.start();
  let time = 1_700_000_000_000;
  const send = async (id: string) => {
    const event = { id, hospital: 'H1', value: 1, patient: null };
    await lab.drive(process.source('calls').append({ origin: 'H1', events: [{ event, time: time++ }] }), stepMs);
    await lab.clock.advance(underWayMs);
  };
  const ids = () => lab.events('rows').map(({ id }) => id);
  return { lab, process, send, ids };
}

describe('writes of a sink', () => {
  it('begin a while apart', async () => {
    const { lab, send, ids } = await openWorld();
    await send('a');
    expect(ids()).toEqual(['a']);
    await send('b');
    await send('c');
    expect(ids()).toEqual(['a']);
    await lab.clock.advance(limits.sinkWriteEveryMs);
    expect(ids()).toEqual(['a', 'b', 'c']);
  });

  it('begin at once where somebody waits for what is there', async () => {
    const { lab, process, send, ids } = await openWorld();
    await send('a');
    await send('b');
    expect(ids()).toEqual(['a']);
    const before = lab.clock.now();
    await lab.drive(process.engine?.settled() as Promise<void>, stepMs);
    expect(ids()).toEqual(['a', 'b']);
    expect(lab.clock.now() - before).toBeLessThanOrEqual(underWayMs);
    // And keep their distance again afterwards.
    await send('c');
    expect(ids()).toEqual(['a', 'b']);
    await lab.clock.advance(limits.sinkWriteEveryMs);
    expect(ids()).toEqual(['a', 'b', 'c']);
  });
});
