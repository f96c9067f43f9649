/**
 * An edge on which rows that several partitions would bring at once stand in one order, whatever the number of partitions: by the source
 * event that caused them, then event time, then key. What one key brings stays as it was.
 */
import { type Observable, Subject } from 'rxjs';
import { eventKey } from '../stream/event-key.ts';
import type { Batch, Frame } from '../stream/frame.ts';
import { subscribeFrames } from '../stream/frame-subscriber.ts';
import type { Event } from '../stream/schema.ts';
import type { RowOrder } from '../topology/spread.ts';

export interface PlacedRow {
  readonly cause: number;
  readonly time: number;
  readonly event: Event;
}

/** The rows of one wave, in order; a stable sort. */
export function inOrder<R extends PlacedRow>(rows: readonly R[], order: RowOrder | null): readonly R[] {
  if (order === null || isInOrder(rows)) return rows;
  const keyOf = order.kind === 'fields' ? eventKey(order.fields) : (event: Event) => JSON.stringify(event);
  const keyed = rows.map((row) => ({ row, key: String(keyOf(row.event)) }));
  keyed.sort(
    (a, b) => a.row.cause - b.row.cause || a.row.time - b.row.time || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0),
  );
  return keyed.map(({ row }) => row);
}

/** Each row goes back to a source event of its own, in their order. */
function isInOrder(rows: readonly PlacedRow[]): boolean {
  for (let at = 0; at < rows.length; at++) {
    const { cause } = rows[at] as PlacedRow;
    if (rows.length > 1 && (cause < 0 || cause <= ((rows[at - 1] as PlacedRow | undefined)?.cause ?? -1))) return false;
  }
  return true;
}

/** Holds the rows of a wave back until all of them are there: at the watermark, or at the end of the wave. */
export class OrderedEdge {
  readonly frames = new Subject<Frame>();
  private readonly order: RowOrder;
  private rows: PlacedRow[] = [];

  constructor(order: RowOrder, frames: Observable<Frame>) {
    this.order = order;
    subscribeFrames(frames, (frame) => {
      if (frame.kind === 'batch') {
        this.take(frame);
        return;
      }
      this.flush();
      this.frames.next(frame);
    });
  }

  flush(): void {
    if (this.rows.length === 0) return;
    const rows = inOrder(this.rows, this.order);
    this.rows = [];
    this.frames.next({
      kind: 'batch',
      events: rows.map(({ event }) => event),
      times: rows.map(({ time }) => time),
      causes: rows.map(({ cause }) => cause),
    });
  }

  private take({ events, times, causes }: Batch): void {
    for (let at = 0; at < events.length; at++)
      this.rows.push({ event: events[at] as Event, time: times[at] as number, cause: causes[at] as number });
  }
}
