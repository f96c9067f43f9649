/** The two sides of a join as checkpoints keep them and others look at them: by key. */
import { type Event, hashOf, type StateColumns, type StateKey } from '../../runtime/stream/index.ts';
import { type KeyNumbers, RowsByKey, type RowsOfKey, rowsOf } from './by-key.ts';
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
  const [lefts, rights] = [rowsOf(sides.lefts, key), rowsOf(sides.rights, key)];
  return lefts.values.length + rights.values.length === 0 ? undefined : entryOfRows(sides, lefts, rights);
}

function entryOfRows(sides: Sides, lefts: RowsOfKey<Event>, rights: RowsOfKey<Event>): Entry {
  const { fields, keepsLone } = sides;
  const time = (lefts.times[0] ?? rights.times[0]) as number;
  if (keepsLone && lefts.values.length === 0 && rights.values.length === 1)
    return { value: fields.take(rights.values[0] as Event), time };
  const waiting: Waiting = {
    lefts: lefts.values,
    leftTimes: lefts.times,
    leftOrders: lefts.places,
    leftMatches: lefts.matches,
    rights: rights.values.map(fields.take),
    rightTimes: rights.times,
  };
  return { value: waiting, time };
}

export function snapshotOf(sides: Sides): StateColumns {
  const numbers: KeyNumbers = new Map();
  const leftNumbers = RowsByKey.number(sides.lefts, numbers);
  const rightNumbers = RowsByKey.number(sides.rights, numbers);
  const lefts = new RowsByKey(sides.lefts, leftNumbers, numbers);
  const rights = new RowsByKey(sides.rights, rightNumbers, numbers);
  const keys = [...numbers.keys()];
  const entries = keys.map((_, key) => entryOfRows(sides, lefts.rowsOf(key), rights.rowsOf(key)));
  return { keys, times: Float64Array.from(entries, ({ time }) => time), values: entries.map(({ value }) => value) };
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
