/**
 * Every query's rows are those of the same query in batch by ClickHouse: with one partition and with four, in order and not, at both
 * speeds of the clock, over a crash in the middle. At full scale: `npm run bench -- nexmark --query all --check`.
 */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startTestStore, type TestStore } from '../../runtime/testing/with-store.ts';
import { expectedLines, fillOracle } from './oracle/clickhouse.ts';
import { isPattern, patternLines } from './oracle/patterns.ts';
import { runProcesses } from './processes.ts';
import { queries } from './queries.ts';
import { differences } from './rows.ts';
import { prepareQuery, type StreamOptions } from './run-query.ts';

/** A busy machine may take its time; a query that never ends is told apart all the same. */
const timeoutMs = 300_000;

interface Variant {
  readonly partitions: number;
  readonly crash: boolean;
}

const streams: readonly (readonly [string, StreamOptions, readonly Variant[]])[] = [
  [
    '10,000 events a second, in order',
    { events: 20_000, seed: 42, rate: 10_000, disorder: 1 },
    [
      { partitions: 1, crash: true },
      { partitions: 4, crash: false },
    ],
  ],
  [
    '10,000 events a second, out of order',
    { events: 10_000, seed: 7, rate: 10_000, disorder: 100 },
    [
      { partitions: 1, crash: false },
      { partitions: 4, crash: true },
    ],
  ],
  [
    '2 events a second',
    { events: 10_000, seed: 11, rate: 2, disorder: 1 },
    [
      { partitions: 1, crash: true },
      { partitions: 4, crash: false },
    ],
  ],
];

let store: TestStore;

beforeAll(async () => {
  store = await startTestStore();
});

afterAll(() => store.stop());

describe.each(streams)('%s', (_, stream, variants) => {
  beforeAll(() => fillOracle(store.store, stream), timeoutMs);

  it.each(queries.map((query) => [query.name, query] as const))(
    '%s',
    async (_name, query) => {
      const expected = isPattern(query) ? patternLines(stream, query) : await expectedLines(store.store, query);
      expect(expected.length).toBeGreaterThan(0);
      for (const { partitions, crash } of variants) {
        const prepared = await prepareQuery(query, stream);
        onTestFinished(prepared.clean);
        const plan = crash ? { messages: 4 } : undefined;
        const { lines, restoredAt } = await runProcesses(prepared, { partitions, crash: plan });
        const what = `${partitions} partitions${crash ? ', restored' : ''}`;
        expect(differences(lines, expected), what).toEqual([]);
        expect(lines.length, what).toBe(expected.length);
        expect(Math.max(...restoredAt) > 0, what).toBe(crash);
      }
    },
    timeoutMs,
  );
});
