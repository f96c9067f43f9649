/** Which group, and so which partition, the key of an event belongs to: the same for ever, on every machine, whatever the number of partitions. */
import { limits } from '../limits.ts';
import { fieldReader } from '../stream/compiled-access.ts';
import type { EventColumns } from '../stream/event-columns.ts';
import { hashOfKey } from '../stream/event-key.ts';
import type { Event } from '../stream/schema.ts';

export function keyGroupOf(fields: readonly string[]): (event: Event) => number {
  const readers = fields.map(fieldReader);
  const values = new Array<unknown>(fields.length).fill(null);
  return (event) => {
    for (let at = 0; at < readers.length; at++) values[at] = (readers[at] as (event: Event) => unknown)(event);
    return hashOfKey(values) % limits.keyGroups;
  };
}

/** The partition that has the key group of an event. */
export function partitionOf(fields: readonly string[], partitions: number): (event: Event) => number {
  const groupOf = keyGroupOf(fields);
  return (event) => groupOf(event) % partitions;
}

/** The groups of the keys of many events: of each row of the columns, into `groups`. */
export function keyGroupsOf(fields: readonly string[]): (events: EventColumns, groups: Uint8Array) => void {
  const values = new Array<unknown>(fields.length).fill(null);
  return (events, groups) => {
    const columns = events.columnsOf(fields);
    const { offset, length } = events;
    for (let row = 0; row < length; row++) {
      for (let at = 0; at < columns.length; at++)
        values[at] = (columns[at] as ArrayLike<unknown>)[offset + row] ?? null;
      groups[row] = hashOfKey(values) % limits.keyGroups;
    }
  };
}
