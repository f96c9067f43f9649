import { describe, expect, it } from 'vitest';
import { memoryLog } from '../../bus/memory/log.ts';
import { systemClock } from '../../clock.ts';
import { changePartitions, deployedPartitions, readDeployed, settlePartitions } from './deployed-partitions.ts';

const newLog = () => memoryLog({ clock: systemClock() });

describe('the number of partitions', () => {
  it('is fixed by the first run', async () => {
    const log = newLog();
    expect(await deployedPartitions(log, 'lab')).toBeUndefined();
    expect(await settlePartitions(log, 'lab', { wanted: 4 })).toBe(4);
    expect(await settlePartitions(log, 'lab', {})).toBe(4);
    expect(await settlePartitions(log, 'lab', { usual: 2 })).toBe(4);
    expect(await settlePartitions(log, 'other', { usual: 2 })).toBe(2);
    await expect(settlePartitions(log, 'lab', { wanted: 2 })).rejects.toMatchObject({
      code: 'MACH3212',
      data: { now: 2, before: 4 },
    });
  });

  it('is one where a topology ran before it was written down', async () => {
    const log = newLog();
    await (await log.objects('mach-lab-checkpoints')).put('s1/0/0000000000000007', new Uint8Array(3));
    await expect(settlePartitions(log, 'lab', { wanted: 4 })).rejects.toMatchObject({ code: 'MACH3212' });
    expect(await settlePartitions(log, 'lab', {})).toBe(1);
  });

  it('is the same for workers that start at the same time', async () => {
    const log = newLog();
    const settled = await Promise.allSettled([2, 3, 4].map((wanted) => settlePartitions(log, 'lab', { wanted })));
    const winners = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(winners).toEqual([await deployedPartitions(log, 'lab')]);
  });

  it('changes when the state has been cut anew', async () => {
    const log = newLog();
    await settlePartitions(log, 'lab', { wanted: 1 });
    const before = await readDeployed(log, 'lab');
    await changePartitions(log, 'lab', { before, partitions: 3, cutAt: 7, cutStages: ['s1'] });
    expect(await readDeployed(log, 'lab')).toMatchObject({ partitions: 3, cutAt: 7, cutStages: ['s1'] });
    // Who has read the number before is too late.
    const late = changePartitions(log, 'lab', { before, partitions: 5, cutAt: 9, cutStages: ['s1'] });
    await expect(late).rejects.toMatchObject({ code: 'MACH3001' });
    expect(await settlePartitions(log, 'lab', { wanted: 3 })).toBe(3);
  });
});
