/** A name that is mistyped once is told of once, and not by every node behind. */
import { expect, it } from 'vitest';
import { catalogue } from '../catalogue.ts';
import { loadTopology } from '../runtime/topology/index.ts';
import { formatOneLine } from '../runtime/topology/print-diagnostics.ts';

function problemsOf(operator: string): string[] {
  const text = `version: 1
name: wards
sources:
  beds:
    file-drop:
      { folder: ./beds, format: csv, schema: { hospital: string, ward: int, free: int, at: timestamp }, time: at }
operators:
  first:
    ${operator}
  many:
    filter: { from: first, when: hospital != "H1" }
  named:
    map: { from: many, set: { name: upper(hospital) } }
sinks:
  rows:
    clickhouse: { from: named, table: wards, order_by: [hospital] }
`;
  const { diagnostics } = loadTopology('wards.yaml', {
    catalogue,
    env: {},
    readFile: () => new TextEncoder().encode(text),
  });
  return diagnostics.filter(({ severity }) => severity === 'error').map(formatOneLine);
}

it.each([
  ['aggregate', 'aggregate: { from: beds, key: [hospitl], window: { tumbling: 1h }, values: { n: count() } }'],
  ['map', 'map: { from: beds, keep: [hospitl, ward] }'],
  ['alert', 'alert: { from: beds, key: [hospitl], raise: free < 2 }'],
  ['alert', 'alert: { from: beds, key: [ward], values: [hospitl], raise: free < 2 }'],
  [
    'pattern',
    'pattern: { from: beds, key: [hospitl], steps: [{ name: full, when: free == 0 }], within: 1h, values: { place: hospital } }',
  ],
])('of %s: %s', (_, operator) => {
  expect(problemsOf(operator.replace('hospitl', 'hospital'))).toEqual([]);
  const [problem, ...others] = problemsOf(operator);
  expect(problem).toContain('MACH1250');
  expect(problem).toContain('"hospitl" is not a field of beds. Did you mean hospital?');
  expect(others).toEqual([]);
});

it.each([
  ['aggregate', 'aggregate: { from: beds, key: "hospital, ward", window: { tumbling: 1h }, values: { n: count() } }'],
  [
    'aggregate',
    'aggregate: { from: beds, key: hospital, of: "hospital, ward", window: { global: true, early: 1m }, values: { n: count() } }',
  ],
  ['alert', 'alert: { from: beds, key: "hospital, ward", raise: free < 2 }'],
  ['alert', 'alert: { from: beds, key: free, values: ["hospital, ward"], raise: free < 2 }'],
  [
    'pattern',
    'pattern: { from: beds, key: "hospital, ward", steps: [{ name: full, when: free == 0 }], within: 1h, values: { place: hospital } }',
  ],
  ['map', 'map: { from: beds, keep: ["hospital, ward"] }'],
  ['top', 'top: { from: beds, key: "hospital, ward", by: free }'],
  [
    'aggregate',
    'aggregate: { from: beds, key: ["hospital, ward", hospital, free], window: { tumbling: 1h }, values: { n: count() } }',
  ],
])('of a list that is written as one text: %s: %s', (_, operator) => {
  const [problem, ...others] = problemsOf(operator);
  expect(problem).toContain('MACH1250');
  expect(problem).toContain('"hospital, ward" is not a field of beds. A list is written [hospital, ward]');
  expect(others).toEqual([]);
});

it.each([
  ['{ tumbling: 10m, sliding: 5m }', 'tumbling and sliding exclude one another. Give one of the two'],
  ['{ session: 10m, tumbling: 5m, lateness: 1m }', 'session and tumbling exclude one another. Give one of the two'],
  ['10m', '"10m" is not a mapping. Did you mean { tumbling: 10m }?'],
])('of a window that is written as %s', (window, told) => {
  const [problem, ...others] = problemsOf(
    `aggregate: { from: beds, key: hospital, window: ${window}, values: { n: count() } }`,
  );
  expect(problem).toContain(told);
  expect(others).toEqual([]);
});

const best = (values: string) =>
  `aggregate: { from: beds, key: hospital, window: { tumbling: 1h }, values: ${values}, best: { by: n } }`;

it('of a value that is wrong in itself: not of how it is compared', () => {
  expect(problemsOf(best('{ n: count() }'))).toEqual([]);
  expect(problemsOf(best('{ n: "count(free > )" }'))).toEqual([expect.stringContaining('MACH1210')]);
});

it('of a call that a comma has cut in two: what is to be done', () => {
  expect(problemsOf(best('{ n: count(), q: "quantile(free, 0.9)" }'))).toEqual([]);
  expect(problemsOf(best('{ n: count(), q: quantile(free, 0.9) }'))).toEqual([
    expect.stringContaining('Put an expression that holds a comma in quotes'),
  ]);
});
