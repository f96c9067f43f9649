/** Sources whose port another worker still has, and units that end later than they may: the rest of the engine goes on. */
import { describe, expect, it } from 'vitest';
import { type FaultPlan, noFaults } from '../bus/memory/faults.ts';
import { limits } from '../limits.ts';
import { type Lab, type LabProcess, openLab } from '../testing/engine-lab.ts';

const topology = `
version: 1
name: lab
sources: { calls: { pulses: {}, idle: 30d }, others: { pulses: {}, idle: 30d } }
sinks: { rows: { collect: { from: [calls, others] } } }
`;

let times = 1_700_000_000_000;

async function send(lab: Lab, process: LabProcess, source: string, id: string): Promise<void> {
  const event = { id, hospital: 'H1', value: 1, patient: null };
  await lab.drive(process.source(source).append({ origin: 'H1', events: [{ event, time: times++ }] }));
}

const idsOf = (lab: Lab) => lab.events('rows').map(({ id }) => id);
const taken = () => Object.assign(new Error('listen EADDRINUSE 127.0.0.1:2575'), { code: 'EADDRINUSE' });

describe('a source that does not open', () => {
  /** `calls` does not open while `isTaken`. */
  function openWorld() {
    const port = { isTaken: false, tries: 0 };
    const lab = openLab({
      topology,
      edges: {
        opened(source) {
          if (source !== 'calls') return;
          port.tries++;
          if (port.isTaken) throw taken();
        },
      },
    });
    return { lab, port };
  }

  it('ends the start where nobody else can have its port', async () => {
    const { lab, port } = openWorld();
    port.isTaken = true;
    await expect(lab.start()).rejects.toThrow('EADDRINUSE');
    expect(port.tries).toBe(1);
  });

  it('is tried again where another worker may have its port, while its partition produces from the log', async () => {
    const { lab, port } = openWorld();
    const before = await lab.start();
    await send(lab, before, 'calls', 'a');
    before.kill();
    port.isTaken = true;
    port.tries = 0;
    const process = await lab.start({ isContested: () => true });
    await lab.settle(process);
    await send(lab, process, 'others', 'b');
    await lab.settle(process);
    expect(idsOf(lab)).toEqual(['a', 'b']);
    await lab.clock.advance(60_000);
    const [waiting] = process.engine?.waitingSources ?? [];
    expect(waiting).toMatchObject({ node: { id: 'calls' }, problem: 'listen EADDRINUSE 127.0.0.1:2575' });
    expect(waiting?.attempts).toBe(port.tries);
    // Growing pauses with a bound.
    expect(port.tries).toBeGreaterThan(60_000 / (2 * limits.sourceRetryDelayMaxMs));
    expect(port.tries).toBeLessThan(120_000 / limits.sourceRetryDelayMaxMs);
    const message = 'the source does not open; it is tried again';
    expect(process.logged).toContainEqual(expect.objectContaining({ level: 'error', message }));

    port.isTaken = false;
    await lab.clock.advance(limits.sourceRetryDelayMaxMs);
    expect(process.engine?.waitingSources).toEqual([]);
    expect(process.engine?.sources.map(({ id }) => id).sort()).toEqual(['calls', 'others']);
    await send(lab, process, 'calls', 'c');
    await lab.settle(process);
    expect(idsOf(lab)).toEqual(['a', 'b', 'c']);
  });

  it.each(['closeUnit', 'closeSources', 'drain', 'stop'] as const)('is left alone after %s', async (end) => {
    const { lab, port } = openWorld();
    port.isTaken = true;
    const process = await lab.start({ isContested: () => true });
    const engine = process.engine;
    const ended = end === 'closeUnit' ? engine?.closeUnit(0, { drain: true }) : engine?.[end]();
    await lab.drive(ended as Promise<void>);
    const { tries } = port;
    port.isTaken = false;
    await lab.clock.advance(10 * limits.sourceRetryDelayMaxMs);
    expect([port.tries, engine?.waitingSources]).toEqual([tries, []]);
  });
});

describe('a unit that is not closed within its time', () => {
  it('is given up while its write hangs, opened again, and what is left of the first harms nobody', async () => {
    const hanging: ((error: Error) => void)[] = [];
    let hangs = true;
    const lab = openLab({
      topology,
      edges: {
        write: () => (hangs ? new Promise((_, reject) => hanging.push(reject)) : Promise.resolve([])),
      },
    });
    const process = await lab.start();
    await send(lab, process, 'calls', 'a');
    await lab.clock.advance(1_000);
    expect(hanging).toHaveLength(1);
    // Its deadline is one of the machine's time.
    await process.engine?.closeUnit(0, { drain: false });
    expect(process.engine?.units.size).toBe(0);
    const message = 'the partition is still being closed';
    expect(process.logged).toContainEqual(expect.objectContaining({ level: 'warn', message }));
    hangs = false;
    await lab.drive(process.engine?.openUnit(0) as Promise<void>);
    await send(lab, process, 'calls', 'b');
    await lab.settle(process);
    for (const fail of hanging) fail(new Error('the store went away'));
    await lab.clock.advance(60_000);
    await send(lab, process, 'calls', 'c');
    await lab.settle(process);
    expect(process.engine?.state).toBe('running');
    expect(idsOf(lab)).toEqual(['a', 'b', 'c']);
  });

  it.each([
    ['before it is opened again', limits.appendDeadlineMs],
    ['after it is opened again', 0],
  ])('may still fail at the log, %s: that concerns nobody', async (_when, waitMs) => {
    let areLost = false;
    const isOutput = (subject: string) => subject.includes('.out.');
    const forAppend: FaultPlan['forAppend'] = (subject) => ({
      kind: areLost && isOutput(subject) ? 'append-lost' : 'none',
    });
    const lab = openLab({ topology, faults: { ...noFaults, forAppend } });
    const process = await lab.start();
    areLost = true;
    await send(lab, process, 'calls', 'a');
    await lab.drive(process.engine?.closeUnit(0, { drain: false }) as Promise<void>);
    await lab.clock.advance(waitMs);
    areLost = false;
    await lab.drive(process.engine?.openUnit(0) as Promise<void>);
    await send(lab, process, 'calls', 'b');
    await lab.clock.advance(2 * limits.appendDeadlineMs);
    await lab.settle(process);
    expect([process.engine?.state, idsOf(lab)]).toEqual(['running', ['a', 'b']]);
  });
});
