/** Functions of an event that can also be run over columns: what they take out is never made into an object. */
import { ColumnCode, EventCode, type Write } from './code.ts';
import { isPlain } from './compiled-access.ts';
import type { StatelessFunction } from './definition.ts';
import type { EventColumns } from './event-columns.ts';
import type { Event } from './schema.ts';

/** Places of rows, in order. */
export type Rows = Uint32Array;

export type ColumnFunction =
  /** Writes the places of the rows that pass, and gives their number. */
  | { readonly kind: 'select'; select(columns: EventColumns, rows: Rows, count: number, selected: Rows): number }
  /** An event for each of the rows. */
  | { readonly kind: 'build'; build(columns: EventColumns, rows: Rows, count: number): Event[] };

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
  const fields = (code: EventCode | ColumnCode) =>
    [
      ...kept.map((name) => `${name}: ${code.field(name)}`),
      ...computed.map((field) => `${field.name}: ${written(field)(code)}`),
    ].join(', ');
  const transform = new EventCode().compile((code) => `{ ${fields(code as EventCode)} }`) as StatelessFunction;
  const code = new ColumnCode();
  const text = fields(code);
  if (!code.isPossible) return transform;
  type Loop = (columns: readonly ArrayLike<unknown>[], offset: number, rows: Rows, count: number) => Event[];
  const loop = code.compileLoop<Loop>('', {
    before: 'const events = new Array(count);',
    body: `events[at] = { ${text} };`,
    after: 'return events;',
  });
  columnFunctions.set(transform, {
    kind: 'build',
    build: (columns, rows, count) => loop(columns.columnsOf(code.names), columns.offset, rows, count),
  });
  return transform;
}
