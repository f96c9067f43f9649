/**
 * Functions that take events into rows of numbers. Where the numbers of a key stand side by side in one column, and the expressions are part of the
 * function, taking an event in makes no object and calls nothing.
 */
import { type CodeWriter, ColumnCode, EventCode } from './code.ts';
import { type Evaluated, written } from './row-loops.ts';
import type { Event } from './schema.ts';
import type { TimedColumns } from './source-definition.ts';

export interface RowStep {
  /** `least` and `greatest` begin with NaN; `first` and `last`, a time and the value of it, with a time after, or before, all others. */
  readonly kind: 'count' | 'sum' | 'least' | 'greatest' | 'first' | 'last';
  /** Place in the row, of the first of its numbers. */
  readonly place: number;
  /** Only numbers are taken in; absent for a count of events. */
  readonly argument?: Evaluated;
  /** Only events for which it is true are taken in. */
  readonly condition?: Evaluated;
}

/** Keeps something beside the rows of numbers. */
export interface RowTaker {
  /** A value that is not null for the row that begins at `first`; `marks`: a bit for each of the step's conditions that is true. */
  take(numbers: Float64Array, first: number, value: unknown, marks: number): void;
}

/** Hands the value of an event to a taker, where one of the conditions is true. */
export interface HandStep {
  readonly kind: 'hand';
  /** Its place in the list that the function is given: who keeps is another for each state, and the function is one for all. */
  readonly taker: number;
  readonly argument: Evaluated;
  /** 31 at most; undefined is true of every event. */
  readonly conditions: readonly (Evaluated | undefined)[];
}

/** Takes an event of a time into the row of numbers that begins at `first`. */
export type RowUpdate = (
  numbers: Float64Array,
  first: number,
  event: Event,
  time: number,
  takers?: readonly RowTaker[],
) => void;

/** Takes some of many events, each into a row of its own: of the first `count` places, where the events stand and where their rows begin. */
export type RowsUpdate = (
  numbers: Float64Array,
  places: RowPlaces,
  batch: TimedColumns,
  takers?: readonly RowTaker[],
) => void;

export interface RowPlaces {
  readonly events: Uint32Array;
  readonly firsts: Uint32Array;
  readonly count: number;
}

export function rowUpdater(steps: readonly (RowStep | HandStep)[]): RowUpdate {
  const code = new EventCode();
  return code.compileBody('numbers, first, event, time, takers', stepsText(steps, code));
}

type Update = (
  from: readonly unknown[],
  offset: number,
  rows: Uint32Array,
  count: number,
  numbers: Float64Array,
  firsts: Uint32Array,
  times: readonly number[],
  takers: readonly RowTaker[] | undefined,
) => void;

/** Undefined where a step needs the event as an object. */
export function rowsUpdater(steps: readonly (RowStep | HandStep)[]): RowsUpdate | undefined {
  const code = new ColumnCode();
  const text = stepsText(steps, code);
  if (!code.isPossible) return undefined;
  const time = steps.some(({ kind }) => kind === 'first' || kind === 'last') ? 'const time = times[rows[at]];' : '';
  const body = `const first = firsts[at]; ${time} ${text}`;
  const update = code.compileLoop<Update>(', numbers, firsts, times, takers', { before: '', body, after: '' });
  return (numbers, { events: rows, firsts, count }, { events, times }, takers) =>
    update(events.columnsOf(code.names), events.offset, rows, count, numbers, firsts, times, takers);
}

/** Whether two are written alike: what one gives of an event the other gives too. */
export function isSameExpression(one: Evaluated, other: Evaluated): boolean {
  if (!one.write || !other.write) return one.evaluate === other.evaluate;
  return new EventCode().isSameText(one.write, other.write);
}

function stepsText(steps: readonly (RowStep | HandStep)[], code: CodeWriter): string {
  return steps.map((step) => (step.kind === 'hand' ? handText(step, code) : stepText(step, code))).join(' ');
}

function handText({ taker, argument, conditions }: HandStep, code: CodeWriter): string {
  const value = code.temporary();
  const marks = code.temporary();
  const bits = conditions.map((condition, bit) =>
    condition ? `(${written(condition)(code)} === true ? ${1 << bit} : 0)` : String(1 << bit),
  );
  const take = `takers[${taker}].take(numbers, first, ${value}, ${marks});`;
  return `${marks} = ${bits.join(' | ')}; if (${marks} !== 0) { ${value} = ${written(argument)(code)}; if (${value} !== null && ${value} !== undefined) ${take} }`;
}

function stepText({ kind, place, argument, condition }: RowStep, code: CodeWriter): string {
  const taken = takeText({ kind, place, argument }, code);
  return condition ? `if (${written(condition)(code)} === true) { ${taken} }` : taken;
}

function takeText(
  { kind, place, argument }: Pick<RowStep, 'kind' | 'place'> & { argument: Evaluated | undefined },
  code: CodeWriter,
): string {
  const target = `numbers[first + ${place}]`;
  if (!argument) return `${target} += 1;`;
  const value = code.temporary();
  const next = `numbers[first + ${place + 1}]`;
  const update = updateText(kind, { target, next }, value);
  return `${value} = ${written(argument)(code)}; if (typeof ${value} === 'number') ${update}`;
}

function updateText(kind: RowStep['kind'], { target, next }: Record<'target' | 'next', string>, value: string): string {
  switch (kind) {
    case 'count':
      return `${target} += 1;`;
    case 'sum':
      return `${target} += ${value};`;
    // Nothing is less than NaN, nor greater, nor equal.
    case 'least':
      return `if (!(${target} <= ${value})) ${target} = ${value};`;
    case 'greatest':
      return `if (!(${target} >= ${value})) ${target} = ${value};`;
    // Of one time the first that came, or the last.
    case 'first':
      return `if (time < ${target}) { ${target} = time; ${next} = ${value}; }`;
    case 'last':
      return `if (time >= ${target}) { ${target} = time; ${next} = ${value}; }`;
  }
}
