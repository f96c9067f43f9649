import { expect, it } from 'vitest';
import { virtualClock } from '../../clock.ts';
import { MachError } from '../../errors.ts';
import { openLab } from '../../testing/engine-lab.ts';
import { topologyNames } from '../../topology/names.ts';
import { keepVersion, sayStarted, startedLast } from './versions.ts';

const topology = `
version: 1
name: lab
sources: { beds: { pulses: {} } }
sinks: { rows: { collect: { from: beds } } }
`;

it('the version that was started last is known though the word of it is damaged', async () => {
  const lab = openLab({ topology });
  const process = await lab.start();
  const objects = await process.log.objects(topologyNames('other').checkpointBucket);
  await lab.drive(keepVersion(objects, lab.topology, { partitions: 1, clock: virtualClock(5) }));
  await lab.drive(sayStarted(objects, lab.topology));
  expect(await lab.drive(startedLast(objects))).toBe(lab.topology.hash);
  const damaged = {
    ...objects,
    get: (name: string) =>
      name.startsWith('version-')
        ? Promise.reject(new MachError('MACH3007', 'its bytes do not match', {}))
        : objects.get(name),
  };
  expect(await lab.drive(startedLast(damaged))).toBe(lab.topology.hash);
});
