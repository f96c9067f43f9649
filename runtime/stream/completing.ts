/** Events that are given fields by the value of one that they have, one by one or many at a time. */
import { type CodeWriter, ColumnCode, EventCode } from './code.ts';
import { eventExtender, fieldReader, isPlain } from './compiled-access.ts';
import { EventColumns, KeptFields } from './event-columns.ts';
import type { StatelessFunction } from './operator-definition.ts';
import { type Added, buildColumnsLoop, buildLoop, type Rows, withRowLoop } from './row-loops.ts';
import type { Event } from './schema.ts';

export interface Completion {
  /** The field by whose value something is found. An absent value finds nothing. */
  readonly key: string;
  find(value: unknown): Added;
  readonly kept: readonly string[];
  readonly added: readonly string[];
  /** Events for which nothing is found go no further. */
  readonly drop: boolean;
}

export function completing(completion: Completion): StatelessFunction {
  const { key, kept, added, drop } = completion;
  const find = (value: unknown) => (value === null || value === undefined ? null : completion.find(value));
  const read = fieldReader(key);
  const extend = eventExtender(kept, added);
  const transform: StatelessFunction = (event) => {
    const found = find(read(event));
    return found === null && drop ? null : extend(event, found);
  };
  const names = [...kept, ...added];
  if (![key, ...names].every(isPlain)) return transform;
  const [columnKey, columnFields, columnAdded] = [new ColumnCode(), new ColumnCode(), new ColumnCode()];
  const [eventKey, eventFields] = [new EventCode(), new EventCode()];
  const findInColumns = findLoop(columnKey, { key, find, drop });
  const findInEvents = findLoop(eventKey, { key, find, drop });
  const buildOfColumns = buildLoop<Build<Event[]>>(columnFields, fieldsIn(columnFields, completion), found);
  const buildOfEvents = buildLoop<Build<Event[]>>(eventFields, fieldsIn(eventFields, completion), found);
  const unchanged = new KeptFields(kept);
  const build = buildColumnsLoop<Build<unknown[][]>>(columnAdded, [...addedFields(completion).values()], found);
  return withRowLoop(transform, {
    kind: 'complete',
    overColumns: true,
    find(events, rows, count, selected) {
      const all = new Array<Added>(count);
      const areColumns = events instanceof EventColumns;
      all.length = areColumns
        ? findInColumns(events.columnsOf(columnKey.names), events.offset, rows, count, selected, all)
        : findInEvents(events, 0, rows, count, selected, all);
      return all;
    },
    build(events, rows, all) {
      if (!(events instanceof EventColumns)) return buildOfEvents(events, 0, rows, all.length, all);
      return buildOfColumns(events.columnsOf(columnFields.names), events.offset, rows, all.length, all);
    },
    buildColumns(columns, rows, all) {
      const { length } = all;
      const made = [...unchanged.columns(columns, rows, length), ...build([], 0, rows, length, all)];
      return new EventColumns(names, made, { length });
    },
  });
}

type From = readonly unknown[];
type Find = (from: From, offset: number, rows: Rows, count: number, selected: Rows, all: Added[]) => number;
type Build<Made> = (from: From, offset: number, rows: Rows, count: number, all: readonly Added[]) => Made;

const found = { parameters: ', all', before: 'const values = all[at];' };

function findLoop(code: EventCode | ColumnCode, { key, find, drop }: Pick<Completion, 'key' | 'find' | 'drop'>): Find {
  const goesOn = 'all[kept] = values; selected[kept++] = rows[at];';
  return code.compileLoop<Find>(', selected, all', {
    before: 'let kept = 0; let others = count;',
    body: `const values = ${code.given(find)}(${code.field(key)}); ${
      drop ? `if (values === null) selected[--others] = rows[at]; else { ${goesOn} }` : goesOn
    }`,
    after: 'return kept;',
  });
}

function fieldsIn(code: CodeWriter, completion: Completion): Map<string, string> {
  return new Map([...completion.kept.map((name) => [name, code.field(name)] as const), ...addedFields(completion)]);
}

function addedFields({ added }: Completion): Map<string, string> {
  return new Map(added.map((name, at) => [name, `values === null ? null : values[${at}]`]));
}
