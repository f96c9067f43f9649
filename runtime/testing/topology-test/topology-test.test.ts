/** Tests of topologies, tested: what they say of good, of wrong and of broken topologies and files. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { smallCatalogue } from '../small-catalogue.ts';
import { findTestFiles, loadTopologyTests, runTopologyTests, type TestResult } from './index.ts';

const topology = `
version: 1
name: small
sources:
  calls: { pulses: {}, idle: 1m }
  mute: { pulses: { decodes: false }, idle: 1m }
operators:
  able: { refuses: { from: calls } }
  order: { numbered: { from: able } }
  sums: { totals: { from: able, every: 1m } }
  others: { keep: { from: mute, min: 5 } }
sinks:
  rows: { collect: { from: order } }
  sums_kept: { collect: { from: sums, key: [hospital] } }
  rest: { collect: { from: others } }
`;

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mach-test-'));
  writeFileSync(join(folder, 'small.yaml'), topology);
  writeFileSync(join(folder, 'pulses.txt'), 'p1 H1 5 1767225600\nnot a pulse\np2 H1 6 1767225610\n');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function load(text: string, beside = 'small') {
  const file = join(folder, `${beside}.test.yaml`);
  writeFileSync(file, text);
  const result = await loadTopologyTests(file, { catalogue: smallCatalogue(), env: {} });
  return { ...result, found: result.diagnostics.map(({ code, line, message }) => `${code} ${line} ${message}`) };
}

async function run(steps: string, { beside = 'small', head = '' } = {}): Promise<TestResult> {
  const text = `topology: ${beside}.yaml\n${head}tests:\n  - name: a test\n    start: 2026-01-01T00:00:00Z\n    steps:\n${steps}`;
  const { tests, found } = await load(text, beside);
  if (!tests) throw new Error(found.join('\n'));
  for await (const result of runTopologyTests(tests)) return result;
  throw new Error('no test ran');
}

const failuresOf = (result: TestResult) => result.failures.map(({ code, message }) => `${code} ${message}`);
const event = (id: string, more = '') => `{ id: ${id}, hospital: H1, value: 1${more} }`;

describe('a test that is met', () => {
  it('passes: rows, counts, accounting, watermarks, through crashes and faults', async () => {
    const result = await run(
      `      - send: { source: calls, repeat: 3, every: 10s, event: ${event('"p{n}"')} }
      - expect: { sink: rows, rows: [{ id: p1, number: 1 }, { id: p2 }, { id: p3, number: 3 }] }
      - crash: true
      - fault: { crash: calls, drop_acknowledgements: 1 }
      - send: { source: calls, events: [${event('a')}, ${event('b')}] }
      - fault: { crash: order }
      - send: { source: calls, event: ${event('c')} }
      - fault: { crash: rows }
      - send: { source: calls, event: ${event('d')} }
      - expect: { sink: rows, rows: 7, where: { hospital: H1 } }
      - expect: { sink: rows, latest: [hospital], rows: [{ id: d, number: 7, $time: 2026-01-01T00:00:20Z }] }
      - expect: { sink: rows, contains: [{ id: c }, { id: a }] }
      - expect: { accounting: { in: 7, delivered: 7 }, counts: { node: order, in: 7, out: 7 } }
      - expect: { watermark: { node: order, time: now } }
      - expect: { watermark: { node: others, time: null } }
`,
    );
    expect(failuresOf(result)).toEqual([]);
  });

  it('lets origins fall silent after the idle time of their source', async () => {
    const result = await run(
      `      - send: { source: calls, event: ${event('a')} }
      - advance: 59s
      - expect: { watermark: { node: order, time: 2026-01-01T00:00:00Z }, sink: sums_kept, rows: 0 }
      - advance: 61s
      - expect: { watermark: { node: order, time: 2026-01-01T00:02:00Z }, sink: sums_kept, rows: [{ hospital: H1, count: 1 }] }
`,
    );
    expect(failuresOf(result)).toEqual([]);
  });

  it('keeps time for each origin, by a field or by name', async () => {
    const result = await run(
      `      - send: { source: calls, event: { id: a, hospital: H1, value: 1 } }
      - send: { source: calls, at: +30s, event: { id: b, hospital: H2, value: 1 } }
      - expect: { watermark: { node: order, time: now } }
      - send: { source: calls, at: -30s, origin: someone, event: { id: c, hospital: H2, value: 1 } }
      - expect: { watermark: { node: order, time: now } }
      - send: { source: calls, events: [{ id: d, hospital: H1, value: 1, $time: +20s }] }
      - expect: { watermark: { node: order, time: now } }
`,
      { head: 'origins: { calls: hospital }\n' },
    );
    expect(failuresOf(result)).toEqual([]);
  });

  it('sends texts and files through the decoder; what cannot be read is a dead letter', async () => {
    const result = await run(
      `      - send: { source: calls, file: pulses.txt }
      - send: { source: calls, text: "p3 H1 7 1767225620" }
      - send: { source: calls, event: { id: none, hospital: H1 } }
      - expect: { sink: rows, rows: [{ id: p1, value: 5 }, { id: p2 }, { id: p3, value: 7 }] }
      - expect: { dead_letters: [{ node: calls, code: MACH9901 }, { node: able, code: MACH9902, reason: no value }] }
      - expect: { accounting: { in: 5, dead_lettered: 2, delivered: 3 } }
`,
    );
    expect(failuresOf(result)).toEqual([]);
  });
});

describe('a test that is not met', () => {
  it('fails at the line of the expectation, with what differs', async () => {
    const result = await run(
      `      - send: { source: calls, events: [${event('a')}, ${event('b')}, ${event('c')}] }
      - expect: { sink: rows, rows: [{ id: a, number: 1 }, { id: x, number: 2 }, { id: c, number: 3 }] }
      - expect: { sink: rows, rows: 2 }
      - expect: { sink: rows, contains: [{ id: z }] }
      - expect: { accounting: { in: 4, dropped_by_reason: { duplicate: 1 } } }
      - expect: { watermark: { node: order, time: null }, counts: { node: order, late: 2 } }
`,
    );
    expect(result.failures.map(({ code, line }) => `${code} ${line}`)).toEqual([
      'MACH1520 7',
      'MACH1520 8',
      'MACH1520 9',
      'MACH1520 10',
      'MACH1520 11',
      'MACH1520 11',
    ]);
    const [rows, count, contains, accounting, counts, watermark] = result.failures;
    expect(rows?.difference).toEqual([
      '= { id: "a", number: 1 }',
      '- { id: "x" }',
      '+ { id: "b" }',
      '= { id: "c", number: 3 }',
    ]);
    expect(count?.message).toBe('expected 2 rows of rows, got 3');
    expect(contains?.difference[0]).toBe('- { id: "z" }');
    expect(accounting?.difference).toEqual([
      '- in: 4',
      '+ in: 3',
      '- dropped_by_reason.duplicate: 1',
      '+ dropped_by_reason.duplicate: 0',
    ]);
    expect(`${watermark?.difference} ${counts?.difference}`).toContain('- none,+ 2026-01-01T00:00:00.000Z');
  });

  it('shows missing and further rows apart', async () => {
    const result = await run(
      `      - send: { source: calls, events: [${event('a')}, ${event('b')}] }
      - expect: { sink: rows, rows: [{ id: a }, { id: b }, { id: c }] }
      - expect: { sink: rows, rows: [{ id: b }] }
`,
    );
    expect(result.failures.map(({ difference }) => difference)).toEqual([
      ['= { id: "a" }', '= { id: "b" }', '- { id: "c" }'],
      ['+ { id: "a" }', '= { id: "b" }'],
    ]);
  });
});

describe('a topology that is broken', () => {
  it('by an operator that is not the same twice is found out (MACH1522)', async () => {
    writeFileSync(
      join(folder, 'dice.yaml'),
      topology.replace('{ numbered: { from: able } }', '{ dice: { from: able } }'),
    );
    const result = await run(`      - send: { source: calls, event: ${event('a')} }\n`, { beside: 'dice' });
    expect(failuresOf(result)).toEqual([
      'MACH1522 the rows of rows differ when the same input is cut into single events, with a crash in the middle',
    ]);
  });

  it('by an operator that throws ends the test with the reason of the engine (MACH1523)', async () => {
    writeFileSync(
      join(folder, 'frail.yaml'),
      topology.replace('{ numbered: { from: able } }', '{ breaks: { from: able, at: 1 } }'),
    );
    const result = await run(`      - send: { source: calls, event: ${event('a')} }\n`, { beside: 'frail' });
    expect(failuresOf(result)).toEqual(['MACH1523 the run ended: MACH3208 node order failed: cannot bear 1']);
    expect(result.failures[0]?.line).toBe(6);
  });
});

describe('a file of tests with mistakes', () => {
  const file = (steps: string) => `topology: small.yaml\ntests:\n  - name: a test\n    steps:\n${steps}`;

  it.each([
    ['an unknown source', '- send: { source: cals, event: { id: a } }', 'MACH1504 5 "cals" is not a source of'],
    ['an unknown sink', '- expect: { sink: row, rows: 1 }', 'MACH1505 5 "row" is not a sink of'],
    [
      'an unknown field',
      '- send: { source: calls, event: { id: a, hospitl: H1 } }',
      'MACH1506 5 "hospitl" is not a field of calls',
    ],
    [
      'an unknown field of a sink',
      '- expect: { sink: rows, rows: [{ nummer: 1 }] }',
      'MACH1506 5 "nummer" is not a field of rows',
    ],
    [
      'a wrong type',
      '- send: { source: calls, event: { id: 7, hospital: H1 } }',
      'MACH1507 5 field id: 7 is not string',
    ],
    [
      'null where it may not be',
      '- send: { source: calls, event: { id: null, hospital: H1 } }',
      'MACH1507 5 field id: it may not be null',
    ],
    [
      'a field that is missing',
      '- send: { source: calls, event: { id: a } }',
      'MACH1507 5 field hospital: it is missing',
    ],
    ['a bad duration', '- advance: 5x', 'MACH1508 5 advance: "5x" is not a duration'],
    ['a duration without its unit', '- advance: 30', 'MACH1508 5 advance: "30" is not a duration'],
    [
      'a duration that is too long',
      '- advance: 32d',
      'MACH1508 5 advance: "32d" is longer than topologyTestLimits.advanceMaxMs',
    ],
    [
      'a bad time',
      '- send: { source: calls, at: soon, event: { id: a, hospital: H1 } }',
      'MACH1509 5 at: "soon" is not a time',
    ],
    ['an unknown node', '- fault: { crash: ordr }', 'MACH1510 5 "ordr" is not a node of'],
    ['counts of a source', '- expect: { counts: { node: calls, in: 1 } }', 'MACH1510 5 "calls" is not a node of'],
    [
      'a text that cannot be decoded',
      '- send: { source: mute, text: x }',
      'MACH1511 5 source mute cannot be sent this: pulses cannot decode texts',
    ],
    [
      'a file that is not there',
      '- send: { source: calls, file: none.txt }',
      'MACH1511 5 source calls cannot be sent this: ENOENT',
    ],
    [
      'latest of dead letters',
      '- expect: { dead_letters: 0, latest: true }',
      'MACH1512 5 sink dead letters has no table',
    ],
    ['an unknown step', '- sned: { source: calls }', 'MACH1502 5 "sned" is not a key of a step'],
    ['an unknown key', '- send: { source: calls, evnt: {} }', 'MACH1502 5 "evnt" is not a key of send'],
    ['two steps in one', '- { advance: 5m, crash: true }', 'MACH1501 5 a step has one of'],
    ['nothing to send', '- send: { source: calls }', 'MACH1501 5 send has one of'],
    ['nothing expected', '- expect: {}', 'MACH1501 5 expect has'],
    ['no rows expected', '- expect: { sink: rows }', 'MACH1501 5 expect has rows, contains or snapshot'],
    [
      'what no event has',
      '- send: { source: calls, event: { id: a, hospital: H1, value: .inf } }',
      'MACH1507 5 field value: no event has Infinity; int is needed',
    ],
    ['a fault that is none', '- fault: {}', 'MACH1501 5 a fault is'],
  ])('%s', async (_, step, wanted) => {
    const { tests, found } = await load(file(`      ${step}\n`));
    expect(tests).toBeUndefined();
    expect(
      found.some((one) => one.startsWith(wanted)),
      found.join('\n'),
    ).toBe(true);
  });

  it('says once what is wrong with a sink or an output', async () => {
    for (const [expected, code] of [
      ['sink: zz', 'MACH1505'],
      ['sink: zz, rows: 1', 'MACH1505'],
      ['output: zz, rows: 1', 'MACH1515'],
    ]) {
      const { diagnostics } = await load(file(`      - expect: { ${expected} }\n`));
      expect({ expected, found: diagnostics.map((one) => one.code) }).toEqual({ expected, found: [code] });
    }
  });

  it.each([
    ['a null that is a text', '- expect: { sink: rows, rows: [{ hospital: null }] }', undefined],
    ['a null that is a time', '- expect: { sink: sums_kept, rows: [{ begin: null }] }', undefined],
    ['a number that is a text', '- expect: { sink: rows, rows: [{ hospital: 7 }] }', 'put it in quotes'],
    ['no number', '- expect: { sink: sums_kept, rows: [{ begin: .nan }] }', undefined],
  ])('suggests only what would help: %s', async (_, step, suggestion) => {
    const { diagnostics } = await load(file(`      ${step}\n`));
    expect(diagnostics.map((one) => [one.code, one.suggestion])).toEqual([['MACH1507', suggestion]]);
  });

  it('suggests what was meant', async () => {
    const { diagnostics } = await load(file('      - send: { source: cals, event: { id: a } }\n      - advanse: 5m\n'));
    expect(diagnostics.map(({ suggestion }) => suggestion)).toEqual(['did you mean calls?', 'did you mean advance?']);
  });

  it('says all at once, whatever the form of one of them', async () => {
    const { tests, found } = await load(`topology: small.yaml
origin: { calls: hospital }
mocks: { nobody: { anser: 1 } }
tests:
  - name: forms
    steps:
      - send: { source: cals, event: { id: a, hospital: H1 } }
      - sned: { source: calls }
      - send: { source: mut, event: 5, evry: 1m }
      - send: { source: 7, event: { hospitl: H1 } }
      - [advance]
      - expect: { sink: row, rows: few }
      - expect: { sink: rows, rows: [{ idd: a }, 5] }
      - expect: { sink: rows, rows: [{ idd: a }], latset: true }
      - expect: { counts: { node: nobody, in: 1.5 } }
  - steps:
      - advance: soon
  - name: no steps
    stesp: []
  - a test
  - name: last
    start: yesterday
    partitions: 0
    steps:
      - fault: { crash: nobody, store: [] }
`);
    expect(tests).toBeUndefined();
    expect(found.map((one) => one.replace(/ of \/.*$/, ''))).toEqual([
      'MACH1502 2 "origin" is not a key of the file',
      'MACH1514 3 "nobody" is not a look-up',
      'MACH1502 3 "anser" is not a key of a mock',
      'MACH1504 7 "cals" is not a source',
      'MACH1502 8 "sned" is not a key of a step',
      'MACH1504 9 "mut" is not a source',
      'MACH1501 9 event: invalid input: expected record, received number',
      'MACH1502 9 "evry" is not a key of send',
      'MACH1501 10 source: invalid input: expected string, received number',
      'MACH1501 11 steps: invalid input: expected object, received array',
      'MACH1505 12 "row" is not a sink',
      'MACH1501 12 rows: a number or a list of rows is needed',
      'MACH1501 13 rows: invalid input: expected record, received number',
      'MACH1506 14 "idd" is not a field of rows',
      'MACH1502 14 "latset" is not a key of expect',
      'MACH1510 15 "nobody" is not a node',
      'MACH1501 15 in: invalid input: expected int, received number',
      'MACH1501 16 name: invalid input: expected string, received undefined',
      'MACH1508 17 advance: "soon" is not a duration',
      'MACH1501 18 steps: invalid input: expected array, received undefined',
      'MACH1502 19 "stesp" is not a key of a test',
      'MACH1501 20 tests: invalid input: expected object, received string',
      'MACH1509 22 start: "yesterday" is not a time',
      'MACH1501 23 partitions: too small: expected number to be >=1',
      'MACH1510 25 "nobody" is not a node',
      'MACH1501 25 store: invalid input: expected string, received array',
    ]);
  });

  it('of a topology with mistakes shows those of the topology too', async () => {
    writeFileSync(join(folder, 'wrong.yaml'), topology.replace('from: calls', 'from: nobody'));
    const { found } = await load('topology: wrong.yaml\ntests: [{ name: a, steps: [{ advance: 1s }] }]\n', 'wrong');
    expect(found.map((one) => one.slice(0, 8))).toEqual(expect.arrayContaining(['MACH1503', 'MACH1105']));
  });

  it('that is not YAML, not text, or not there is said so', async () => {
    expect((await load('tests: [')).found[0]).toMatch(/^MACH1005/);
    expect((await load('')).found[0]).toMatch(/^MACH1004/);
    const absent = await loadTopologyTests(join(folder, 'absent.test.yaml'), { catalogue: smallCatalogue() });
    expect(absent.diagnostics[0]).toMatchObject({ code: 'MACH1501' });
  });
});

describe('files', () => {
  it('are found by themselves, beside a topology, and in folders', () => {
    const file = join(folder, 'small.test.yaml');
    writeFileSync(file, 'topology: small.yaml\n');
    expect(findTestFiles(file)).toEqual([file]);
    expect(findTestFiles(join(folder, 'small.yaml'))).toEqual([file]);
    expect(findTestFiles(folder)).toContain(file);
    expect(findTestFiles(join(folder, 'lonely.yaml'))).toEqual([]);
  });
});
