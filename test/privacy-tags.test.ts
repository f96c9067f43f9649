/** What points at a person keeps its tag through every operator, and stands in no message. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { catalogue } from '../catalogue.ts';
import { compileRowSchema, parseRow } from '../connectors/file-drop/row-schema.ts';
import { loadTopology } from '../runtime/topology/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'mach-privacy-tags-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const schema = `{ patient: { type: string, privacy: direct }, born: { type: int, privacy: direct }, ill: { type: string, privacy: health }, hospital: string, at: timestamp }`;
const other = `{ person: string, note: string, hospital: string, at: timestamp }`;

function load(operators: string, { sinks = 'rows: { discard: { from: visits } }', origin = '' } = {}) {
  const text = `version: 1
name: tags
sources:
  visits: { file-drop: { folder: a, format: csv, schema: ${schema}, time: at${origin} } }
  others: { file-drop: { folder: b, format: csv, schema: ${other}, time: at } }
operators:
${operators}
sinks:
  ${sinks}
`;
  const file = join(folder, 'tags.yaml');
  writeFileSync(file, text);
  return loadTopology(file, { catalogue, env: {} });
}

function tagsOf(operators: string, node: string): Record<string, string | undefined> {
  const { topology, diagnostics } = load(operators);
  if (!topology) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  const fields = topology.operators.find(({ id }) => id === node)?.ports.out?.fields ?? {};
  return Object.fromEntries(Object.entries(fields).map(([name, { privacy }]) => [name, privacy]));
}

it('keeps the strongest tag of what an aggregate gives of one event', () => {
  const values = 'first: first(ill + string(born)), last: last(patient), most: max(born), n: count(patient != "")';
  const tags = tagsOf(
    `  node: { aggregate: { from: visits, key: hospital, window: { tumbling: 1h }, values: { ${values} } } }`,
    'node',
  );
  expect(tags).toMatchObject({ first: 'direct', last: 'direct', most: 'direct', n: undefined, hospital: undefined });
});

it('keeps the tags of what a pattern takes from the events of its steps', () => {
  const steps = `[{ name: a, when: hospital == "H1", totals: { oldest: min(born) } }, { name: b, when: hospital == "H2" }]`;
  const values =
    'who: a.first.patient + "!", oldest: a.oldest, where: b.first.hospital, same: a.first.patient == b.last.patient';
  const tags = tagsOf(
    `  node: { pattern: { from: visits, key: hospital, within: 1h, steps: ${steps}, values: { ${values} } } }`,
    'node',
  );
  expect(tags).toMatchObject({ who: 'direct', oldest: 'direct', where: undefined, same: undefined });
});

it('keeps in a union what one of its inputs tags', () => {
  const plain = '  plain: { map: { from: others, set: { who: person }, keep: [hospital] } }';
  const tagged = '  tagged: { map: { from: visits, set: { who: patient }, keep: [hospital] } }';
  const wanted = { who: 'direct', hospital: undefined };
  for (const from of ['[plain, tagged]', '[tagged, plain]'])
    expect(tagsOf(`${plain}\n${tagged}\n  node: { union: { from: ${from} } }`, 'node')).toMatchObject(wanted);
});

it('tags the key of a join by the side that tags it more closely', () => {
  const node = (left: string, right: string, on: string) =>
    `  node: { join: { left: ${left}, right: ${right}, on: ${on}, within: { after: 1h }, fields: [at], prefix: r_ } }`;
  expect(tagsOf(node('others', 'visits', '{ left: person, right: patient }'), 'node')).toMatchObject({
    person: 'direct',
  });
  expect(tagsOf(node('visits', 'others', '{ left: hospital, right: person }'), 'node')).toMatchObject({
    hospital: undefined,
  });
});

it('tags the events of a sink by all of its inputs', () => {
  const operators = `  a: { map: { from: others, set: { who: person }, keep: [hospital] } }
  b: { map: { from: visits, set: { who: patient }, keep: [hospital] } }`;
  const { topology } = load(operators, { sinks: 'rows: { discard: { from: [a, b] } }' });
  expect(topology?.sinks[0]?.inputs.map(({ schema: { fields } }) => fields.who?.privacy)).toEqual(['direct', 'direct']);
});

it('refuses who reports where that points at a person', () => {
  const { topology, diagnostics } = load('  a: { filter: { from: visits, when: true } }', {
    origin: ', origin: patient',
  });
  expect(topology).toBeUndefined();
  expect(diagnostics.map(({ message }) => message).join('\n')).toContain('patient points at a person');
});

it('quotes no cell of a file or a table that names persons', () => {
  const fields = { patient: { type: 'string', privacy: 'direct' }, beds: 'int' } as const;
  const read = (rowFields: Parameters<typeof compileRowSchema>[0]) =>
    parseRow(compileRowSchema(rowFields, { zone: 'UTC' }), (at) => ['Văn Thử', 'Nguyễn'][at]);
  expect(read(fields)).toEqual({ problems: [{ column: 'beds', reason: '••• is not a number' }] });
  expect(read({ ...fields, patient: 'string' })).toEqual({
    problems: [{ column: 'beds', reason: '"Nguyễn" is not a number' }],
  });
  writeFileSync(join(folder, 'people.csv'), 'patient,beds\nNguyễn Văn Thử,năm\nTrần Thị Thử,1\nTrần Thị Thử,2\n');
  const table = '{ file: people.csv, schema: { patient: { type: string, privacy: direct }, beds: int } }';
  const { diagnostics } = load(`  a: { join: { from: visits, table: ${table}, on: patient } }`);
  const told = diagnostics.map(({ message }) => message).join('\n');
  expect(told).toContain('line 2: beds is •••, which is no int');
  expect(told).toContain('line 4 has the key ••• a second time');
  expect(told).not.toMatch(/Thử|năm/);
});
