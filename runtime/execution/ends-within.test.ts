import { expect, it, vi } from 'vitest';
import { endsWithin } from './ends-within.ts';

it('says whether the work ended in time', async () => {
  vi.useFakeTimers();
  try {
    const never = endsWithin(new Promise(() => undefined), 1_000);
    vi.advanceTimersByTime(1_000);
    expect(await never).toBe(false);
    expect(await endsWithin(Promise.resolve(), 1_000)).toBe(true);
    await expect(endsWithin(Promise.reject(new Error('broken')), 1_000)).rejects.toThrow('broken');
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
