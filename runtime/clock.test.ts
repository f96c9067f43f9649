import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from './clock.ts';

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
