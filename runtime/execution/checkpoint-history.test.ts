import { describe, expect, it } from 'vitest';
import { memoryLog } from '../bus/memory/log.ts';
import { virtualClock } from '../clock.ts';
import { limits } from '../limits.ts';
import { checkpointHistory, tooMany } from './checkpoint-history.ts';

const begin = 1_700_000_000_000;
const minuteMs = 60_000;

describe('the history of checkpoints', () => {
  it('has many of the last hour, one an hour of the day before, and none that is older', async () => {
    const objects = await memoryLog({ clock: virtualClock(begin) }).objects('checkpoints');
    const history = checkpointHistory(objects, 's1/0/');
    let now = begin;
    for (let minute = 0; minute <= 30 * 60; minute++) {
      now = begin + minute * minuteMs;
      await history.offer(`s1/0/${String(minute).padStart(16, '0')}`, new Uint8Array(100), now);
    }
    const ages = (await objects.list())
      .map((name) => (now - Number(name.split('-').at(-1))) / minuteMs)
      .sort((a, b) => a - b);
    const near = ages.filter((age) => age <= 60);
    const far = ages.filter((age) => age > 60);
    const everyMinutes = limits.checkpointHistoryEveryMs / minuteMs;
    expect(near.length).toBeGreaterThanOrEqual(60 / everyMinutes);
    expect(near.slice(1).every((age, index) => age - (near[index] as number) === everyMinutes)).toBe(true);
    expect(far.length).toBeGreaterThanOrEqual(22);
    expect(far.slice(1).every((age, index) => age - (far[index] as number) === 60)).toBe(true);
    expect(Math.max(...ages)).toBeLessThan(24 * 60);
  });

  it('knows after a restart what is there, and is cleared with a log that is gone', async () => {
    const objects = await memoryLog({ clock: virtualClock(begin) }).objects('checkpoints');
    await checkpointHistory(objects, 's1/0/').offer('s1/0/0000000000000001', new Uint8Array(1), begin);
    const again = checkpointHistory(objects, 's1/0/');
    await again.offer('s1/0/0000000000000002', new Uint8Array(1), begin + 1_000);
    expect(await objects.list()).toEqual([`history/s1/0/0000000000000001-${begin}`]);
    await again.clear();
    expect(await objects.list()).toEqual([]);
  });

  it('of large states has fewer, the newest', () => {
    const entries = [3, 1, 2].map((minutes) => ({ name: `${minutes}`, takenAt: begin - minutes * minuteMs }));
    const gone = tooMany(entries, { now: begin, countMax: 1 });
    expect(gone.map(({ name }) => name).sort()).toEqual(['2', '3']);
  });
});
