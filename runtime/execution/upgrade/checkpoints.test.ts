import { expect, it } from 'vitest';
import { logErrors } from '../../bus/errors.ts';
import { openedStore } from '../checkpoint.fixture.ts';
import { newestCheckpoints } from './checkpoints.ts';

it('takes no older checkpoint for the newest where the log does not answer', async () => {
  const { store, made, names, objects } = await openedStore();
  for (const sequence of [1, 2]) await store.put(sequence, made(sequence));
  expect((await newestCheckpoints(objects)).map(({ place }) => place.sequence)).toEqual([2]);
  const newest = names.checkpointObject('s1', 0, 2);
  const silent: typeof objects = {
    ...objects,
    get: (name) =>
      name === newest
        ? Promise.reject(logErrors.make('MACH3009', { url: 'nats://made.up', reason: 'timeout' }))
        : objects.get(name),
  };
  await expect(newestCheckpoints(silent)).rejects.toMatchObject({ code: 'MACH3009' });
});
