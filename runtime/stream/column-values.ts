/** The values of an expression for many events at once. */
import { ColumnCode } from './code.ts';
import type { EventColumns } from './event-columns.ts';
import { buildColumnsLoop, type Evaluated, everyRow, written } from './row-loops.ts';

/** For each event, null where there is none. Undefined where an event is needed as an object. */
export function columnValues(expression: Evaluated): ((events: EventColumns) => readonly unknown[]) | undefined {
  const code = new ColumnCode();
  const loop = buildColumnsLoop(code, [`${written(expression)(code)} ?? null`]);
  if (!code.isPossible) return undefined;
  return (events) => {
    const { offset, length } = events;
    return loop(events.columnsOf(code.names), offset, everyRow(length), length)[0] as unknown[];
  };
}
