/** `mach why --open` of keys of windows. */
import { expect, it } from 'vitest';
import { catalogue } from '../catalogue.ts';
import { StageMachine } from '../runtime/execution/stage-machine.ts';
import { describeOpenKey, describeOpenReport } from '../runtime/execution/why/open-key.ts';
import { viewOfSnapshot } from '../runtime/execution/why/snapshot-view.ts';
import { loadTopology } from '../runtime/topology/index.ts';

const minute = 60_000;

/** A stage that has seen one bed of ward 3 of a hospital at each of these times. Asks it, or a checkpoint of it. */
function open(window: string, times: readonly number[], { more = '', hospital = 'H1' } = {}) {
  const text = `version: 1
name: wards
sources:
  beds:
    file-drop: { folder: ./beds, format: csv, schema: { hospital: string, ward: int, at: timestamp }, time: at }
operators:
  free:
    aggregate: { from: beds, key: [hospital, ward], window: { ${window} }, values: { n: count() }${more} }
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
  return (key: string, isCheckpoint = false) =>
    describeOpenKey({
      topology,
      node: 'free',
      key,
      stages: [isCheckpoint ? viewOfSnapshot(machine.snapshot()) : machine.view()],
      asOf: { kind: 'engine', at: null, name: null },
      now: undefined,
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
    const report = await ask('H1,3', isCheckpoint);
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
