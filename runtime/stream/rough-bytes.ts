/** How large rows are, about, told without encoding them: what is far too much for a message is cut before. */
import { compile, isPlain } from './compiled-access.ts';
import type { EventColumns, WithColumns } from './event-columns.ts';
import { charactersOf } from './row-bytes.ts';
import { type Event, isText, type Schema } from './schema.ts';

/** Of a row whatever its texts: numbers, times, what stands around it. */
export const roughRowBytes = 64;

/** The characters of the texts, mostly a byte each, with `roughRowBytes` for each row. Asked of every event that comes in: what is mostly there, texts and nothing, is told in the loop itself. */
export function roughMeasure(schema: Schema): (rows: WithColumns) => number {
  const texts = Object.entries(schema.fields).flatMap(([name, field]) => (isText(field) ? [name] : []));
  const inEvents = eventReader(texts);
  return (rows) => {
    const { columns } = rows;
    if (columns) return columns.length * roughRowBytes + inColumns(columns, texts);
    return rows.events.length * roughRowBytes + inEvents(charactersOf, rows.events);
  };
}

type EventReader = (measure: typeof charactersOf, events: readonly Event[]) => number;

function eventReader(names: readonly string[]): EventReader {
  if (!names.every(isPlain)) {
    return (measure, events) =>
      events.reduce(
        (sum, event) => names.reduce((of, name) => of + (event[name] === null ? 0 : measure(event[name])), sum),
        0,
      );
  }
  return compile(
    ['measure', 'events'],
    `let characters = 0;
    for (let at = 0; at < events.length; at++) {
      const event = events[at];
      ${names
        .map(
          (name) => `{
        const value = event.${name};
        if (typeof value === 'string') characters += value.length;
        else if (value !== null) characters += measure(value);
      }`,
        )
        .join(' ')}
    }
    return characters;`,
  );
}

function inColumns(columns: EventColumns, names: readonly string[]): number {
  const { offset, length } = columns;
  let characters = 0;
  const end = offset + length;
  for (const column of columns.columnsOf(names)) {
    for (let at = offset; at < end; at++) {
      const value = column[at];
      if (typeof value === 'string') characters += value.length;
      else if (value !== null) characters += charactersOf(value);
    }
  }
  return characters;
}
