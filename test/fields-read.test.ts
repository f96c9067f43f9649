import { describe, expect, it } from 'vitest';
import { catalogue } from '../catalogue.ts';
import { loadTopology } from '../runtime/topology/index.ts';

function fieldsOf(operators: string, from: string): string[] {
  const text = `
version: 1
name: reads
sources:
  events: { nexmark: { events: 1 } }
operators:
${operators}
sinks:
  rows: { discard: { from: ${from} } }
`;
  const readFile = () => new TextEncoder().encode(text);
  const { topology, diagnostics } = loadTopology('reads.yaml', { catalogue, env: {}, readFile });
  if (!topology) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  return Object.keys(topology.sources[0]?.ports.out?.fields ?? {});
}

const bids = '  bids: { filter: { from: events, when: kind == "bid" } }';

describe('the fields that are read of a source', () => {
  it('are those that expressions name, and those that go on', () => {
    const map = `${bids}\n  result: { map: { from: bids, keep: [auction], set: { euros: 0.9 * price } } }`;
    expect(fieldsOf(map, 'result')).toEqual(['kind', 'auction', 'price']);
  });

  it('are keys and values of windows', () => {
    const sum = `${bids}
  counts: { aggregate: { from: bids, key: bidder, window: { tumbling: 10s }, values: { bids: count(), most: max(price) } } }`;
    expect(fieldsOf(sum, 'counts')).toEqual(['kind', 'bidder', 'price']);
  });

  it('are of both sides of a join those that are compared or come out', () => {
    const joined = `
  people: { filter: { from: events, when: kind == "person" } }
  auctions: { filter: { from: events, when: kind == "auction" } }
  sales: { map: { from: auctions, keep: [id, seller] } }
  pairs: { join: { left: sales, right: people, on: { left: seller, right: id }, within: 1m, keep: latest, fields: [city] } }
  result: { map: { from: pairs, keep: [city] } }`;
    expect(fieldsOf(joined, 'result')).toEqual(['kind', 'id', 'city', 'seller']);
  });

  it('are all of them where a sink takes events as they are, or nothing stands behind', () => {
    expect(fieldsOf(bids, 'bids')).toHaveLength(21);
    expect(
      fieldsOf(
        `${bids}\n  looked_at: { filter: { from: events, when: price > 1 } }\n  few: { map: { from: bids, keep: [auction] } }`,
        'few',
      ),
    ).toHaveLength(21);
  });
});
