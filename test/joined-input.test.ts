/** Topology tests run their input again cut in other ways: in ways in which it may have come. */
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

const tests = `topology: rooms.yaml
tests:
  - name: two wards that are heard one after the other
    start: 2026-03-02T00:00:00.000Z
    steps:
      - advance: 90s
${visit('W3', '2026-03-02T00:01:24.869Z')}
      - advance: 15s
${visit('W2', '2026-03-02T00:01:44.369Z')}
`;

it('does not join what was accepted at different times', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mach-joined-'));
  try {
    await writeFile(join(folder, 'rooms.yaml'), topology);
    await writeFile(join(folder, 'rooms.test.yaml'), tests);
    const found = await loadTopologyTests(join(folder, 'rooms.test.yaml'), { catalogue, env: {} });
    expect(found.diagnostics).toEqual([]);
    const results: TestResult[] = [];
    if (found.tests) for await (const result of runTopologyTests(found.tests)) results.push(result);
    expect(results.map(({ name, failures }) => ({ name, failures }))).toEqual([
      { name: 'two wards that are heard one after the other', failures: [] },
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
