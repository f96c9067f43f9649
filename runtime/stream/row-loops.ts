/**
 * Functions of an event that are run over many at a time, as loops of their own: over objects, or over columns, of which what they take out is
 * never made into an object.
 */
import { type CodeWriter, ColumnCode, EventCode, type Write } from './code.ts';
import { isPlain } from './compiled-access.ts';
import { EventColumns, KeptFields } from './event-columns.ts';
import type { StatelessFunction } from './operator-definition.ts';
import type { Event } from './schema.ts';

/** Places of rows, in order. */
export type Rows = Uint32Array;

let places = new Uint32Array(0);

/** The places of all rows, and maybe more. */
export function everyRow(count: number): Rows {
  if (places.length < count) places = Uint32Array.from({ length: count }, (_, at) => at);
  return places;
}

export type EventRows = EventColumns | readonly Event[];

export interface SelectLoop {
  readonly kind: 'select';
  /** False: over objects alone. */
  readonly overColumns: boolean;
  /** Writes the places of the rows that pass, gives their number, and writes those of the others behind them, from the last to the first. */
  select(events: EventRows, rows: Rows, count: number, selected: Rows): number;
}

export interface BuildLoop {
  readonly kind: 'build';
  readonly overColumns: boolean;
  /** An event for each of the rows. */
  build(events: EventRows, rows: Rows, count: number): Event[];
  /** The same as columns, where it runs over columns. */
  buildColumns(columns: EventColumns, rows: Rows, count: number): EventColumns;
}

/** What is added to an event, field by field; null: there is nothing, and the fields are null. */
export type Added = readonly unknown[] | null;

export interface CompleteLoop {
  readonly kind: 'complete';
  readonly overColumns: true;
  /** What is added to each row that goes on. Places are written as `select` writes them. */
  find(events: EventRows, rows: Rows, count: number, selected: Rows): readonly Added[];
  /** An event for each that goes on, from its place among `rows` and what is added to it. */
  build(events: EventRows, rows: Rows, found: readonly Added[]): Event[];
  buildColumns(columns: EventColumns, rows: Rows, found: readonly Added[]): EventColumns;
}

export type RowLoop = SelectLoop | BuildLoop | CompleteLoop;

const rowLoops = new WeakMap<StatelessFunction, RowLoop>();

/** The same function; who runs it over many events may run the loop instead. */
export function withRowLoop(transform: StatelessFunction, loop: RowLoop): StatelessFunction {
  rowLoops.set(transform, loop);
  return transform;
}

/** Undefined where the function can only be called for each event. Whoever wraps a function has made another. */
export function rowLoopOf(transform: StatelessFunction | null): RowLoop | undefined {
  return transform === null ? undefined : rowLoops.get(transform);
}

/** What an expression is compiled to. */
export interface Evaluated {
  evaluate(event: Event): unknown;
  /** Absent where only the closure knows it. */
  readonly write?: Write;
}

/** The code of an expression, or a call of it. */
export function written({ evaluate, write }: Evaluated): Write {
  return write ?? ((code) => code.call(evaluate));
}

type Select = (events: readonly unknown[], offset: number, rows: Rows, count: number, selected: Rows) => number;
type Build<Made> = (events: readonly unknown[], offset: number, rows: Rows, count: number) => Made;

/** Passes events for which a condition is true. */
export function selecting(condition: Evaluated): StatelessFunction {
  const transform: StatelessFunction = (event) => (condition.evaluate(event) === true ? event : null);
  const loopOf = (code: EventCode | ColumnCode) => {
    const text = written(condition)(code);
    return code.compileLoop<Select>(', selected', {
      before: 'let kept = 0; let others = count;',
      body: `if (${text} === true) selected[kept++] = rows[at]; else selected[--others] = rows[at];`,
      after: 'return kept;',
    });
  };
  const columnCode = new ColumnCode();
  const overEvents = loopOf(new EventCode());
  const over = loopOf(columnCode);
  return withRowLoop(transform, {
    kind: 'select',
    overColumns: columnCode.isPossible,
    select(events, rows, count, selected) {
      if (!(events instanceof EventColumns)) return overEvents(events, 0, rows, count, selected);
      return over(events.columnsOf(columnCode.names), events.offset, rows, count, selected);
    },
  });
}

export interface ComputedField extends Evaluated {
  readonly name: string;
}

/** Makes events of fields of another and computed ones. */
export function mapping(kept: readonly string[], computed: readonly ComputedField[]): StatelessFunction {
  if (![...kept, ...computed.map(({ name }) => name)].every(isPlain)) {
    return (event) =>
      Object.fromEntries([
        ...kept.map((name) => [name, event[name]] as const),
        ...computed.map(({ name, evaluate }) => [name, evaluate(event)] as const),
      ]);
  }
  const fieldsIn = (code: CodeWriter) =>
    new Map([
      ...kept.map((name) => [name, code.field(name)] as const),
      ...computed.map((field) => [field.name, written(field)(code)] as const),
    ]);
  const transform = new EventCode().compile((code) => objectOf(fieldsIn(code))) as StatelessFunction;
  const [columnCode, computedCode, eventCode] = [new ColumnCode(), new ColumnCode(), new EventCode()];
  const buildOfColumns = buildLoop(columnCode, fieldsIn(columnCode));
  const buildOfEvents = buildLoop(eventCode, fieldsIn(eventCode));
  // A column has null where a value is absent; what is computed may be undefined.
  const computedTexts = computed.map((field) => `${written(field)(computedCode)} ?? null`);
  const compute = buildColumnsLoop(computedCode, computedTexts);
  const names = [...fieldsIn(new EventCode()).keys()];
  const unchanged = new KeptFields(kept.filter((name) => !computed.some((one) => one.name === name)));
  const made = [...unchanged.names, ...computed.map(({ name }) => name)];
  const order = names.map((name) => made.indexOf(name));
  return withRowLoop(transform, {
    kind: 'build',
    overColumns: columnCode.isPossible,
    build(events, rows, count) {
      if (!(events instanceof EventColumns)) return buildOfEvents(events, 0, rows, count);
      return buildOfColumns(events.columnsOf(columnCode.names), events.offset, rows, count);
    },
    buildColumns(columns, rows, count) {
      const all = unchanged.columns(columns, rows, count);
      if (computed.length > 0) all.push(...compute(columns.columnsOf(computedCode.names), columns.offset, rows, count));
      const inOrder = order.map((at) => all[at] as (typeof all)[number]);
      return new EventColumns(names, inOrder, { length: count });
    },
  });
}

/** What a loop is handed beside the rows, and what stands before the fields of each. */
interface Beside {
  readonly parameters: string;
  readonly before: string;
}

const nothingBeside: Beside = { parameters: '', before: '' };

function objectOf(fields: ReadonlyMap<string, string>): string {
  return `{ ${[...fields].map(([name, text]) => `${name}: ${text}`).join(', ')} }`;
}

export function buildLoop<Made = Build<Event[]>>(
  code: EventCode | ColumnCode,
  fields: ReadonlyMap<string, string>,
  beside = nothingBeside,
): Made {
  return code.compileLoop<Made>(beside.parameters, {
    before: 'const events = new Array(count);',
    body: `${beside.before} events[at] = ${objectOf(fields)};`,
    after: 'return events;',
  });
}

export function buildColumnsLoop<Made = Build<unknown[][]>>(
  code: EventCode | ColumnCode,
  texts: readonly string[],
  beside = nothingBeside,
): Made {
  return code.compileLoop<Made>(beside.parameters, {
    before: texts.map((_, at) => `const made${at} = new Array(count);`).join(' '),
    body: `${beside.before} ${texts.map((text, at) => `made${at}[at] = ${text};`).join(' ')}`,
    after: `return [${texts.map((_, at) => `made${at}`).join(', ')}];`,
  });
}
