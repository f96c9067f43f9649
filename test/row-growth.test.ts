/** Where rows have to be looked at whether the log could hold them: where texts can grow, and nowhere else. */
import { describe, expect, it } from 'vitest';
import { catalogue } from '../catalogue.ts';
import { loadTopology } from '../runtime/topology/index.ts';
import { mayGrow } from '../runtime/topology/row-growth.ts';

const text = `version: 1
name: growth
sources:
  rows: { file-drop: { folder: inbox, format: csv, schema: { id: string, beds: int }, origin: id } }
operators:
  open: { filter: { from: rows, when: beds > 0 } }
  doubled: { map: { from: open, set: { beds: beds * 2 } } }
  fewer: { map: { from: doubled, keep: [id] } }
  both: { union: { from: [open, doubled] } }
  longer: { map: { from: open, set: { id: 'id + id' } } }
  behind: { filter: { from: longer, when: beds > 1 } }
  mixed: { union: { from: [open, longer] } }
  counted: { aggregate: { from: open, key: id, window: { tumbling: 1m }, values: { events: count() } } }
sinks:
  out: { console: { from: fewer } }
`;

describe('what may be larger than what was accepted', () => {
  const readFile = () => new TextEncoder().encode(text);
  const { topology, diagnostics } = loadTopology('growth.yaml', { catalogue, env: {}, readFile });

  it.each([
    ['rows', false],
    ['open', false],
    ['doubled', false],
    ['fewer', false],
    ['both', false],
    ['longer', true],
    ['behind', true],
    ['mixed', true],
    ['counted', true],
  ])('%s: %s', (node, expected) => {
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    if (!topology) throw new Error('the topology of the test is wrong');
    const schema = [...topology.sources, ...topology.operators].find(({ id }) => id === node)?.ports.out;
    expect(mayGrow(topology, { node, port: 'out' }, schema ?? { fields: {} })).toBe(expected);
  });
});
