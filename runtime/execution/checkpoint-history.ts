/**
 * The history of a stage's checkpoints: many of the last hour, fewer of the day before, so that a replay, or a question about a result, finds
 * a state near to where it begins.
 */
import type { ObjectStore } from '../bus/log.ts';
import { limits } from '../limits.ts';

export interface HistoryEntry {
  readonly name: string;
  /** ms since the epoch. */
  readonly takenAt: number;
}

/** Those that go: beyond the last hour all but the first of each hour, what is older than a day, and the oldest beyond `countMax`. */
export function tooMany(
  entries: readonly HistoryEntry[],
  { now, countMax }: { now: number; countMax: number },
): HistoryEntry[] {
  const newestFirst = [...entries].sort((a, b) => b.takenAt - a.takenAt);
  const firstOfHour = new Map<number, HistoryEntry>();
  const hourOf = ({ takenAt }: HistoryEntry) => Math.floor(takenAt / limits.checkpointHistoryThinMs);
  for (const entry of newestFirst) firstOfHour.set(hourOf(entry), entry);
  const kept = newestFirst.filter((entry) => {
    const age = now - entry.takenAt;
    if (age >= limits.checkpointHistoryMs) return false;
    return age <= limits.checkpointHistoryThinMs || firstOfHour.get(hourOf(entry)) === entry;
  });
  const staying = new Set(kept.slice(0, countMax));
  return newestFirst.filter((entry) => !staying.has(entry));
}

export interface CheckpointHistory {
  /** Keeps a copy, if the newest is old enough, and thins out. */
  offer(objectName: string, encoded: Uint8Array, now: number): Promise<void>;
  clear(): Promise<void>;
}

/** `prefix`: of the stage and partition, in the bucket of checkpoints. */
export function checkpointHistory(objects: ObjectStore, prefix: string): CheckpointHistory {
  let entries: HistoryEntry[] | undefined;

  async function stored(): Promise<HistoryEntry[]> {
    const names = (await objects.list()).filter((name) => name.startsWith(`history/${prefix}`));
    return names.map((name) => ({ name, takenAt: Number(name.split('-').at(-1)) }));
  }

  return {
    async offer(objectName, encoded, now) {
      entries ??= await stored();
      const newest = Math.max(...entries.map(({ takenAt }) => takenAt), Number.NEGATIVE_INFINITY);
      if (now - newest < limits.checkpointHistoryEveryMs) return;
      const takenAt = Math.floor(now);
      const name = `history/${objectName}-${takenAt}`;
      await objects.put(name, encoded);
      entries.push({ name, takenAt });
      // By the size of the newest: states seldom shrink.
      const countMax = Math.max(1, Math.floor(limits.checkpointHistoryBytesMax / Math.max(1, encoded.length)));
      for (const entry of tooMany(entries, { now, countMax })) {
        await objects.delete(entry.name);
        entries = entries.filter((one) => one !== entry);
      }
    },
    async clear() {
      for (const { name } of await stored()) await objects.delete(name);
      entries = undefined;
    },
  };
}
