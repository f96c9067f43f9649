/** What points at a person keeps its tag through every operator, and stands in no message. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { catalogue } from '../catalogue.ts';
import { compileRowSchema, parseRow } from '../connectors/file-drop/row-schema.ts';
import { compileExpression } from '../runtime/expression/index.ts';
import { type FieldType, type Schema, withTagsOfAll } from '../runtime/stream/index.ts';
import { loadTopology } from '../runtime/topology/index.ts';
import { operatorPorts } from '../runtime/topology/ports.ts';

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

it('refuses the path of a file or a subject that names a person', () => {
  const refused = (sink: string) =>
    load('  a: { filter: { from: visits, when: true } }', { sinks: `rows: ${sink}` }).diagnostics.map(
      ({ message }) => message,
    );
  for (const [sink, option] of [
    [`{ file: { from: a, folder: out, path: '{patient}' } }`, 'path'],
    [`{ nats: { from: a, url: 'nats://127.0.0.1:4222', subject: 'rows.{patient}' } }`, 'subject'],
  ] as const)
    expect(refused(sink).join('\n')).toContain(`patient names a person, and a ${option} is seen by more people`);
  expect(refused(`{ file: { from: a, folder: out, path: '{hospital}' } }`)).toEqual(['nothing reads source "others"']);
  expect(refused(`{ nats: { from: a, url: 'nats://127.0.0.1:4222', subject: 'rows.{hospital}' } }`)).toHaveLength(1);
});

it('tags the reason and the id of an alert by what the records that they tell hold', () => {
  const pattern = `  found: { pattern: { from: visits, key: hospital, within: 1h, steps: [{ name: a, when: true }], values: { who: a.first } } }`;
  const seen = '  node: { alert: { from: found, key: hospital, raise: who != null } }';
  expect(tagsOf(`${pattern}\n${seen}`, 'node')).toMatchObject({ reason: 'direct', alert_id: undefined });
});

it('keeps what a record holds tagged where it is put together with another value', () => {
  const who: FieldType = {
    kind: 'record',
    fields: { patient: { type: { kind: 'string' }, privacy: 'direct' }, hospital: { type: { kind: 'string' } } },
  };
  const input: Schema = { fields: { who: { type: who }, raw: { type: { kind: 'json' } } } };
  const tagOfText = (text: string) => {
    const compiled = compileExpression(text, input);
    if (!compiled.ok) throw new Error(compiled.problems.map(({ message }) => message).join('\n'));
    return compiled.privacy;
  };
  const plain = '{"patient": "", "hospital": ""}';
  for (const text of [
    `(raw == null ? ${plain} : who).patient`,
    `[${plain}, who][1].patient`,
    `coalesce(${plain}, who).patient`,
    'true ? raw : who',
    '[raw, who][1].patient',
    'string(coalesce(raw, who))',
  ])
    expect(tagOfText(text), text).toBe('direct');
  expect(tagOfText(`coalesce(${plain}, who).hospital`)).toBeUndefined();
});

it('tags a record by what any of the inputs tags in it', () => {
  const whoOf = (privacy: object): Schema => ({
    fields: { who: { type: { kind: 'record', fields: { patient: { type: { kind: 'string' }, ...privacy } } } } },
  });
  const [plain, tagged] = [whoOf({}), whoOf({ privacy: 'direct' })];
  expect(withTagsOfAll([plain, tagged]).fields.who?.privacy).toBe('direct');
  expect(withTagsOfAll([tagged, tagged])).toBe(tagged);
});

it('tags a dead letter by what the records of any of the inputs tag', () => {
  const who: FieldType = { kind: 'record', fields: { patient: { type: { kind: 'string' }, privacy: 'direct' } } };
  const left: Schema = { fields: { who: { type: who } } };
  const right: Schema = { fields: { who: { type: { kind: 'json' } } } };
  const bound = { ports: {}, create: () => ({ event() {} }) };
  const inputs = { left: { from: 'a', schema: left }, right: { from: 'b', schema: right } };
  expect(operatorPorts(bound, inputs).dead?.fields.who).toEqual({ type: { kind: 'json' }, privacy: 'direct' });
});
