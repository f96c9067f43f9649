/** Sums of whole numbers that no number holds exactly: what leaves a window must take its rounding along. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Schema } from '../../runtime/stream/index.ts';
import { at, expectSameForAnyCut, operatorRun, stepsOf, watermark } from '../../runtime/testing/operator-harness.ts';
import { aggregate } from './aggregate.ts';

const schema: Schema = { fields: { k: { type: { kind: 'string' } }, v: { type: { kind: 'int' } } } };
const sliding = { sliding: '3s', every: '1s' };
const most = Number.MAX_SAFE_INTEGER;

it('are exact again where the newest event of a thing takes the place of a large one', () => {
  const options = { from: 'a', of: 'k', window: { global: true, early: 'change' }, values: { s: 'sum(v)' } };
  const run = operatorRun({ definition: aggregate, options, schema });
  const events = [
    { k: 'a', v: most },
    { k: 'b', v: 4 },
    { k: 'c', v: 3 },
    { k: 'a', v: 1 },
  ];
  const sums = run(events.map((event, second) => at(second * 1_000, event))).events();
  expect(sums.at(-1)).toMatchObject({ s: 8 });
});

describe.each([
  ['windows of numbers', { window: sliding, values: { s: 'sum(v)' } }],
  ['of lists', { window: sliding, values: { s: 'sum(v)', d: 'distinct(v)' } }],
  ['of the best keys', { window: sliding, values: { s: 'sum(v)' }, best: { by: 's', rows: 2 } }],
  ['with lateness', { window: { ...sliding, lateness: '2s' }, values: { s: 'sum(v)' } }],
])('%s', (_, form) => {
  const run = operatorRun({ definition: aggregate, options: { from: 'a', key: 'k', ...form }, schema });

  it('are exact again once the large numbers have left', () => {
    const values = [most, most - 2, most - 4, 3, 1, 5, 7, -most, -most, most, 2, 4, 6];
    const steps = values.flatMap((v, second) => [at(second * 1_000, { k: 'a', v }), watermark(second * 1_000)]);
    const sums = run([...steps, watermark(60_000)])
      .events()
      .map(({ s }) => s);
    const last = values.map((_, end) => values.slice(Math.max(0, end - 2), end + 1).reduce((sum, v) => sum + v, 0));
    expect(sums.slice(0, values.length)).toEqual(last);
  });

  it('do not depend on cuts and crashes', () => {
    const v = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constantFrom(most, most - 2, -most, 2 - most));
    expectSameForAnyCut(run, stepsOf(fc.record({ k: fc.constantFrom('a', 'b'), v })));
  });
});
