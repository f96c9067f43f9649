/** Functions of an event that can also be run over columns: what they take out is never made into an object. */
import { type CodeWriter, ColumnCode, EventCode, type Write } from './code.ts';
import { isPlain } from './compiled-access.ts';
import type { StatelessFunction } from './definition.ts';
import { EventColumns } from './event-columns.ts';
import type { Event } from './schema.ts';

/** Places of rows, in order. */
export type Rows = Uint32Array;

export type ColumnFunction =
  /** Writes the places of the rows that pass, and gives their number. */
  | { readonly kind: 'select'; select(columns: EventColumns, rows: Rows, count: number, selected: Rows): number }
  /** An event for each of the rows, or the same as columns. */
  | {
      readonly kind: 'build';
      build(columns: EventColumns, rows: Rows, count: number): Event[];
      buildColumns(columns: EventColumns, rows: Rows, count: number): EventColumns;
    };

const columnFunctions = new WeakMap<StatelessFunction, ColumnFunction>();

/** Undefined where the function is one of events alone. Whoever wraps a function has made another. */
export function columnFunctionOf(transform: StatelessFunction | null): ColumnFunction | undefined {
  return transform === null ? undefined : columnFunctions.get(transform);
}

/** What an expression is compiled to. */
export interface Evaluated {
  evaluate(event: Event): unknown;
  /** Absent where only the closure knows it. */
  readonly write?: Write;
}

function written({ evaluate, write }: Evaluated): Write {
  return write ?? ((code) => code.call(evaluate));
}

/** Passes events for which a condition is true. */
export function selecting(condition: Evaluated): StatelessFunction {
  const transform: StatelessFunction = (event) => (condition.evaluate(event) === true ? event : null);
  const code = new ColumnCode();
  const text = written(condition)(code);
  if (!code.isPossible) return transform;
  type Loop = (columns: readonly ArrayLike<unknown>[], offset: number, rows: Rows, count: number, to: Rows) => number;
  const loop = code.compileLoop<Loop>(', selected', {
    before: 'let kept = 0;',
    body: `if (${text} === true) selected[kept++] = rows[at];`,
    after: 'return kept;',
  });
  columnFunctions.set(transform, {
    kind: 'select',
    select: (columns, rows, count, selected) =>
      loop(columns.columnsOf(code.names), columns.offset, rows, count, selected),
  });
  return transform;
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
  const objectOf = (fields: ReadonlyMap<string, string>) =>
    `{ ${[...fields].map(([name, text]) => `${name}: ${text}`).join(', ')} }`;
  const transform = new EventCode().compile((code) => objectOf(fieldsIn(code))) as StatelessFunction;
  const code = new ColumnCode();
  const fields = fieldsIn(code);
  if (!code.isPossible) return transform;
  type Loop<Made> = (columns: readonly ArrayLike<unknown>[], offset: number, rows: Rows, count: number) => Made;
  const loop = code.compileLoop<Loop<Event[]>>('', {
    before: 'const events = new Array(count);',
    body: `events[at] = ${objectOf(fields)};`,
    after: 'return events;',
  });
  // A column has null where a value is absent; what is computed may be undefined.
  const texts = [...fields].map(([name, text]) =>
    computed.some((one) => one.name === name) ? `${text} ?? null` : text,
  );
  const columnLoop = code.compileLoop<Loop<unknown[][]>>('', {
    before: texts.map((_, at) => `const made${at} = new Array(count);`).join(' '),
    body: texts.map((text, at) => `made${at}[at] = ${text};`).join(' '),
    after: `return [${texts.map((_, at) => `made${at}`).join(', ')}];`,
  });
  const names = [...fields.keys()];
  columnFunctions.set(transform, {
    kind: 'build',
    build: (columns, rows, count) => loop(columns.columnsOf(code.names), columns.offset, rows, count),
    buildColumns: (columns, rows, count) =>
      new EventColumns(names, columnLoop(columns.columnsOf(code.names), columns.offset, rows, count), {
        length: count,
      }),
  });
  return transform;
}
