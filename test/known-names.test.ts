/** What is said of a name that an expression does not know: the names that could stand in its place, not those of something else. */
import { expect, it } from 'vitest';
import { catalogue } from '../catalogue.ts';
import { loadTopology } from '../runtime/topology/index.ts';

const text = `version: 1
name: handover
sources:
  news:
    file-drop: { folder: in, format: csv, schema: { unit: string, at: timestamp, km: float }, time: at, origin: unit }
operators:
  runs:
    pattern:
      from: news
      key: unit
      steps:
        - { name: leaves }
        - { name: arrives, when: leaves.total > 3 }
      values: { one: leaves.first.zzz, two: zzz.first.km, three: leaves.frist.km }
sinks:
  rows: { console: { from: runs } }
`;

it('lists the names of the record, the steps, or what was meant', () => {
  const { diagnostics } = loadTopology('handover.yaml', {
    catalogue,
    env: {},
    readFile: () => new TextEncoder().encode(text),
  });
  expect(diagnostics.map(({ line, suggestion }) => [line, suggestion])).toEqual([
    [13, 'fields: first, last, count'],
    [14, 'fields: unit, at, km'],
    [14, 'fields: previous, leaves, arrives, unit'],
    [14, 'did you mean first?'],
  ]);
});
