/** The two sides of a join as checkpoints keep them and others look at them: by key. */
import { type Event, hashOf, type StateColumns, type StateKey } from '../../runtime/stream/index.ts';
import type { JoinFields, Taken } from './fields.ts';
import type { Side } from './side.ts';
import { isLone, type Kept, matched, type Waiting } from './waiting.ts';

export interface Sides {
  readonly lefts: Side<Event>;
  readonly rights: Side<Event>;
  readonly fields: JoinFields;
  /** The last time at which a partner of an event may lie. */
  untilOfLeft(event: Event, time: number): number;
  untilOfRight(time: number): number;
  /** Whether right events that are alone are kept as they are. */
  readonly keepsLone: boolean;
}

type Entry = { readonly value: Kept; readonly time: number };

/** What waits of a key; undefined where nothing does. */
export function entryOf(sides: Sides, key: StateKey): Entry | undefined {
  const { lefts, rights, fields, keepsLone } = sides;
  const leftRows = lefts.waiting(key);
  const rightRows = rights.waiting(key);
  const takenOf = (row: number) => fields.take(rights.rows.valueOf(row));
  const [lone] = rightRows;
  // Most are: a short way for them makes a checkpoint of many much cheaper.
  if (keepsLone && lone !== undefined && leftRows.length === 0 && rightRows.length === 1)
    return { value: takenOf(lone), time: rights.rows.timeOf(lone) };
  const leftTimes = leftRows.map((row) => lefts.rows.timeOf(row));
  const rightTimes = rightRows.map((row) => rights.rows.timeOf(row));
  const time = leftTimes[0] ?? rightTimes[0];
  if (time === undefined) return undefined;
  const waiting: Waiting = {
    lefts: leftRows.map((row) => lefts.rows.valueOf(row)),
    leftTimes,
    leftOrders: leftRows.map((row) => row - lefts.rows.first),
    leftMatches: leftRows.map((row) => (lefts.rows.isMarked(row) ? matched : 0)),
    rights: rightRows.map(takenOf),
    rightTimes,
  };
  return { value: waiting, time };
}

export function snapshotOf(sides: Sides): StateColumns {
  const keys: StateKey[] = [];
  const times: number[] = [];
  const values: Kept[] = [];
  const put = (key: StateKey) => {
    const entry = entryOf(sides, key);
    if (!entry) return;
    keys.push(key);
    times.push(entry.time);
    values.push(entry.value);
  };
  const { lefts, rights } = sides;
  for (const key of lefts.rows.eachKey()) if (lefts.has(key)) put(key);
  for (const key of rights.rows.eachKey()) if (!lefts.has(key)) put(key);
  return { keys, times: Float64Array.from(times), values };
}

/** Instead of what is there. */
export function restoreSides(sides: Sides, { keys, times, values }: StateColumns): void {
  const { lefts, rights, fields } = sides;
  const addRight = (key: StateKey, time: number, taken: Taken) =>
    rights.add(key, hashOf(key), time, sides.untilOfRight(time), fields.waiting.restore(taken));
  lefts.clear();
  rights.clear();
  const all: { readonly key: StateKey; readonly waiting: Waiting; readonly at: number; readonly order: number }[] = [];
  for (const [slot, key] of keys.entries()) {
    const kept = values[slot] as Kept;
    if (isLone(kept)) {
      addRight(key, times[slot] as number, kept);
      continue;
    }
    for (const [at, order] of kept.leftOrders.entries()) all.push({ key, waiting: kept, at, order });
    for (const [place, taken] of kept.rights.entries()) addRight(key, kept.rightTimes[place] as number, taken);
  }
  // Of partitions that were put together, several have one place: those of one key stay as they are.
  all.sort((a, b) => a.order - b.order);
  for (const { key, waiting, at } of all) {
    const [event, time] = [waiting.lefts[at] as Event, waiting.leftTimes[at] as number];
    const row = lefts.add(key, hashOf(key), time, sides.untilOfLeft(event, time), event);
    if (waiting.leftMatches[at] === matched) lefts.rows.mark(row);
  }
}
