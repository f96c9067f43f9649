/** Values over windows of time: how many, how much, how long, for each key. */
import {
  type BoundOperator,
  type Checker,
  defineOperator,
  type Event,
  eventKey,
  heldKeys,
  limits,
  type StateKey,
  spreadByKey,
} from '../../runtime/stream/index.ts';
import { accumulatorOf } from './accumulators/index.ts';
import { cellKind } from './cell.ts';
import { aggregateCut } from './cut.ts';
import { examples } from './examples.ts';
import { numberCells } from './number-cells.ts';
import { type AggregateOptions, aggregateOptions } from './options.ts';
import { rowCells } from './row-cells.ts';
import { type NamedAggregate, resultSchema, rowMaker, rowNames, windowFields } from './rows.ts';
import type { AggregateSetting } from './setting.ts';
import { aggregateBasis, aggregateMigrations } from './state.ts';
import { planWindow } from './window.ts';
import type { BestRule } from './window-totals.ts';

export const aggregate = defineOperator({
  name: 'aggregate',
  status: 'stable',
  summary: 'Computes values over windows of event time, for each key, and corrects them when late events come.',
  options: aggregateOptions,
  examples,
  state: { version: 2, basis: aggregateBasis, migrations: aggregateMigrations },
  bind({ options, inputs, check }): BoundOperator {
    const input = inputs.from?.schema ?? { fields: {} };
    const { window, of } = options;
    const key = check.fields('key', input);
    check.fields('of', input);
    // Of a list that was written as one text, which is told, nothing stands in a place of its own.
    const places = key.length === options.key?.length ? key : [];
    for (const [index, name] of places.entries()) {
      if (key.indexOf(name) < index) check.problem(['key', index], `"${name}" stands there twice`, 'take one out');
      if (windowFields.includes(name))
        check.problem(
          ['key', index],
          `"${name}" is a field that every result has`,
          'give it another name before, with a map',
        );
    }
    if (of && !('global' in window))
      check.problem('of', 'what counts in a window is what happened in it', 'take `of` out, or make the window global');
    const values: NamedAggregate[] = Object.keys(options.values).map((name) => {
      if (key.includes(name)) check.problem(['values', name], `"${name}" is a field of the key`, 'choose another name');
      if (windowFields.includes(name))
        check.problem(['values', name], `"${name}" is a field that every result has`, 'choose another name');
      return { name, aggregate: check.aggregate(['values', name], input) };
    });
    const kind = cellKind(values.map((value) => value.aggregate));
    const best = bestRule(options, values, check);
    const plan = planWindow(window, check, best);
    const { withdraws } = plan;
    const keyOf = eventKey(key);
    const shape = { key, names: values.map(({ name }) => name), withdraws };
    const setting: AggregateSetting = {
      kind,
      keyFields: key,
      keyOf,
      heldKeys: heldKeys(key),
      thingOf: of && eventKey(of),
      keysMax: options.keys ?? limits.stateKeysMax,
      earlyMs: typeof window.early === 'number' ? window.early : undefined,
      toEvent: rowMaker(shape),
      rowNames: rowNames(shape),
      numberCells: numberCells(values.map((value) => value.aggregate)),
      rowCells: rowCells(values.map((value) => value.aggregate)),
    };
    return {
      ports: { out: resultSchema({ input, key, values, withdraws }) },
      key,
      // The best are the best of all keys.
      spread: best ? { kind: 'all' } : spreadByKey({ from: key }, key),
      reads: () => [],
      cut: aggregateCut,
      glance: plan.glance,
      ...(plan.heldFor && { isPartOf: partOf(keyOf), heldFor: plan.heldFor }),
      bookkeeping: ['progress', 'closed', 'changed'],
      stateful: true,
      stateBytesPerKey: { 'windows of a key': plan.cellsPerKey * kind.bytes },
      readsColumns: plan.readsColumns?.(setting) ?? false,
      create: (context) => plan.create(context, setting),
    };
  },
});

/** Of a window that ends. What takes a result back has the values of the longer window in its place. */
function partOf(keyOf: (event: Event) => StateKey): NonNullable<BoundOperator['isPartOf']> {
  return (result, event, time) => {
    const isInside = time >= Number(result.window_start) && time < Number(result.window_end);
    return (isInside || result.withdrawn === true) && keyOf(event) === keyOf(result);
  };
}

/** What `best` asks for, checked. */
function bestRule(
  { best, window, key }: AggregateOptions,
  values: readonly NamedAggregate[],
  check: Checker,
): BestRule | undefined {
  if (!best) return undefined;
  if (key === undefined)
    check.problem('best', 'without a key every window has one row', 'name the `key`, or take `best` out');
  const slot = values.findIndex(({ name }) => name === best.by);
  const by = values[slot]?.aggregate;
  if (!by)
    check.problem(
      ['best', 'by'],
      `there is no value "${best.by}"`,
      `the values are ${values.map(({ name }) => name).join(', ')}`,
    );
  else if (!by.standsIn && !['int', 'float', 'duration', 'timestamp'].includes(by.type.kind))
    check.problem(
      ['best', 'by'],
      `a ${by.type.kind} is not compared here`,
      'compare by a number, a time or a duration',
    );
  if (!('tumbling' in window || 'sliding' in window))
    check.problem('best', 'only windows of one size have a best', 'make it tumbling or sliding');
  else if (window.lateness > 0 || window.early !== undefined)
    check.problem('best', 'its windows are given once, when they close', 'take `lateness` and `early` out');
  for (const { name, aggregate } of values) {
    if (accumulatorOf(aggregate).subtract) continue;
    const message = `${aggregate.call} cannot be taken out of a window again`;
    check.problem(
      ['values', name],
      message,
      'with `best` there are count, distinct, quantile, and sum of whole numbers',
    );
  }
  return { slot: Math.max(0, slot), rows: best.rows, ascending: best.order === 'asc' };
}
