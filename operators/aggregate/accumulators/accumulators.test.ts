/** Each accumulator against a plain computation over the list of values: added in one go, merged from parts, taken out again. */
import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileAggregateExpression } from '../../../runtime/expression/index.ts';
import { type CompiledAggregate, defineSchema, field } from '../../../runtime/stream/index.ts';
import { aggregateLimits } from '../limits.ts';
import { type Accumulator, accumulatorOf } from './index.ts';

const schema = defineSchema({ whole: field.int(), fraction: field.float(), text: field.string() });

function accumulator(source: string): Accumulator {
  const compiled = compileAggregateExpression(source, schema);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return accumulatorOf(compiled as CompiledAggregate);
}

function fill(one: Accumulator, values: readonly unknown[], from = 0): unknown {
  return values.reduce((state, value, index) => one.add(state, value, from + index), one.create());
}

const whole = fc.array(fc.integer({ min: -1_000, max: 1_000 }));
const texts = fc.array(fc.string({ maxLength: 3 }));

const cases: readonly { source: string; values: fc.Arbitrary<unknown[]>; naive: (values: never[]) => unknown }[] = [
  { source: 'count()', values: whole, naive: (values: number[]) => values.length },
  { source: 'sum(whole)', values: whole, naive: (values: number[]) => values.reduce((a, b) => a + b, 0) },
  { source: 'sum(fraction)', values: whole, naive: (values: number[]) => values.reduce((a, b) => a + b, 0) },
  {
    source: 'mean(whole)',
    values: whole,
    naive: (values: number[]) => (values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length),
  },
  {
    source: 'min(whole)',
    values: whole,
    naive: (values: number[]) => (values.length === 0 ? null : Math.min(...values)),
  },
  {
    source: 'max(whole)',
    values: whole,
    naive: (values: number[]) => (values.length === 0 ? null : Math.max(...values)),
  },
  { source: 'min(text)', values: texts, naive: (values: string[]) => [...values].sort(byUnits)[0] ?? null },
  { source: 'max(text)', values: texts, naive: (values: string[]) => [...values].sort(byUnits).at(-1) ?? null },
  { source: 'distinct(text)', values: texts, naive: (values: string[]) => new Set(values).size },
  { source: 'first(text)', values: texts, naive: (values: string[]) => values[0] ?? null },
  { source: 'last(text)', values: texts, naive: (values: string[]) => values.at(-1) ?? null },
];

function byUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

describe.each(cases)('$source', ({ source, values, naive }) => {
  const one = accumulator(source);

  it('is the plain value, however the values are cut into parts', () => {
    fc.assert(
      fc.property(values, values, (before, after) => {
        const merged = one.merge(fill(one, before), fill(one, after, before.length));
        expect(one.result(merged)).toEqual(naive([...before, ...after] as never[]));
      }),
    );
  });

  it('leaves what is merged in, and what is copied, as it was', () => {
    fc.assert(
      fc.property(values, values, (before, after) => {
        const from = fill(one, after);
        const copy = one.copy(from);
        one.merge(fill(one, before), from);
        one.merge(copy, fill(one, before));
        expect(one.result(from)).toEqual(naive(after as never[]));
      }),
    );
  });

  it('survives a checkpoint', () => {
    fc.assert(
      fc.property(values, (list) => {
        const state = fill(one, list);
        expect(one.result(deserialize(serialize(state)))).toEqual(one.result(state));
      }),
    );
  });
});

describe.each(['count()', 'sum(whole)', 'distinct(text)', 'quantile(whole, 0.7)'])('%s', (source) => {
  it('gives back what was merged in', () => {
    const one = accumulator(source);
    fc.assert(
      fc.property(whole, whole, (kept, gone) => {
        const alone = one.merge(one.create(), fill(one, kept));
        const both = one.merge(one.merge(one.create(), fill(one, gone)), fill(one, kept));
        expect(one.subtract?.(both, fill(one, gone))).toEqual(alone);
      }),
    );
  });
});

describe('quantile', () => {
  it.each([0, 0.1, 0.5, 0.9, 1])('at %s is within 1 % of the value at its rank', (level) => {
    const one = accumulator(`quantile(fraction, ${level})`);
    const numbers = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(numbers, numbers, (before, after) => {
        const result = one.result(one.merge(fill(one, before), fill(one, after))) as number;
        const sorted = [...before, ...after].sort((a, b) => a - b);
        const exact = sorted[Math.floor(level * (sorted.length - 1))] as number;
        expect(Math.abs(result - exact)).toBeLessThanOrEqual(Math.abs(exact) * 0.0101 + 1e-300);
      }),
    );
  });

  it('is null of nothing', () => {
    const one = accumulator('quantile(whole, 0.5)');
    expect(one.result(one.create())).toBeNull();
  });
});

describe('approx_distinct', () => {
  const one = accumulator('approx_distinct(text)');

  it.each([0, 1, 10, 200, 300, 1_000, 10_000, 100_000])('of %s values is right to 5 %', (size) => {
    const values = Array.from({ length: size }, (_, index) => `patient-${index}`);
    const result = one.result(fill(one, [...values, ...values])) as number;
    expect(Math.abs(result - size)).toBeLessThanOrEqual(0.05 * size);
  });

  it('of whole numbers is right to 5 %', () => {
    const result = one.result(
      fill(
        one,
        Array.from({ length: 50_000 }, (_, index) => index),
      ),
    ) as number;
    expect(Math.abs(result - 50_000)).toBeLessThanOrEqual(2_500);
  });

  it('keeps a text apart from the number and the list that are written like it', () => {
    expect(one.result(fill(one, ['1', 1, [1], '[1]', 1]))).toBe(4);
  });

  it('of parts is that of the whole', () => {
    const names = fc.array(fc.integer({ max: 5_000 }), { maxLength: 700 });
    fc.assert(
      fc.property(names, names, (before, after) => {
        const merged = one.merge(fill(one, before), fill(one, after));
        expect(one.result(merged)).toBe(one.result(fill(one, [...before, ...after])));
        expect(one.result(deserialize(serialize(merged)))).toBe(one.result(merged));
      }),
      { numRuns: 50 },
    );
  });
});

describe('distinct', () => {
  it('has room for no more values than its bound', () => {
    const one = accumulator('distinct(whole)');
    const { distinctValuesMax } = aggregateLimits;
    const full = new Map(Array.from({ length: distinctValuesMax }, (_, value) => [value, 1]));
    expect(one.admits?.(full, 0)).toBe(true);
    expect(one.admits?.(full, distinctValuesMax)).toBe(false);
    full.delete(0);
    expect(one.admits?.(full, distinctValuesMax)).toBe(true);
  });
});
