/** What topology tests make of the times between their steps. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { catalogue } from '../catalogue.ts';
import { loadTopologyTests, runTopologyTests, type TestResult } from '../runtime/testing/topology-test/index.ts';

const topology = `version: 1
name: rooms
sources:
  visits:
    file-drop: { folder: in, format: csv, schema: { ward: string, at: timestamp, minutes: int }, time: at, origin: ward }
    disorder: 10s
    idle: 30s
operators:
  counted:
    aggregate: { from: visits, key: ward, window: { tumbling: 7s }, values: { n: count() } }
sinks:
  rows: { clickhouse: { from: counted, table: counted, order_by: [ward, window_start] } }
`;

const visit = (ward: string, at: string) =>
  `      - send: { source: visits, event: { ward: ${ward}, at: "${at}", minutes: 1, $time: "${at}" } }`;

async function resultsOf(steps: string): Promise<TestResult[]> {
  const folder = await mkdtemp(join(tmpdir(), 'mach-passing-'));
  try {
    await writeFile(join(folder, 'rooms.yaml'), topology);
    const head = 'topology: rooms.yaml\ntests:\n  - name: a test\n    start: 2026-03-02T00:00:00.000Z\n    steps:\n';
    await writeFile(join(folder, 'rooms.test.yaml'), head + steps);
    const found = await loadTopologyTests(join(folder, 'rooms.test.yaml'), { catalogue, env: {} });
    expect(found.diagnostics).toEqual([]);
    const results: TestResult[] = [];
    if (found.tests) for await (const result of runTopologyTests(found.tests)) results.push(result);
    return results;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

it('does not join what was accepted at different times', async () => {
  const results = await resultsOf(`      - advance: 90s
${visit('W3', '2026-03-02T00:01:24.869Z')}
      - advance: 15s
${visit('W2', '2026-03-02T00:01:44.369Z')}
`);
  expect(results).toMatchObject([{ name: 'a test', failures: [] }]);
});

it('lets a process that dies while time passes go on in the rest of it', async () => {
  const results = await resultsOf(`${visit('W1', '2026-03-02T00:00:00.000Z')}
      - fault: { crash: rows }
      - advance: 10m
      - expect: { sink: rows, rows: [{ ward: W1, n: 1 }] }
      - expect: { watermark: { node: counted, time: 2026-03-02T00:09:20.000Z } }
`);
  expect(results).toMatchObject([{ name: 'a test', failures: [] }]);
});
