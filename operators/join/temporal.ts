/** Temporal join: each left event gets the right event that held at its time. */
import { type BoundOperator, cutByKey } from '../../runtime/stream/index.ts';
import { equalityKey } from '../support/state-key.ts';
import { type JoinFields, readsOfJoin, spreadOfJoin, type Taken } from './fields.ts';

const bytesPerVersion = 240;

/** Right events kept for one key; beyond it the oldest is forgotten. */
const versionsMax = 10_000;

interface Version {
  readonly time: number;
  readonly values: Taken;
}

/** Number of versions at or before a time, in a list that rises in time. */
function countUntil(versions: readonly Version[], time: number): number {
  let low = 0;
  let high = versions.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((versions[middle] as Version).time <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Adds a version; of two of one time the one that came later holds. Forgets those that no left event can ask for any more. */
function addVersion(versions: Version[], version: Version, horizon: number): void {
  const at = countUntil(versions, version.time);
  if (versions[at - 1]?.time === version.time) versions[at - 1] = version;
  else versions.splice(at, 0, version);
  // The newest at the horizon still holds there.
  const forgotten = Math.max(countUntil(versions, horizon) - 1, versions.length - versionsMax);
  if (forgotten > 0) versions.splice(0, forgotten);
}

export function bindTemporal(args: {
  fields: JoinFields;
  leftInput: string;
  historyMs: number;
  /** Right events older than this, seen from the left event, do not count. */
  withinMs: number;
  drop: boolean;
}): BoundOperator {
  const { fields, leftInput, historyMs, withinMs, drop } = args;
  return {
    ports: { out: fields.schema },
    spread: spreadOfJoin(fields, leftInput),
    reads: readsOfJoin(fields),
    cut: cutByKey(),
    key: fields.leftKey,
    keyedBy: { [leftInput]: fields.leftKey, right: fields.rightKey },
    stateful: true,
    stateBytesPerKey: { 'a version of the right': bytesPerVersion },
    create(context) {
      const leftKey = equalityKey(fields.leftKey);
      const rightKey = equalityKey(fields.rightKey);
      // A version at the very end of both still counts.
      const ttlMs = historyMs + withinMs + 1;
      const history = context.keyedState<Version[]>('right', {
        bytesPerKey: bytesPerVersion,
        ...(Number.isFinite(ttlMs) ? { ttlMs } : {}),
      });
      return {
        event(event, time, out, input) {
          const horizon = context.watermark() - historyMs;
          if (input !== leftInput) {
            const key = rightKey(event);
            if (key === null) return out.dropped('no key');
            const versions = history.get(key) ?? [];
            addVersion(versions, { time, values: fields.take(event) }, horizon);
            history.set(key, versions, time);
            return;
          }
          // What held then may have been forgotten.
          if (time < horizon) return out.late(event, time);
          const key = leftKey(event);
          const versions = key === null ? undefined : history.get(key);
          const version = versions?.[countUntil(versions, time) - 1];
          const found = version && time - version.time <= withinMs ? version.values : null;
          if (found === null && drop) return out.dropped('no partner');
          out.emit(fields.join(event, found), time);
        },
      };
    },
  };
}
