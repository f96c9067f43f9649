/** A store of checkpoints over a log in memory, and small ones to put there. */
import { memoryLog } from '../bus/memory/log.ts';
import { virtualClock } from '../clock.ts';
import { noCrashPoints } from '../faults.ts';
import type { Logger } from '../stream/definition.ts';
import { emptyAccounting } from '../stream/ledger.ts';
import { topologyNames } from '../topology/names.ts';
import { type Checkpoint, checkpointStore } from './checkpoint.ts';

export async function openedStore() {
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
