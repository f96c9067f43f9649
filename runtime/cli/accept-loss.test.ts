import { describe, expect, it } from 'vitest';
import { memoryLog } from '../bus/memory/log.ts';
import { virtualClock } from '../clock.ts';
import { keepVersion } from '../execution/upgrade/versions.ts';
import { smallCatalogue } from '../testing/small-catalogue.ts';
import { loadTopology } from '../topology/load.ts';
import { topologyNames } from '../topology/names.ts';
import { acceptLossOf, refuseUnknownLoss } from './accept-loss.ts';

function bind(operators: string) {
  const text = `
version: 1
name: lab
sources: { calls: { pulses: {} } }
operators: ${operators}
sinks: { rows: { collect: { from: order } } }
`;
  const readFile = () => new TextEncoder().encode(text);
  const { topology } = loadTopology('lab.yaml', { catalogue: smallCatalogue(), env: {}, readFile });
  if (!topology) throw new Error('it does not bind');
  return topology;
}

const before = bind('{ gone: { numbered: { from: calls } }, order: { keep: { from: gone, min: 1 } } }');
const now = bind('{ order: { numbered: { from: calls } } }');

describe('--accept-loss', () => {
  it('is read as a list, without what is empty', () => {
    expect(acceptLossOf(undefined)).toEqual([]);
    expect(acceptLossOf(' order, log,,')).toEqual(['order', 'log']);
  });

  it('takes nodes of the topology, of earlier versions on the log, and the log; anything else is refused', async () => {
    const clock = virtualClock(0);
    const log = memoryLog({ clock });
    await keepVersion(await log.objects(topologyNames('lab').checkpointBucket), before, { partitions: 1, clock });
    await refuseUnknownLoss(['calls', 'order', 'rows', 'gone', 'log'], { topology: now, log });
    await refuseUnknownLoss([], { topology: now, log });
    await expect(refuseUnknownLoss(['order', 'ordr'], { topology: now, log })).rejects.toMatchObject({
      code: 'MACH1636',
      message:
        '--accept-loss names "ordr", which is no node of lab, nor of an earlier version of it. Did you mean order?',
    });
  });

  it('does not know on a new log what another has known', async () => {
    const log = memoryLog({ clock: virtualClock(0) });
    await expect(refuseUnknownLoss(['gone'], { topology: now, log })).rejects.toMatchObject({ code: 'MACH1636' });
  });
});
