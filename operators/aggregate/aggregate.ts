/** Values over windows of time: how many, how much, how long, for each key. */
import { type BoundOperator, defineOperator, eventKey, limits, spreadByKey } from '../../runtime/stream/index.ts';
import { cellKind } from './cell.ts';
import { aggregateCut } from './cut.ts';
import { examples } from './examples.ts';
import { aggregateOptions } from './options.ts';
import { type NamedAggregate, resultSchema, rowMaker, windowFields } from './rows.ts';
import type { AggregateSetting } from './setting.ts';
import { aggregateBasis, aggregateMigrations } from './state.ts';
import { planWindow } from './window.ts';

export const aggregate = defineOperator({
  name: 'aggregate',
  status: 'stable',
  summary: 'Computes values over windows of event time, for each key, and corrects them when late events come.',
  options: aggregateOptions,
  examples,
  state: { basis: aggregateBasis, migrations: aggregateMigrations },
  bind({ options, inputs, check }): BoundOperator {
    const input = inputs.from?.schema ?? { fields: {} };
    const { window, of } = options;
    const key = options.key ?? [];
    key.forEach((_, index) => check.field(['key', index], input));
    of?.forEach((_, index) => check.field(['of', index], input));
    if (of && !('global' in window))
      check.problem('of', 'what counts in a window is what happened in it', 'take `of` out, or make the window global');
    const values: NamedAggregate[] = Object.keys(options.values).map((name) => {
      if (key.includes(name)) check.problem(['values', name], `"${name}" is a field of the key`, 'choose another name');
      if (windowFields.includes(name))
        check.problem(['values', name], `"${name}" is a field that every result has`, 'choose another name');
      return { name, aggregate: check.aggregate(['values', name], input) };
    });
    const kind = cellKind(values.map((value) => value.aggregate));
    const plan = planWindow(window, check);
    const { withdraws } = plan;
    const setting: AggregateSetting = {
      kind,
      keyFields: key,
      keyOf: eventKey(key),
      thingOf: of && eventKey(of),
      keysMax: options.keys ?? limits.stateKeysMax,
      earlyMs: typeof window.early === 'number' ? window.early : undefined,
      toEvent: rowMaker({ key, names: values.map(({ name }) => name), withdraws }),
    };
    return {
      ports: { out: resultSchema({ input, key, values, withdraws }) },
      key,
      spread: spreadByKey({ from: key }, key),
      reads: () => [],
      cut: aggregateCut,
      stateful: true,
      stateBytesPerKey: { 'windows of a key': plan.cellsPerKey * kind.bytes },
      create: (context) => plan.create(context, setting),
    };
  },
});
