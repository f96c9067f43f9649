import { describe, expect, it } from 'vitest';
import { logErrors } from '../bus/errors.ts';
import { memoryLog } from '../bus/memory/log.ts';
import { virtualClock } from '../clock.ts';
import { noCrashPoints } from '../faults.ts';
import type { Logger } from '../stream/definition.ts';
import { emptyAccounting } from '../stream/ledger.ts';
import { topologyNames } from '../topology/names.ts';
import { type Checkpoint, checkpointStore } from './checkpoint.ts';

async function openedStore() {
  const clock = virtualClock(0);
  const objects = await memoryLog({ clock }).objects('checkpoints');
  const warnings: object[] = [];
  const logger: Logger = { debug() {}, info() {}, warn: (fields) => void warnings.push(fields), error() {} };
  const names = topologyNames('lab');
  const store = checkpointStore({
    objects,
    names,
    stage: 's1',
    partition: 0,
    logger,
    crashPoints: noCrashPoints,
    clock,
  });
  const made = (sequence: number) =>
    store.encode({
      head: { sequence },
      snapshot: { sequence, nodes: new Map(), sources: new Map(), accounting: emptyAccounting() },
    } as unknown as Checkpoint);
  return { store, made, warnings, names, objects };
}

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
