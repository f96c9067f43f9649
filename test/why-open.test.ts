/** `mach why --open`: of keys of windows and of what has none, and what it says of who keeps them waiting. */
import { expect, it } from 'vitest';
import { catalogue } from '../catalogue.ts';
import { StageMachine } from '../runtime/execution/stage-machine.ts';
import { describeOpenKey, describeOpenReport } from '../runtime/execution/why/open-key.ts';
import { viewOfSnapshot } from '../runtime/execution/why/snapshot-view.ts';
import { startObserveServer } from '../runtime/observe/http-server.ts';
import { openLab } from '../runtime/testing/engine-lab.ts';
import { loadTopology } from '../runtime/topology/index.ts';
import { runMach } from './run-mach.ts';

const minute = 60_000;

/** A stage that has seen one bed of ward 3 of a hospital at each of these times. Asks it, or a checkpoint of it. */
function open(window: string, times: readonly number[], { more = '', hospital = 'H1', isSilent = false } = {}) {
  const text = `version: 1
name: wards
sources:
  beds:
    file-drop: { folder: ./beds, format: csv, schema: { hospital: string, ward: int, at: timestamp }, time: at }
operators:
  free:
    aggregate: { from: beds, key: [hospital, ward], window: { ${window} }, values: { n: count() }${more} }
  all_beds:
    aggregate: { from: beds, key: hospital, window: { ${window} }, values: { n: count() } }
  together:
    aggregate: { from: beds, window: { ${window} }, values: { n: count() } }
  full:
    alert: { from: beds, key: hospital, raise: ward > 3 }
  third:
    filter: { from: beds, when: ward == 3 }
sinks:
  rows:
    discard: { from: free }
`;
  const readFile = () => new TextEncoder().encode(text);
  const { topology } = loadTopology('wards.yaml', { catalogue, env: {}, readFile });
  if (!topology) throw new Error('the topology does not load');
  const machine = new StageMachine(topology, { rows() {}, question() {} });
  machine.handle(1, 'beds', {
    kind: 'source',
    acceptedAt: 1,
    segments: [{ origin: 'beds', events: times.length }],
    deadLetters: [],
    events: times.map((at) => ({ hospital, ward: 3, at })),
    times,
  });
  const silence = { idle: [{ origin: 'beds', elapsedMs: minute }], closed: [] };
  if (isSilent) machine.handle(2, 'beds', { kind: 'silence', ...silence });
  return (key: string, { isCheckpoint = false, node = 'free' } = {}) =>
    describeOpenKey({
      topology,
      node,
      key,
      stages: [isCheckpoint ? viewOfSnapshot(machine.snapshot()) : machine.view()],
      asOf: { kind: isCheckpoint ? 'checkpoint' : 'engine', at: null, name: null },
      now: isCheckpoint ? undefined : 2 * 60 * minute,
      lastWord: async () => undefined,
    });
}

it('of a key with one value in place of two says how keys are written', async () => {
  const ask = open('tumbling: 1h', [minute]);
  expect(await ask('H1,3')).toMatchObject({ known: true, note: null });
  expect(await ask('H1, 4')).toMatchObject({
    known: false,
    note: expect.stringContaining('keeps nothing for this key'),
  });
  const wrong = { code: 'MACH3266', message: expect.stringContaining('has 2 values') };
  await expect(ask('H1')).rejects.toMatchObject(wrong);
  await expect(ask('H1,3,5')).rejects.toMatchObject(wrong);
  const other = open('tumbling: 1h', [minute], { hospital: 'H1, tầng 2' });
  await expect(other('H1, tầng 2,3')).rejects.toMatchObject(wrong);
  expect(await other('["H1, tầng 2", 3]')).toMatchObject({ known: true });
  const broken = { code: 'MACH3267', message: expect.stringContaining('["H1", 3 is no list of JSON') };
  await expect(ask('["H1", 3')).rejects.toMatchObject(broken);
});

it('of a key of one field takes a text as it stands, and a list by its values', async () => {
  const ask = open('tumbling: 1h', [minute], { hospital: 'H1, tầng 2' });
  const full = { node: 'full' };
  expect(await ask('H1, tầng 2', full)).toMatchObject({ note: null });
  expect(await ask('["H1, tầng 2"]', full)).toMatchObject({ note: null });
  expect(await ask('H1,H2', full)).toMatchObject({ known: false });
  const wrong = { code: 'MACH3266', message: expect.stringContaining('has 1 value (hospital), not 2') };
  await expect(ask('["H1", "H2"]', full)).rejects.toMatchObject(wrong);
});

it.each([
  ['null', 'null,3'],
  ['null', '["null", 3]'],
  ['ward=1', 'ward=1,3'],
  ['-1', 'ward=3,hospital=-1'],
])('finds the key of the hospital %s, asked for as %s', async (hospital, key) => {
  expect(await open('tumbling: 1h', [minute], { hospital })(key)).toMatchObject({ known: true });
});

it.each([
  ['tumbling: 1h', [10, 20], [['window', 60]]],
  // What is there has been given at minute 14.
  ['tumbling: 1h, early: 7m', [10, 20], [['window', 60]]],
  [
    'sliding: 1h, every: 10m, early: 25m',
    [22],
    [
      ['early result', 25],
      ['window', 30],
    ],
  ],
  ['sliding: 1h, every: 10m', [15], [['window', 20]]],
  // Its time is past the first windows that hold the event.
  ['sliding: 1h, every: 10m', [15, 45], [['window', 50]]],
  ['sliding: 1h, every: 10m, lateness: 30m', [15, 45], [['window', 50]]],
  ['session: 20m', [10, 15], [['session', 35]]],
  ['session: 20m', [15, 90, 60], [['session', 110]]],
  ['session: 20m, lateness: 10m', [10, 15], [['session', 35]]],
  [
    'session: 20m, early: 7m',
    [15],
    [
      ['early result', 21],
      ['session', 35],
    ],
  ],
  ['global: true, early: 1h', [10, 20], [['result', 60]]],
] as const)('of windows with %s and beds at minutes %j says when the next results come', async (window, at, due) => {
  const ask = open(
    window,
    at.map((time) => time * minute),
  );
  for (const isCheckpoint of [false, true]) {
    const report = await ask('H1,3', { isCheckpoint });
    expect(report.windows).toEqual(
      due.map(([name, time]) => ({
        name,
        due: new Date(time * minute).toISOString(),
        missing_ms: time * minute - Date.parse(String(report.watermark)),
      })),
    );
    for (const [name] of due)
      expect(describeOpenReport(report)).toContainEqual(
        expect.stringMatching(`^  its next ${name} waits for 1970-01-01T`),
      );
  }
});

it('says since when a window has the key, and of a total when it was changed last', async () => {
  const times = [10 * minute, 20 * minute];
  const [first, last] = times.map((time) => new Date(time).toISOString());
  const window = await open('tumbling: 1h', times)('H1,3');
  expect(window.state).toMatchObject([{ state: 'groups', changed: null, since: first }]);
  expect(describeOpenReport(window).join('\n')).toContain(`state groups, there since ${first}: `);
  const total = await open('global: true, early: 1h', times)('H1,3');
  expect(total.state).toMatchObject([{ state: 'totals', changed: last, since: null }]);
  const best = await open('tumbling: 1h', times, { more: ', best: { by: n }' })('H1,3');
  expect(best.state).toMatchObject([{ state: 'keys', changed: null, since: first }]);
});

it('shows the values of the key that was asked for', async () => {
  const { state } = await open('tumbling: 1h', [minute])('H1,3');
  expect(JSON.stringify(state[0]?.value)).toContain('"key":["H1",3]');
});

it.each(['hospital=H1,ward=3', 'ward=3,hospital=H1', 'ward = 3, hospital = H1'])(
  'takes a key with the names of its fields: %s',
  async (key) => {
    const ask = open('tumbling: 1h', [minute]);
    const { state } = await ask('H1,3');
    expect(await ask(key)).toMatchObject({ known: true, note: null, state });
    expect(await ask(key.replace('3', '4'))).toMatchObject({ known: false });
  },
);

it.each([
  ['hospitl=H1,ward=3', 'it has no hospitl; did you mean hospital?'],
  ['bed=H1,ward=3', 'it has no bed'],
  ['hospital=H1', 'ward is missing'],
  ['hospital=H1,hospital=H1', 'hospital stands there twice'],
  ['hospital=H1,3', '"3" has no name'],
])('of a key with wrong names says what its fields are: %s', async (key, reason) => {
  const message = `a key of free has the fields hospital, ward: ${reason}`;
  await expect(open('tumbling: 1h', [minute])(key)).rejects.toMatchObject({ code: 'MACH3267', message });
});

it('takes the name of the only field too, and a value that has an equals sign', async () => {
  const node = 'all_beds';
  expect(await open('tumbling: 1h', [minute])('hospital=H1', { node })).toMatchObject({ known: true });
  const ask = open('tumbling: 1h', [minute], { hospital: 'a=b' });
  for (const key of ['a=b', 'hospital=a=b', '["a=b"]']) expect(await ask(key, { node })).toMatchObject({ known: true });
  await expect(ask('a=c', { node })).rejects.toMatchObject({ code: 'MACH3267' });
  expect(await ask('["a=c"]', { node })).toMatchObject({ known: false });
});

it('takes an empty text where all is kept together', async () => {
  expect(await open('tumbling: 1h', [minute])('', { node: 'together' })).toMatchObject({ known: true, note: null });
});

it.each([
  ['free', 'H9,3', 'the node keeps nothing for this key: no window of it is open'],
  ['full', 'H9', 'the node keeps nothing for this key: none of its events has come, or nothing is left to wait for'],
  ['third', 'H1', 'the node keeps nothing for any key: what comes in goes on at once'],
])('of %s, which keeps nothing for %s, says what is true of such an operator', async (node, key, note) => {
  expect(await open('tumbling: 1h', [minute])(key, { node })).toMatchObject({ known: false, note });
});

it('where all senders are silent says that nobody holds it, and of a checkpoint that no engine runs', async () => {
  const ask = open('tumbling: 1h', [minute], { isSilent: true });
  const report = await ask('H1,3');
  expect(report).toMatchObject({ inputs: [{ idle: true, holds: false }], holding: { idle: true } });
  const ofEngine = describeOpenReport(report).join('\n');
  expect(ofEngine).toContain('(silent, holds nobody)');
  expect(ofEngine).toContain('all of beds (beds) are silent; furthest behind is beds, at 1970-');
  expect(ofEngine).toMatch(/nobody holds it: time goes on with the clock$/);
  const ofCheckpoint = describeOpenReport(await ask('H1,3', { isCheckpoint: true })).join('\n');
  expect(ofCheckpoint).toMatch(/nobody holds it: time goes on with the clock once an engine runs$/);
  for (const text of [ofEngine, ofCheckpoint]) expect(text).not.toMatch(/<- holds it|held by|nothing moves/);
  const heard = describeOpenReport(await open('tumbling: 1h', [minute])('H1,3')).join('\n');
  expect(heard).toContain('<- holds it');
  expect(heard).toContain('held by beds of beds');
});

it('is answered by a running engine with errors that end as all do, and asks for a key', async () => {
  const topology = `
version: 1
name: lab
sources: { calls: { pulses: {} } }
operators: { order: { numbered: { from: calls } } }
sinks: { rows: { collect: { from: order } } }
`;
  const lab = openLab({ topology });
  const { engine } = await lab.start();
  if (!engine) throw new Error('the engine has not started');
  const server = await startObserveServer({ engine, clock: lab.clock });
  try {
    const ask = (...words: string[]) => runMach(['why', '--open', ...words, '--url', server.url], {});
    const { code, errors } = await ask('ordr', 'H1');
    expect({ code, errors: errors.trim() }).toEqual({
      code: 2,
      errors: 'MACH3264  there is no node ordr in lab; did you mean order?\nmach help MACH3264 tells more.',
    });
    const without = await ask('order');
    expect(without.code).toBe(2);
    expect(without.errors).toContain('which key of order? --open wants a node and a key: mach why --open order KEY');
  } finally {
    await server.close();
  }
});
