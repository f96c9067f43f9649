import { describe, expect, it } from 'vitest';
import { duration, parseDuration } from './options.ts';

describe('durations', () => {
  it('have units, alone or one after the other', () => {
    expect(['250ms', '90s', '1h30m', '2w', '0s'].map(parseDuration)).toEqual([
      250, 90_000, 5_400_000, 1_209_600_000, 0,
    ]);
    expect(['', '5', '-5m', '24 hours', '1x'].map(parseDuration)).toEqual(Array(5).fill(undefined));
  });

  it('are not so long that times can no longer be computed with', () => {
    expect(parseDuration('36525d')).toBe(36_525 * 86_400_000);
    expect(parseDuration('999999999999999d')).toBeUndefined();
    expect(duration().safeParse('36526d').error?.issues[0]?.message).toBe(
      '"36526d" is longer than durationDaysMax (36525d)',
    );
  });
});
