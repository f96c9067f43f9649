/** What a test may do beside sending and expecting: mocks, faults, snapshots, partitions; and what is said of how far it came. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Catalogue } from '../../stream/definition.ts';
import { defineOperator, spreadByKey } from '../../stream/operator-definition.ts';
import { input } from '../../stream/options.ts';
import { smallCatalogue } from '../small-catalogue.ts';
import {
  coverageOf,
  loadTopologyTests,
  openSnapshots,
  runTopologyTests,
  snapshotFileOf,
  type TestResult,
} from './index.ts';

const plain = `
version: 1
name: small
sources:
  calls: { pulses: {}, idle: 1m }
operators:
  able: { refuses: { from: calls } }
  order: { numbered: { from: able } }
  sums: { totals: { from: able, every: 1m } }
sinks:
  rows: { collect: { from: order } }
  sums_kept: { collect: { from: sums, key: [hospital] } }
`;

const asking = `
version: 1
name: asking
sources:
  calls: { pulses: {}, idle: 1m }
operators:
  named: { ask: { from: calls, timeout: 5s } }
sinks:
  rows: { collect: { from: named } }
`;

/** Says that its state is by hospital, and counts all of them together. */
const wronglySpread = defineOperator({
  name: 'wrongly-spread',
  status: 'experimental',
  summary: 'Numbers all events, and says that it numbers those of each hospital.',
  options: z.strictObject({ from: input() }),
  examples: [],
  bind: ({ inputs }) => ({
    ports: { out: { fields: { ...inputs.from?.schema.fields, number: { type: { kind: 'int' } } } } },
    stateful: true,
    spread: spreadByKey({ from: ['hospital'] }, ['hospital']),
    create(context) {
      const state = context.keyedState<number>('number');
      return {
        event(event, time, out) {
          const number = (state.get('n') ?? 0) + 1;
          state.set('n', number, time);
          out.emit({ ...event, number });
        },
      };
    },
  }),
});

const catalogue = (): Catalogue => {
  const small = smallCatalogue();
  return { ...small, operators: [...small.operators, wronglySpread] };
};

let folder = '';
const inFolder = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mach-test-'));
  writeFileSync(inFolder('small.yaml'), plain);
  writeFileSync(inFolder('asking.yaml'), asking);
  writeFileSync(
    inFolder('wrong.yaml'),
    plain.replace('{ numbered: { from: able } }', '{ wrongly-spread: { from: able } }'),
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function load(beside: string, tests: string, head = '') {
  const file = inFolder(`${beside}.test.yaml`);
  writeFileSync(file, `topology: ${beside}.yaml\n${head}tests:\n${tests}`);
  const { tests: found, diagnostics } = await loadTopologyTests(file, { catalogue: catalogue(), env: {} });
  return { file, found, problems: diagnostics.map(({ code, line, message }) => `${code} ${line} ${message}`) };
}

async function run(
  beside: string,
  steps: string,
  { head = '', update }: { head?: string; update?: boolean } = {},
): Promise<{ file: string; results: TestResult[]; failures: string[]; written: number }> {
  const tests = `  - name: a test\n    start: 2026-01-01T00:00:00Z\n    steps:\n${steps}`;
  const { file, found, problems } = await load(beside, tests, head);
  if (!found) throw new Error(problems.join('\n'));
  const snapshots = openSnapshots(file, { update: update === true });
  const results: TestResult[] = [];
  for await (const result of runTopologyTests(found, snapshots)) results.push(result);
  const written = update ? snapshots.save({ isWhole: true }) : 0;
  const failures = results.flatMap((one) => one.failures.map(({ code, message }) => `${code} ${message}`));
  return { file, results, failures, written };
}

const event = (id: string, more = '') => `{ id: ${id}, hospital: H1, value: 1${more} }`;

describe('expectations', () => {
  it('of outputs between the nodes, which crashes do not repeat', async () => {
    const { failures } = await run(
      'small',
      `      - send: { source: calls, events: [${event('a')}, { id: none, hospital: H2 }] }
      - fault: { crash: order }
      - send: { source: calls, at: +1s, event: ${event('b')} }
      - expect: { output: able, rows: [{ id: a }, { id: b, $time: +1s }] }
      - expect: { output: "able:dead", rows: [{ id: none, code: MACH9902, reason: no value }] }
      - expect: { output: calls, rows: 2, where: { value: 1 } }
`,
    );
    expect(failures).toEqual([]);
  });

  it('of metrics, as they would be served', async () => {
    const { failures } = await run(
      'small',
      `      - send: { source: calls, events: [${event('a')}, { id: none, hospital: H2 }] }
      - expect:
          metrics:
            'mach_node_in_events_total{node="able"}': 2
            'mach_accounting_events_total{outcome="dead_lettered"}': 1
            'mach_node_out_events_total{kind="sink", node="rows"}': 7
`,
    );
    expect(failures).toEqual(['MACH1520 metrics have other values']);
  });
});

describe('mocks of look-ups', () => {
  const head = `mocks:
  named:
    - { when: { hospital: H1 }, answer: { name: One } }
    - { when: { hospital: H2 }, answer: { name: Two }, after: 3s }
    - { when: { hospital: H3 }, error: away }
    - { when: { hospital: H4 }, answer: late, after: 10s }
    - { answer: null }
`;
  const from = (hospital: string) => `{ id: of-${hospital}, hospital: ${hospital}, value: 1 }`;

  it('answer, fail, and take their time, in the time of the test', async () => {
    const { failures } = await run(
      'asking',
      `      - send: { source: calls, events: [${['H1', 'H2', 'H3', 'H4', 'H5'].map(from).join(', ')}] }
      - expect: { sink: rows, rows: [{ id: of-H1, answer: { name: One }, failure: null }] }
      - crash: true
      - advance: 3s
      - expect:
          sink: rows
          rows: [{ id: of-H1 }, { id: of-H2, answer: { name: Two } }, { id: of-H3, answer: null, failure: away }]
      - advance: 2s
      - expect: { sink: rows, where: { id: of-H4 }, rows: [{ answer: null, failure: no answer within 5000 ms }] }
      - expect: { sink: rows, where: { id: of-H5 }, rows: [{ answer: null, failure: null }] }
`,
      { head },
    );
    expect(failures).toEqual([]);
  });

  it('are the same at four partitions', async () => {
    const steps = `      - send: { source: calls, events: [${['H1', 'H2', 'H3', 'H5'].map(from).join(', ')}] }
      - advance: 10s
      - expect: { sink: rows, rows: 4 }
`;
    expect((await run('asking', steps, { head: `partitions: 4\n${head}` })).failures).toEqual([]);
  });

  it('are needed: a test asks nobody outside', async () => {
    const steps = `      - send: { source: calls, event: ${event('a')} }\n      - advance: 1s\n`;
    expect((await run('asking', steps)).failures).toEqual([
      'MACH1524 node named asks outside, and no mock answers {"id":"a","hospital":"H1","value":1,"patient":null}',
    ]);
  });
});

describe('faults', () => {
  it('crash_after, drop_acks and a store that is down change no result', async () => {
    const { failures } = await run(
      'small',
      `      - fault: { crash_after: 2, drop_acks: 1 }
      - send: { source: calls, repeat: 4, every: 5s, event: ${event('"p{n}"')} }
      - fault: { store: down 10m }
      - send: { source: calls, repeat: 3, every: 5s, event: ${event('"q{n}"')} }
      - expect: { sink: rows, rows: 4 }
      - advance: 9m
      - crash: true
      - expect: { sink: rows, rows: 4 }
      - expect: { output: order, rows: 7 }
      - advance: 1m
      - expect: { sink: rows, rows: [{ number: 1 }, { number: 2 }, { number: 3 }, { number: 4 }, { number: 5 }, { number: 6 }, { number: 7 }] }
`,
    );
    expect(failures).toEqual([]);
  });

  it.each([
    ['crash_after: 9', 'crash_after: another 8'],
    ['crash: order', 'crash: order'],
    ['drop_acks: 2', 'drop_acks: another 2'],
  ])('that never come fail the test: %s', async (fault, outstanding) => {
    const send = `      - send: { source: calls, event: ${event('a')} }\n`;
    const step = `      - fault: { ${fault} }\n`;
    const steps = fault.startsWith('crash_after') ? `${step}${send}` : `${send}${step}`;
    const told = `MACH1527 the test ends, and this fault has not come: ${outstanding}`;
    expect((await run('small', steps)).failures).toEqual([told]);
  });

  it('of the store end with the test', async () => {
    const steps = `      - fault: { store: down 1h }
      - send: { source: calls, event: ${event('a')} }
      - expect: { sink: rows, rows: 0 }
`;
    expect((await run('small', steps)).failures).toEqual([]);
  });
});

describe('snapshots', () => {
  const steps = (
    ids: readonly string[],
  ) => `      - send: { source: calls, events: [${ids.map((id) => event(id)).join(', ')}] }
      - expect: { sink: rows, snapshot: all rows }
`;

  it('are written when it is asked for, and compared from then on', async () => {
    const first = await run('small', steps(['a', 'b']));
    expect(first.failures).toEqual([
      'MACH1525 there is no snapshot "all rows" of this test yet: mach test --update writes it',
    ]);
    expect(await run('small', steps(['a', 'b']), { update: true })).toMatchObject({ failures: [], written: 1 });
    const text = readFileSync(snapshotFileOf(first.file), 'utf8');
    expect(text).toContain(
      '    - { id: a, hospital: H1, value: 1, patient: null, number: 1, $time: 2026-01-01T00:00:00.000Z }\n',
    );
    expect((await run('small', steps(['a', 'b']))).failures).toEqual([]);
    const other = await run('small', steps(['a', 'c']));
    expect(other.failures).toEqual(['MACH1520 snapshot "all rows" has 2 rows, and now there are others']);
    expect(other.results[0]?.failures[0]?.difference.slice(1)).toEqual(['- {"id":"b"}', '+ {"id":"c"}']);
    // Nothing asks for it any more.
    await run('small', `      - advance: 1s\n`, { update: true });
    expect(existsSync(snapshotFileOf(first.file))).toBe(false);
  });
});

describe('several partitions', () => {
  const steps = `      - send:
          source: calls
          events: [${Array.from({ length: 12 }, (_, at) => `{ id: e${at}, hospital: H${at % 4}, value: ${at % 5 === 4 ? 'null' : at} }`).join(', ')}]
      - advance: 2m
      - send: { source: calls, event: ${event('z')} }
      - expect: { sink: rows, rows: 11 }
`;

  it('give the rows of one', async () => {
    expect((await run('small', steps, { head: 'partitions: 4\n' })).failures).toEqual([]);
  });

  it('find out an operator whose state is not by the key that it names (MACH1526)', async () => {
    expect((await run('wrong', steps)).failures).toEqual([]);
    const { failures, results } = await run('wrong', steps, { head: 'partitions: 4\n' });
    expect(failures).toEqual(['MACH1526 the rows of rows differ at 4 partitions']);
    expect(results[0]?.failures[0]?.difference.some((line) => line.startsWith('- {"id":'))).toBe(true);
  });
});

describe('coverage', () => {
  it('says which nodes and outputs no test has reached', async () => {
    const { found } = await load(
      'small',
      `  - { name: one, steps: [{ send: { source: calls, event: ${event('a')} } }] }\n`,
    );
    if (!found) throw new Error('the tests have mistakes');
    const reached = [];
    for await (const result of runTopologyTests(found)) reached.push(...(result.reached ? [result.reached] : []));
    const { nodes, outputs } = coverageOf(found.topology, reached);
    expect(nodes).toEqual({ reached: 5, total: 6, missing: ['sums_kept'] });
    expect(outputs.missing).toEqual([
      'able:late',
      'able:dead',
      'order:late',
      'order:dead',
      'sums:late',
      'sums:dead',
      'sums',
    ]);
  });
});

describe('mistakes', () => {
  it.each([
    ['- expect: { output: abel, rows: 1 }', 'MACH1515 5 "abel" is not an output of'],
    ['- expect: { output: "able:deaf", rows: 1 }', 'MACH1515 5 "able:deaf" is not an output of'],
    ['- expect: { output: able, sink: rows, rows: 1 }', 'MACH1501 5 expect has sink or output, not both'],
    ['- expect: { metrics: { "mach x": 1 } }', 'MACH1501 5 "mach x" is not a metric'],
    ['- fault: { store: down 5x }', 'MACH1508 5 store: "5x" is not a duration'],
    ['- fault: { store: away }', 'MACH1508 5 store: "away" is not known; write down 10m'],
    ['- fault: { drop_ack: 1 }', 'MACH1502 5 "drop_ack" is not a key of fault'],
    ['- expect: { sink: rows, snapshot: "a/b" }', 'MACH1501 5 snapshot: a name of letters'],
  ])('%s', async (step, wanted) => {
    const { found, problems } = await load('small', `  - name: a test\n    steps:\n      ${step}\n`);
    expect(found).toBeUndefined();
    expect(
      problems.some((one) => one.startsWith(wanted)),
      problems.join('\n'),
    ).toBe(true);
  });

  it.each([
    ['nmaed: { answer: null }', 'MACH1514 3 "nmaed" is not a look-up of'],
    ['named: { when: { hospitl: H1 }, answer: null }', 'MACH1506 3 "hospitl" is not a field of named'],
    ['named: { after: 1s }', 'MACH1501 3 a mock has answer'],
    ['named: { answer: 1, error: x }', 'MACH1501 3 a mock has answer'],
    ['named: { answer: { beds: [1, .nan] } }', 'MACH1507 3 field answer: no event has NaN; json is needed'],
    ['named: [{ answer: 1, after: soon }]', 'MACH1508 3 after: "soon" is not a duration'],
  ])('mocks: %s', async (mock, wanted) => {
    const tests = '  - { name: a test, steps: [{ advance: 1s }] }\n';
    const { found, problems } = await load('asking', tests, `mocks:\n  ${mock}\n`);
    expect(found).toBeUndefined();
    expect(
      problems.some((one) => one.startsWith(wanted)),
      problems.join('\n'),
    ).toBe(true);
  });
});
