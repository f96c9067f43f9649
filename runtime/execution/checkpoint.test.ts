import { describe, expect, it } from 'vitest';
import { logErrors } from '../bus/errors.ts';
import { openedStore } from './checkpoint.fixture.ts';

describe('the store of checkpoints', () => {
  it('passes over one whose bytes were changed before they were put there, and takes the one before', async () => {
    const { store, made, warnings, names } = await openedStore();
    await store.put(1, made(1));
    const changed = Uint8Array.from(made(2));
    changed[changed.length - 3] = (changed.at(-3) as number) ^ 1;
    await store.put(2, changed);
    expect((await store.load())?.head).toMatchObject({ sequence: 1 });
    expect(warnings).toEqual([
      { checkpoint: names.checkpointObject('s1', 0, 2), error: expect.stringContaining('its checksum is wrong') },
    ]);
  });

  it('passes over none where the log does not answer: the state would begin anew', async () => {
    const { store, made, objects } = await openedStore();
    await store.put(1, made(1));
    objects.get = () => Promise.reject(logErrors.make('MACH3009', { url: 'nats://made.up', reason: 'timeout' }));
    await expect(store.load()).rejects.toMatchObject({ code: 'MACH3009' });
  });
});
