/** Who asks `mach why` by what points at a person has to say why, and is written down: also where there is nothing to be found. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type EngineProcess, startEngineProcess } from './engine-process.ts';
import { runMach } from './run-mach.ts';

const topology = `version: 1
name: visits
sources:
  rows:
    file-drop:
      folder: inbox
      format: csv
      schema:
        patient: { type: string, privacy: direct }
        hospital: string
        at: timestamp
      time: at
      settle: 50ms
      scan: 100ms
operators:
  by_patient:
    aggregate: { from: rows, key: patient, window: { tumbling: 1h }, values: { visits: count() } }
  by_hospital:
    aggregate: { from: rows, key: hospital, window: { tumbling: 1h }, values: { visits: count() } }
  once:
    dedupe: { from: rows, by: lower(patient), within: 1d }
  named:
    map: { from: rows, set: { label: upper(patient), is_one: 'patient != ""' } }
  seen:
    alert: { from: rows, key: patient, raise: hospital == "H1" }
sinks:
  visits: { discard: { from: rows } }
  labels: { discard: { from: named } }
  alerts: { discard: { from: seen } }
`;

const name = 'Nguyễn Văn Thử';
const reason = ['--reason', 'hồ sơ thử 12/2026'];

let directory: string;
let data: string;
let file: string;
let engine: EngineProcess | undefined;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mach-why-personal-'));
  data = join(directory, 'data');
  file = join(directory, 'visits.yaml');
  await mkdir(join(directory, 'inbox'));
  await writeFile(file, topology);
  engine = await startEngineProcess([file, '--data', data], {});
  await writeFile(join(directory, 'visits.csv'), `patient,hospital,at\n${name},H1,2026-03-02T07:10:00+07:00\n`);
  await rename(join(directory, 'visits.csv'), join(directory, 'inbox', 'visits.csv'));
  await untilKnown('by_hospital', 'H1');
});

afterAll(async () => {
  await engine?.kill();
  await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
});

async function untilKnown(node: string, key: string): Promise<void> {
  const deadline = AbortSignal.timeout(60_000);
  while ((await mach('--open', node, key)).code !== 0) {
    if (deadline.aborted) throw new Error('the row has not come within a minute');
    await sleep(100);
  }
}

const mach = (...words: string[]) => runMach(['why', ...words, '--data', data], {});

async function audited(): Promise<readonly unknown[]> {
  const path = join(data, 'audit.ndjson');
  if (!existsSync(path)) return [];
  return (await readFile(path, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

it('refuses to look for rows of a person without a reason, whether there are some or not', async () => {
  for (const who of [name, 'Trần Thị Thử']) {
    const { code, errors, output } = await mach('visits', `hospital=H1,patient=${who}`);
    expect({ code, errors, output }).toEqual({
      code: 2,
      errors: expect.stringContaining('MACH1663  patient: '),
      output: '',
    });
  }
  expect(await audited()).toEqual([]);
  expect((await mach('visits', 'hospital=H1')).output).toContain('patient •••');
});

it('looks for them with a reason, which is written down first, and still hides them', async () => {
  const found = await mach('visits', `patient=${name}`, ...reason);
  expect(found.code, found.errors).toBe(0);
  expect(found.errors).toContain('that you asked is written in audit.ndjson');
  expect(found.output).toContain('patient •••');
  expect(found.output).toContain('place at the sender: file visits.csv, line 2\n');
  expect(found.output).not.toContain(name);
  const none = await mach('visits', 'patient=Trần Thị Thử', ...reason);
  expect(none.errors).toContain('MACH3261');
  const entry = { action: 'why', topology: 'visits', asked_by: ['patient'], reason: reason[1] };
  expect(await audited()).toMatchObject([entry, { ...entry, result: 'visits patient=Trần Thị Thử' }]);
});

it('refuses to say what is open for a person without a reason, of a running engine and of a checkpoint', async () => {
  const before = (await audited()).length;
  const ask = async (isRunning: boolean) => {
    for (const who of [name, 'Trần Thị Thử']) {
      const refused = await mach('--open', 'by_patient', who);
      expect({ code: refused.code, output: refused.output }).toEqual({ code: 2, output: '' });
      expect(refused.errors).toContain('MACH3268  a key of by_patient has patient: ');
    }
    const told = await mach('--open', 'by_patient', name, ...reason);
    expect(told.code, told.errors).toBe(0);
    expect(told.output).toContain(isRunning ? 'from the running engine' : 'from the checkpoint');
    expect((await mach('--open', 'by_patient', 'Trần Thị Thử', ...reason)).output).toContain('keeps nothing');
    // Of what points at nobody nothing is written down.
    expect((await mach('--open', 'by_hospital', 'H1', ...reason)).code).toBe(0);
  };
  await ask(true);
  // An identity that is computed of a person names one as well.
  expect((await mach('--open', 'once', name.toLowerCase())).errors).toContain('MACH3268  a key of once has patient: ');
  const { observeUrl } = engine as EngineProcess;
  for (const node of ['by_patient', 'once'])
    expect(await (await fetch(`${observeUrl}/keys?node=${node}`)).json()).toEqual({ keys: [] });
  // A reason alone, or the id of what was written about another key, opens nothing: only what stands in the engine's own audit does.
  const written = (await audited()).at(-1) as { readonly id: string };
  const open = (query: Readonly<Record<string, string>>) => fetch(`${observeUrl}/why?${new URLSearchParams(query)}`);
  for (const other of [{ reason: 'x' }, { audit: 'x' }, { audit: written.id }])
    expect((await open({ node: 'by_patient', key: name, ...other })).status).toBe(404);
  expect((await open({ node: 'by_patient', key: 'Trần Thị Thử', audit: written.id })).status).toBe(200);
  expect(await engine?.stop()).toBe(0);
  engine = undefined;
  await ask(false);
  const entry = { action: 'why --open', topology: 'visits', node: 'by_patient', reason: reason[1] };
  const both = [
    { ...entry, key: name },
    { ...entry, key: 'Trần Thị Thử' },
  ];
  expect((await audited()).slice(before)).toMatchObject([...both, ...both]);
});

it('hides what expressions make of a person on the way to a row, but for the answers to questions', async () => {
  const { output } = await mach('labels', 'hospital=H1', '--no-verify');
  expect(output).toContain('set.label: upper(patient)  with patient •••  gives •••');
  expect(output).toContain('set.is_one: patient != ""  with patient •••  gives true');
});

it('takes the id of an alert over a person for a question about that person', async () => {
  const id = `seen/${encodeURIComponent(name)}/2026-03-02T00:10:00.000Z`;
  for (const asked of [[id], ['alerts', `alert_id=${id}`]]) {
    expect((await mach(...asked)).errors).toContain('MACH1663  alert_id: ');
    expect((await mach(...asked, ...reason, '--no-verify')).output).toContain('patient •••');
  }
});

it('refuses a file that tags less than the version that ran, and names one that is another', async () => {
  const untagged = join(directory, 'untagged.yaml');
  await writeFile(untagged, topology.replace(', privacy: direct', ''));
  for (const asked of [['visits', `patient=${name}`], ['visits']]) {
    const { code, output, errors } = await mach(...asked, '--topology', untagged);
    expect({ code, output }).toEqual({ code: 2, output: '' });
    expect(errors).toContain('no longer tags patient');
  }
  const changed = join(directory, 'changed.yaml');
  await writeFile(changed, topology.replaceAll('tumbling: 1h', 'tumbling: 2h'));
  const other = await mach('visits', '--topology', changed, '--no-verify');
  expect(other.code, other.errors).toBe(0);
  expect(other.errors).toMatch(/changed.yaml is not the version that was started last \([0-9a-f]{8}\)/);
  expect((await mach('visits', '--no-verify')).errors).not.toContain('started last');
});

it('takes few letters for no reason', async () => {
  for (const text of ['', '  ', '\u200b\u2800', 'a.b'])
    expect((await mach('visits', `patient=${name}`, '--reason', text)).errors).toContain('MACH1661');
});

it('says that options of rows mean nothing with --open', async () => {
  for (const option of [['--reveal', ...reason], ['--replayed'], ['--messages', '5']]) {
    const { code, errors } = await mach('--open', 'by_hospital', 'H1', ...option);
    expect({ code, errors }).toEqual({
      code: 2,
      errors: expect.stringContaining(`MACH1664  ${option[0]} means nothing`),
    });
  }
});
