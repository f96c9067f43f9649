/** How much a request of a sender is; in bytes about, told before anything of it is encoded. */
import { limits } from '../limits.ts';
import { roughMeasure, roughRowBytes } from '../stream/rough-bytes.ts';
import type { Schema } from '../stream/schema.ts';
import type { AppendRequest } from '../stream/source-definition.ts';

export function eventCountOf({ events, columns }: AppendRequest): number {
  return events.length + (columns?.events.length ?? 0);
}

/** Of the number of a line, with its comma. */
const lineBytes = 8;

/** `handsOn`: columns are never encoded, and not looked at. */
export function requestMeasure(schema: Schema, { handsOn }: { handsOn: boolean }): (request: AppendRequest) => number {
  const bytesOf = roughMeasure(schema);
  return ({ events, columns, deadLetters = [], place }) => {
    let bytes = bytesOf({ events: events.map(({ event }) => event) });
    for (const { raw } of events) bytes += raw?.length ?? 0;
    if (place) bytes += JSON.stringify(place).length + events.length * lineBytes;
    if (columns)
      bytes += handsOn
        ? columns.times.length * limits.handedOnEventBytes
        : bytesOf({ events: [], columns: columns.events });
    for (const { raw } of deadLetters) bytes += roughRowBytes + Math.min(raw.length, limits.deadLetterBytesMax);
    return bytes;
  };
}
