import { expect, it } from 'vitest';
import { logErrors } from '../../bus/errors.ts';
import { memoryLog } from '../../bus/memory/log.ts';
import { virtualClock } from '../../clock.ts';
import { noCrashPoints } from '../../faults.ts';
import type { Logger } from '../../stream/definition.ts';
import { emptyAccounting } from '../../stream/ledger.ts';
import { topologyNames } from '../../topology/names.ts';
import { type Checkpoint, checkpointStore } from '../checkpoint.ts';
import { newestCheckpoints } from './checkpoints.ts';

const logger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const names = topologyNames('lab');

it('takes no older checkpoint for the newest where the log does not answer', async () => {
  const clock = virtualClock(0);
  const objects = await memoryLog({ clock }).objects('checkpoints');
  const store = checkpointStore({
    objects,
    names,
    stage: 's1',
    partition: 0,
    logger,
    crashPoints: noCrashPoints,
    clock,
  });
  for (const sequence of [1, 2]) {
    const snapshot = { sequence, nodes: new Map(), sources: new Map(), accounting: emptyAccounting() };
    await store.put(sequence, store.encode({ head: { sequence }, snapshot } as unknown as Checkpoint));
  }
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
