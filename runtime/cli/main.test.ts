import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTopology } from '../topology/load.ts';
import { goodTopology, testCatalogue, testEnvironment } from '../topology/test-catalogue.ts';
import { main } from './main.ts';

const program = fileURLToPath(new URL('../../bin/mach.js', import.meta.url));
let folder: string;
let good: string;
let bad: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mach-cli-'));
  good = join(folder, 'good.yaml');
  bad = join(folder, 'bad.yaml');
  writeFileSync(good, goodTopology);
  writeFileSync(bad, goodTopology.replace('from: waiting', 'from: wating').replace('listen: 2575', 'listen: x'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a command line in this process, with the small catalogue. */
async function mach(...argv: string[]) {
  const read = (stream: PassThrough) => (stream.read() as Buffer | null)?.toString() ?? '';
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const code = await main(argv, {
    version: '1.2.3',
    env: testEnvironment,
    stdout,
    stderr,
    loadCatalogue: async () => ({
      catalogue: testCatalogue,
      errorLists: [{ MACH9901: { message: 'm {x}', help: 'h' } }],
    }),
  });
  return { code, out: read(stdout), err: read(stderr) };
}

describe('mach check', () => {
  it('says that a good file is right', async () => {
    const { code, out } = await mach('check', good);
    expect({ code, out }).toEqual({
      code: 0,
      out: `${good}: waiting-rooms is right: 2 sources, 4 operators, 2 sinks\n`,
    });
  });

  it('prints every problem of every file, one a line, and ends with 1', async () => {
    const { code, out } = await mach('check', bad, good, join(folder, 'absent.yaml'));
    expect(code).toBe(1);
    expect(out).toContain(`MACH1018 ${bad}:8:23  option listen: "x" is not a whole number\n`);
    expect(out).toContain(
      `MACH1105 ${bad}:23:13  operator "per_hospital" reads "wating", which is not defined. Did you mean waiting (line 16)?\n`,
    );
    expect(out).toContain(`MACH1001 ${join(folder, 'absent.yaml')}:1:1`);
    expect(out).toContain(`${good}: waiting-rooms is right`);
  });

  it('prints JSON for scripts', async () => {
    const { code, out } = await mach('check', '--json', bad);
    expect(code).toBe(1);
    const { errors, warnings } = JSON.parse(out);
    expect(errors.map((error: object) => Object.keys(error))).toEqual(
      errors.map(() => ['code', 'file', 'line', 'column', 'message', 'suggestion']),
    );
    expect(errors[0]).toMatchObject({ code: 'MACH1018', file: bad, line: 8, column: 23, suggestion: null });
    expect(warnings).toEqual([]);
    expect(JSON.parse((await mach('check', '--json', good)).out)).toEqual({ errors: [], warnings: [] });
  });

  it('takes every topology of a folder and its folders', async () => {
    const all = join(folder, 'all');
    for (const part of ['', 'more', '.hidden', join('node_modules', 'one')]) {
      mkdirSync(join(all, part), { recursive: true });
      writeFileSync(join(all, part, 'good.yml'), goodTopology);
    }
    writeFileSync(join(all, 'good.test.yaml'), 'no topology');
    writeFileSync(join(all, 'schema.yaml'), 'fields: {}\n');
    // As folders are that are mounted into a container.
    symlinkSync(join('.hidden', 'good.yml'), join(all, 'linked.yaml'));
    symlinkSync('.', join(all, 'around.yaml'));
    const { code, out } = await mach('check', all);
    expect({ code, files: out.split('\n').map((line) => line.split(': ')[0]) }).toEqual({
      code: 0,
      files: [join(all, 'good.yml'), join(all, 'linked.yaml'), join(all, 'more', 'good.yml'), ''],
    });
    symlinkSync('nowhere', join(all, 'more', 'lost.yaml'));
    expect((await mach('check', all)).out).toContain('lost.yaml:1:1  the file cannot be read: it does not exist');
    mkdirSync(join(all, 'empty'));
    expect(await mach('check', join(all, 'empty'))).toMatchObject({
      code: 2,
      err: expect.stringContaining('a folder without topology files'),
    });
  });

  it('passes test files over', async () => {
    expect(await mach('check', join(folder, 'good.test.yaml'))).toEqual({
      code: 0,
      out: 'Only files of tests: mach test runs them.\n',
      err: '',
    });
  });
});

describe('mach graph and explain', () => {
  it('print the topology', async () => {
    expect((await mach('graph', good)).out).toMatch(/^flowchart LR\n/);
    expect((await mach('graph', '--format', 'dot', good)).out).toMatch(/^digraph "waiting-rooms" \{/);
    expect(JSON.parse((await mach('graph', '--format', 'json', good)).out)).toMatchObject({ name: 'waiting-rooms' });
    expect((await mach('explain', good)).out).toContain('stage s1, 1 partition');
    const plan = JSON.parse((await mach('explain', '--json', '--partitions', '2', good)).out);
    expect(plan.stages[0]).toMatchObject({ partitions: 2 });
  });

  it('end with 1 and the reasons when the file is wrong', async () => {
    const { code, out, err } = await mach('explain', bad);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('MACH1105');
    expect(err).toContain('Nothing was started.');
  });

  it('end with 2 when an option is wrong', async () => {
    expect(await mach('graph', '--format', 'svg', good)).toMatchObject({
      code: 2,
      err: expect.stringContaining('mermaid, dot, json'),
    });
    expect(await mach('explain', '--partitions', 'x', good)).toMatchObject({
      code: 2,
      err: expect.stringContaining('a whole number from 1 to 64'),
    });
  });
});

describe('mach list, schema, help', () => {
  it('list what there is', async () => {
    const { out } = await mach('list');
    for (const name of ['visits', 'filter', 'table']) expect(out).toContain(`  ${name} `);
    expect(JSON.parse((await mach('list', '--json')).out)).toHaveLength(8);
    expect((await mach('list', 'visits')).out).toContain('listen  whole number, required: port to listen on');
    expect(await mach('list', 'fliter')).toMatchObject({
      code: 2,
      err: expect.stringContaining('Did you mean filter?'),
    });
  });

  it('print a JSON Schema', async () => {
    expect(JSON.parse((await mach('schema')).out)).toMatchObject({ title: 'Mach topology' });
    const file = join(folder, 'schema.json');
    expect((await mach('schema', '-o', file)).code).toBe(0);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ type: 'object' });
  });

  it('say the default of an option once', async () => {
    const { out } = await mach('help');
    const names = [...out.matchAll(/^ {2}([a-z][a-z-]+)/gm)].map(([, name = '']) => name);
    expect(names).toEqual(expect.arrayContaining(['run', 'check', 'why', 'replay']));
    for (const name of names) {
      const help = (await mach(name, '--help')).out.replace(/\n {10,}/g, ' ');
      const twice = help.split('\n').filter((line) => (line.match(/\(default/g) ?? []).length > 1);
      expect({ name, twice }).toEqual({ name, twice: [] });
    }
  });

  it('explain codes and commands', async () => {
    expect((await mach('help', 'MACH1107')).out).toContain('Events flow in one direction');
    expect((await mach('help', '9901')).out).toContain('MACH9901  m <x>\n');
    const lost = await mach('help', 'MACH3263');
    expect(lost.out).toContain('MACH3263  message <sequence>, handled again, does not give this row\n');
    expect((await mach('help', 'check')).out).toContain('Usage: mach check');
    expect((await mach('help')).out).toContain('Exit codes:');
    expect(await mach('help', 'MACH9999')).toMatchObject({ code: 2 });
    expect(await mach('help', 'filter')).toMatchObject({ code: 2, err: expect.stringContaining('`mach list filter`') });
    expect(await mach('help', 'chekc')).toMatchObject({ code: 2, err: expect.stringContaining('Did you mean check?') });
  });
});

describe('mach init', () => {
  it.each([
    ['visits', '->', 'filter', '->', 'table'],
    ['visits -> count -> table'],
    ['visits', 'map', 'table'],
    ['beds', 'table'],
    ['visits', 'filter', 'filter', 'union', 'join', 'table'],
  ])('writes a topology that is right: %s %s %s', async (...words) => {
    const file = join(folder, `${words.join('').replace(/[^a-z]+/g, '-')}.yaml`);
    const { code, err } = await mach('init', ...words, '--stdout');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const { out } = await mach('init', ...words, '--stdout', '--file', file);
    writeFileSync(file, out);
    const { diagnostics } = loadTopology(file, { catalogue: testCatalogue, env: {} });
    const needed = diagnostics.filter(({ code: problem }) => problem !== 'MACH1016');
    expect(needed).toEqual([]);
    expect(out).toMatch(/^# yaml-language-server: \$schema=/);
  });

  it('says why it cannot', async () => {
    expect(await mach('init', 'visits')).toMatchObject({
      code: 2,
      err: expect.stringContaining('at least a source and a sink'),
    });
    expect(await mach('init', 'visits', 'flter', 'table')).toMatchObject({
      code: 2,
      err: expect.stringContaining('did you mean filter?'),
    });
    expect(await mach('init', 'visits', '-', '-')).toMatchObject({
      code: 2,
      err: expect.stringContaining('arrows need quotes in a shell'),
    });
    expect(await mach('init', 'beds', 'table', '--file', good)).toMatchObject({
      code: 2,
      err: expect.stringContaining('it exists already'),
    });
  });
});

describe('the command line', () => {
  it('shows its help, its version, and what was probably meant', async () => {
    expect(await mach('--help')).toMatchObject({
      code: 0,
      out: expect.stringContaining('Write and check topologies:'),
    });
    expect(await mach('--version')).toMatchObject({ code: 0, out: '1.2.3\n' });
    expect(await mach()).toMatchObject({ code: 2, out: '' });
    expect(await mach('chek')).toMatchObject({ code: 2, err: expect.stringContaining('Did you mean check?') });
    expect(await mach('check')).toMatchObject({ code: 2, err: expect.stringContaining('missing required argument') });
    expect(await mach('check', '--conect', good)).toMatchObject({
      code: 2,
      err: expect.stringContaining('Did you mean --connect?'),
    });
  });

  it('is a program: exit codes, and a reader that stops early is no failure', async () => {
    const run = (...argv: string[]) =>
      spawn(process.execPath, [program, ...argv], { stdio: ['ignore', 'pipe', 'ignore'] });
    const ended = (child: ReturnType<typeof run>) => new Promise((resolve) => child.on('close', resolve));
    expect(await ended(run('check', bad))).toBe(1);
    expect(await ended(run('nonsense'))).toBe(2);
    const schema = run('list', '--json');
    schema.stdout.destroy();
    expect(await ended(schema)).toBe(0);
  });
});
