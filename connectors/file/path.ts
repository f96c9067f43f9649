/** Folders named by fields: `{day}/{minute}`. */
import { type Event, EventColumns, type EventRows, fieldReader, fieldTemplate } from '../../runtime/stream/index.ts';
import { fileLimits } from './limits.ts';

/** The folder of a row of some events, below that of the sink. */
export type PathOfRow = (place: number) => string;

/** No value can lead to another place: it is encoded as one name. */
export function pathsOf(template: string): (events: EventRows) => PathOfRow {
  const { fields, join } = fieldTemplate(template);
  // Rows of one day have one day.
  const names = new Map<unknown, string>();
  const nameOnce = (value: unknown): string => {
    const known = names.get(value);
    if (known !== undefined) return known;
    const name = nameOf(value);
    if (typeof value === 'object') return name;
    if (names.size >= fileLimits.namesKnownMax) names.clear();
    names.set(value, name);
    return name;
  };
  const last: unknown[] = [];
  let folder: string | undefined;
  return (events) => {
    const readers = readersOf(events, fields);
    return (place) => {
      let isLast = folder !== undefined;
      for (let at = 0; at < readers.length; at++) {
        const value = (readers[at] as (typeof readers)[number])(place);
        if (value === last[at]) continue;
        last[at] = value;
        isLast = false;
      }
      // Rows that follow one another mostly go to one folder.
      if (!isLast) folder = join(last.map(nameOnce));
      return folder as string;
    };
  };
}

function readersOf(events: EventRows, fields: readonly string[]): ((place: number) => unknown)[] {
  if (events instanceof EventColumns)
    return events.columnsOf(fields).map((column) => (place) => column[events.offset + place]);
  return fields.map(fieldReader).map((read) => (place) => read(events[place] as Event));
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined || value === '') return '_';
  // Half of a pair of characters cannot be encoded: as in the file itself, U+FFFD stands for it.
  const wellFormed = Buffer.from(typeof value === 'object' ? JSON.stringify(value) : String(value)).toString();
  const text = encodeURIComponent(wellFormed);
  // A leading point would hide it, or be the folder above.
  return text.replaceAll('*', '%2A').replaceAll('%3A', '.').replace(/^\./, '%2E');
}
