/** The two sides of a join as checkpoints keep them and others look at them: by key. */
import type { Event, StateColumns, StateKey } from '../../runtime/stream/index.ts';
import type { Taken } from './fields.ts';
import type { Side } from './side.ts';
import { isLone, type Kept, type Waiting } from './waiting.ts';

export interface Sides {
  readonly lefts: Side<Event>;
  readonly rights: Side<Taken>;
  /** Whether right events that are alone are kept as they are. */
  readonly keepsLone: boolean;
}

type Entry = { readonly value: Kept; readonly time: number };

/** The row of a right event that waits alone of its key; or -1. */
function loneOf({ lefts, rights, keepsLone }: Sides, key: StateKey): number {
  if (!keepsLone || lefts.has(key)) return -1;
  const row = rights.rows.first(key);
  return row >= 0 && rights.waits(row) && rights.rows.after(row) < 0 ? row : -1;
}

/** What waits of a key; undefined where nothing does. */
export function entryOf(sides: Sides, key: StateKey): Entry | undefined {
  const { lefts, rights, keepsLone } = sides;
  const lone = loneOf(sides, key);
  // Most are: a short way for them makes a checkpoint of many much cheaper.
  if (lone >= 0) return { value: rights.rows.values[lone] as Taken, time: rights.rows.times[lone] as number };
  const leftRows = lefts.waiting(key);
  const rightRows = rights.waiting(key);
  const leftTimes = leftRows.map((row) => lefts.rows.times[row] as number);
  const rightTimes = rightRows.map((row) => rights.rows.times[row] as number);
  const values = rightRows.map((row) => rights.rows.values[row] as Taken);
  const time = leftTimes[0] ?? rightTimes[0];
  if (time === undefined) return undefined;
  if (keepsLone && leftRows.length === 0 && values.length === 1) return { value: values[0] as Taken, time };
  const waiting: Waiting = {
    lefts: leftRows.map((row) => lefts.rows.values[row] as Event),
    leftTimes,
    leftOrders: leftRows,
    leftMatches: leftRows.map((row) => lefts.rows.marks[row] as number),
    rights: values,
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
export function restoreSides({ lefts, rights }: Sides, { keys, times, values }: StateColumns): void {
  lefts.clear();
  rights.clear();
  const all: { readonly key: StateKey; readonly waiting: Waiting; readonly at: number; readonly order: number }[] = [];
  for (const [slot, key] of keys.entries()) {
    const kept = values[slot] as Kept;
    if (isLone(kept)) {
      rights.add(key, times[slot] as number, kept);
      continue;
    }
    for (const [at, order] of kept.leftOrders.entries()) all.push({ key, waiting: kept, at, order });
    for (const [place, taken] of kept.rights.entries()) rights.add(key, kept.rightTimes[place] as number, taken);
  }
  // Of partitions that were put together, several have one place: those of one key stay as they are.
  all.sort((a, b) => a.order - b.order);
  for (const { key, waiting, at } of all) {
    const row = lefts.add(key, waiting.leftTimes[at] as number, waiting.lefts[at] as Event);
    lefts.rows.marks[row] = waiting.leftMatches[at] as number;
  }
}
