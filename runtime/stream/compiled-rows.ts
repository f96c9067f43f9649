/**
 * Functions that take events into rows of numbers. Where the numbers of a key stand side by side in one column, and the expressions are part of the
 * function, taking an event in makes no object and calls nothing.
 */
import { EventCode } from './code.ts';
import { type Evaluated, written } from './row-loops.ts';
import type { Event } from './schema.ts';

export interface RowStep {
  /** `least` and `greatest` begin with NaN. */
  readonly kind: 'count' | 'sum' | 'least' | 'greatest';
  /** Place in the row. */
  readonly place: number;
  /** Only numbers are taken in; absent for a count of events. */
  readonly argument?: Evaluated;
  /** Only events for which it is true are taken in. */
  readonly condition?: Evaluated;
}

/** Takes an event into the row that begins at `from`. */
export type RowUpdate = (rows: Float64Array, from: number, event: Event) => void;

export function rowUpdater(steps: readonly RowStep[]): RowUpdate {
  const code = new EventCode();
  const text = steps.map((step) => stepText(step, code)).join(' ');
  return code.compileBody('rows, from, event', text);
}

function stepText({ kind, place, argument, condition }: RowStep, code: EventCode): string {
  const taken = takeText({ kind, place, argument }, code);
  return condition ? `if (${written(condition)(code)} === true) { ${taken} }` : taken;
}

function takeText(
  { kind, place, argument }: Pick<RowStep, 'kind' | 'place'> & { argument: Evaluated | undefined },
  code: EventCode,
): string {
  const target = `rows[from + ${place}]`;
  if (!argument) return updateText(kind, target, '1');
  const value = code.temporary();
  return `${value} = ${written(argument)(code)}; if (typeof ${value} === 'number') ${updateText(kind, target, value)}`;
}

function updateText(kind: RowStep['kind'], target: string, value: string): string {
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
  }
}
