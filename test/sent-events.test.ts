/** What topology tests make of events that the source itself would refuse. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { catalogue } from '../catalogue.ts';
import { loadTopologyTests, runTopologyTests, type TestResult } from '../runtime/testing/topology-test/index.ts';

const topology = `version: 1
name: wards
sources:
  reports:
    file-drop:
      folder: in
      format: csv
      schema: { ward: string, beds: { type: int, nullable: true, minimum: 0, maximum: 100 }, share: { type: float, minimum: 0.5 } }
operators:
  known: { filter: { from: reports, when: beds != null } }
sinks:
  rows: { clickhouse: { from: known, table: wards, order_by: [ward] } }
`;

async function resultsOf(steps: readonly string[]): Promise<{ found: string[]; results: TestResult[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'mach-sent-'));
  try {
    await writeFile(join(folder, 'wards.yaml'), topology);
    const file = join(folder, 'wards.test.yaml');
    const lines = steps.map((step) => `      - ${step}\n`).join('');
    await writeFile(file, `topology: wards.yaml\ntests:\n  - name: a test\n    steps:\n${lines}`);
    const { tests, diagnostics } = await loadTopologyTests(file, { catalogue, env: {} });
    const results: TestResult[] = [];
    if (tests) for await (const result of runTopologyTests(tests)) results.push(result);
    return { found: diagnostics.map(({ code, line, message }) => `${code} ${line} ${message}`), results };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const event = (beds: number | null, share: number) => `{ ward: W1, beds: ${beds}, share: ${share} }`;

it('says so of a value that the source never gives, each at its line', async () => {
  const { found, results } = await resultsOf([
    `send: { source: reports, event: ${event(-1, 1)} }`,
    `send: { source: reports, events: [${event(0, 0.5)}, ${event(101, 0.4)}] }`,
  ]);
  const becomes = 'the source makes it a dead letter';
  expect(found).toEqual([
    `MACH1507 5 field beds: -1 is less than 0: ${becomes}`,
    `MACH1507 6 field beds: 101 is more than 100: ${becomes}`,
    `MACH1507 6 field share: 0.4 is less than 0.5: ${becomes}`,
  ]);
  expect(results).toEqual([]);
});

it('takes the bounds themselves and null, and what comes as a file becomes what it becomes in the engine', async () => {
  const { found, results } = await resultsOf([
    `send: { source: reports, events: [${event(0, 0.5)}, ${event(100, 1)}, ${event(null, 1)}] }`,
    'send: { source: reports, text: "ward,beds,share\\nW1,-1,1\\nW1,7,1\\n" }',
    'expect: { dead_letters: 1 }',
    'expect: { sink: rows, rows: [{ beds: 0 }, { beds: 100 }, { beds: 7 }] }',
  ]);
  expect({ found, failures: results.map(({ failures }) => failures) }).toEqual({ found: [], failures: [[]] });
});
