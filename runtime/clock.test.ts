import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { steadyClock, systemClock } from './clock.ts';

const dayMs = 86_400_000;

describe('systemClock', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('waits longer than setTimeout can', () => {
    const run = vi.fn();
    systemClock().after(60 * dayMs, run);
    vi.advanceTimersByTime(60 * dayMs - 1);
    expect(run).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(run).toHaveBeenCalledOnce();
  });

  it('can be told not to, in every part of a long wait', () => {
    const run = vi.fn();
    const timer = systemClock().after(60 * dayMs, run);
    vi.advanceTimersByTime(40 * dayMs);
    timer.cancel();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(60 * dayMs);
    expect(run).not.toHaveBeenCalled();
  });

  it('runs faster at a rate', () => {
    const run = vi.fn();
    systemClock({ rate: 60 }).after(60_000, run);
    vi.advanceTimersByTime(1_000);
    expect(run).toHaveBeenCalledOnce();
  });
});

describe('steadyClock', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('goes on when the time of day is set back, and begins at it', () => {
    const clock = steadyClock();
    const before = clock.now();
    expect(Math.abs(before - Date.now())).toBeLessThanOrEqual(1);
    vi.advanceTimersByTime(1_000);
    vi.setSystemTime(Date.now() - 3_600_000);
    expect(clock.now()).toBe(before + 1_000);
    vi.advanceTimersByTime(500);
    expect(clock.now()).toBe(before + 1_500);
  });

  it('waits', async () => {
    const clock = steadyClock();
    const slept = vi.fn();
    void clock.sleep(2_000).then(slept);
    await vi.advanceTimersByTimeAsync(1_999);
    expect(slept).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(slept).toHaveBeenCalledOnce();
  });
});
