/** Of the events of an edge, which every partition has, those that one partition handles. */
import { Observable } from 'rxjs';
import { limits } from '../limits.ts';
import { type Batch, columnBatch, type Frame } from '../stream/frame.ts';
import { subscribeFrames } from '../stream/frame-subscriber.ts';
import type { Event } from '../stream/schema.ts';
import type { Keep } from '../topology/spread.ts';
import { keyGroupOf, keyGroupsOf } from './key-groups.ts';
import type { StagePart } from './stage-part.ts';

/** Batches stay columns where they are. */
export function keptFrames(frames: Observable<Frame>, keep: Keep, part: StagePart): Observable<Frame> {
  if (keep.kind === 'all' || (keep.kind === 'first' && part.partition === 0)) return frames;
  const keepOwn = keep.kind === 'first' ? () => undefined : ownEvents(keep.fields, part);
  return new Observable<Frame>((subscriber) =>
    subscribeFrames(frames, (frame) => {
      const kept = frame.kind === 'batch' ? keepOwn(frame) : frame;
      if (kept) subscriber.next(kept);
    }),
  );
}

/** Undefined where there are none. */
function ownEvents(fields: readonly string[], { plan, partition }: StagePart): (batch: Batch) => Batch | undefined {
  const groupOf = keyGroupOf(fields);
  const findGroups = keyGroupsOf(fields);
  /** 1 for each group of this partition. */
  const isOwn = Uint8Array.from({ length: limits.keyGroups }, (_, group) =>
    group % plan.partitions === partition ? 1 : 0,
  );
  let groups = new Uint8Array(0);
  let rows = new Uint32Array(0);
  return (batch) => {
    const { columns, times } = batch;
    const { length } = times;
    if (groups.length < length) {
      groups = new Uint8Array(length);
      rows = new Uint32Array(length);
    }
    if (columns) findGroups(columns, groups);
    else for (let row = 0; row < length; row++) groups[row] = groupOf(batch.events[row] as Event);
    let count = 0;
    // Keys take turns at random: a branch would be foretold wrongly every other time.
    for (let row = 0; row < length; row++) {
      rows[count] = row;
      count += isOwn[groups[row] as number] as number;
    }
    if (count === 0) return undefined;
    return count === length ? batch : chosenOf(batch, rows, count);
  };
}

/** The first `count` of `rows`. */
function chosenOf(batch: Batch, rows: Uint32Array, count: number): Batch {
  const chosen = <Value>(values: readonly Value[]): Value[] => {
    const own = new Array<Value>(count);
    for (let at = 0; at < count; at++) own[at] = values[rows[at] as number] as Value;
    return own;
  };
  const lineage = { times: chosen(batch.times), causes: chosen(batch.causes) };
  if (batch.columns) return columnBatch(batch.columns.gather(rows, count), lineage);
  return { kind: 'batch', events: chosen<Event>(batch.events), ...lineage };
}
