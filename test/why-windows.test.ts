/** Why a row of a window or of a pattern is there: every event of it is named, however it is kept, and replayed alone they give it again; nothing is told of other windows. */
import { describe, expect, it } from 'vitest';
import { aggregate } from '../operators/aggregate/aggregate.ts';
import { pattern } from '../operators/pattern/pattern.ts';
import { memoryLog } from '../runtime/bus/memory/log.ts';
import { describeReport } from '../runtime/cli/why/print-report.ts';
import { openPast } from '../runtime/execution/replay/past.ts';
import { explainRow } from '../runtime/execution/why/explain.ts';
import { findResult, parseResult } from '../runtime/execution/why/find-result.ts';
import { reportOf, type WhyReport } from '../runtime/execution/why/report.ts';
import { type Lab, openLab } from '../runtime/testing/engine-lab.ts';
import { topologyNames } from '../runtime/topology/names.ts';

const names = topologyNames('lab');
const minuteMs = 60_000;
const begin = Date.UTC(2023, 10, 14, 8);

const topologyOf = (operator: string) => `version: 1
name: lab
sources:
  beats: { pulses: {}, disorder: 10s, idle: 30d }
operators:
  result: { ${operator} }
sinks:
  rows: { collect: { from: result } }
`;

/** `next`: minute of an event of the same key that is in its state and not part of the row. */
async function expectExplained(operator: string, next?: number): Promise<void> {
  const lab = openLab({ topology: topologyOf(operator), operators: [aggregate, pattern] });
  await run(lab, next);
  const report = await why(lab, ['hospital=H1', 'n=3']);
  expect(report.replay.verified).toBe(true);
  expect(JSON.stringify(report.steps)).not.toContain('"id":"b"');
  const named = report.messages.filter(({ kind }) => kind === 'message').map(({ place }) => place);
  expect(named).toEqual(expect.arrayContaining(['1/0', '3/0', '4/0']));
  const parts = report.messages.filter(({ role }) => role === 'cause').map(({ place }) => place);
  expect(parts).toEqual(['1/0', '3/0', '4/0']);
}

async function run(lab: Lab, next: number | undefined): Promise<void> {
  const process = await lab.start();
  const send = (id: string, hospital: string, minute: number) =>
    lab.drive(
      process.source('beats').append({
        origin: 'H1',
        events: [{ event: { id, hospital, value: minute, patient: null }, time: begin + minute * minuteMs }],
      }),
    );
  // A message each.
  await send('a', 'H1', 1);
  await send('b', 'H2', 1.5);
  await send('c', 'H1', 2);
  await send('d', 'H1', 3);
  if (next !== undefined) await send('f', 'H1', next);
  await send('e', 'H3', 70);
  await lab.settle(process);
}

/** Of one hospital and patient: the minutes of each message. */
async function runMessages(lab: Lab, messages: readonly (readonly number[])[]): Promise<void> {
  const process = await lab.start();
  for (const minutes of messages) {
    const events = minutes.map((minute) => ({
      event: { id: `at ${minute}`, hospital: 'H1', value: minute, patient: 'P1' },
      time: begin + minute * minuteMs,
    }));
    await lab.drive(process.source('beats').append({ origin: 'H1', events }));
  }
  await lab.settle(process);
}

async function why(
  lab: Lab,
  conditions: readonly string[],
  { messagesMax = 20, reveal = false } = {},
): Promise<WhyReport> {
  const log = memoryLog({ clock: lab.clock, storage: lab.storage });
  const { topology } = lab;
  const work = async () => {
    const past = await openPast({ log, topology, names, objects: await log.objects(names.checkpointBucket) });
    const { row, matched } = await findResult(log, topology, parseResult(topology, 'rows', conditions));
    expect(matched).toBe(1);
    return reportOf(await explainRow({ past, topology, messagesMax }, row), { past, topology, reveal });
  };
  return lab.drive(work());
}

const numbers = 'n: count(), most: max(value)';
const texts = 'n: count(), ids: distinct(id), last: last(id)';

describe.each([
  ['sessions of numbers', 'session: 3m', numbers],
  ['sessions of other values', 'session: 3m', texts],
  ['sessions with a lateness', 'session: 3m, lateness: 5m', numbers],
  ['sessions with early results', 'session: 3m, early: 2h', numbers],
  ['tumbling windows of numbers', 'tumbling: 10m', numbers],
  ['tumbling windows of other values', 'tumbling: 10m', texts],
  ['tumbling windows with a lateness', 'tumbling: 10m, lateness: 5m', numbers],
  ['the best of tumbling windows', 'tumbling: 10m', 'n: count()', ', best: { by: n, rows: 1 }'],
  ['sliding windows of totals', 'sliding: 10m, every: 10m', 'n: count(), sum: sum(value)'],
  ['one window of numbers', 'global: true, early: 1h', numbers],
  ['one window of other values', 'global: true, early: 1h', texts],
  ['one window that forgets', 'global: true, early: 1h, forget: 9999h', numbers],
])('why a row of %s is there', (_, window, values, more = '') => {
  const operator = `aggregate: { from: beats, key: hospital, window: { ${window} }, values: { ${values} }${more} }`;

  it('names each event of its key, and none of another', () => expectExplained(operator));

  if (!window.startsWith('global'))
    it('names no event of another window of its key', () => expectExplained(operator, 10.1));
});

it('why a match of a pattern is there: each of its events is named', () =>
  expectExplained(
    'pattern: { from: beats, key: hospital, steps: [{ name: a, when: value == 1 }, { name: b, when: value == 2 }, { name: c, when: value == 3 }], values: { n: c.last.value } }',
  ));

it('why a row is among the best: by what they are chosen', async () => {
  const best = 'best: { by: n, rows: 2 }';
  const operator = `aggregate: { from: beats, key: hospital, window: { tumbling: 10m }, values: { n: count() }, ${best} }`;
  const lab = openLab({ topology: topologyOf(operator), operators: [aggregate, pattern] });
  await runMessages(lab, [[1], [2], [40]]);
  const report = await why(lab, ['n=2']);
  const conditions = report.steps.flatMap((step) => step.conditions.map(({ option, text }) => [option, text]));
  expect(conditions).toEqual(
    expect.arrayContaining([
      ['best.by', 'n'],
      ['best.rows', '2'],
    ]),
  );
});

it('why a session is taken back: each event of the longer one, whose values it has', async () => {
  const operator = `aggregate: { from: beats, key: hospital, window: { session: 3m, lateness: 30m }, values: { ${numbers} } }`;
  const lab = openLab({ topology: topologyOf(operator), operators: [aggregate, pattern] });
  // The sixth joins the sessions of the first two and of the two behind.
  await runMessages(lab, [[1], [2], [7], [8], [20], [4.5], [21], [40]]);
  const taken = new Date(begin + minuteMs).toISOString();
  const report = await why(lab, ['withdrawn=true', `window_start=${taken}`]);
  expect(report.replay).toMatchObject({ verified: true });
  const parts = report.messages.filter(({ role }) => role === 'cause').map(({ place }) => place);
  expect(parts).toEqual(expect.arrayContaining(['1/0', '2/0', '3/0', '4/0', '6/0']));
});

describe.each([
  ['sessions of numbers', 'session: 3m', numbers],
  ['sessions of other values', 'session: 3m', texts],
  ['sessions with a lateness', 'session: 3m, lateness: 5m', numbers],
  ['tumbling windows of numbers', 'tumbling: 10m', numbers],
  ['tumbling windows of other values', 'tumbling: 10m', texts],
  ['tumbling windows with a lateness', 'tumbling: 10m, lateness: 5m', numbers],
  ['the best of tumbling windows', 'tumbling: 10m', 'n: count(value > 0)', ', best: { by: n, rows: 1 }'],
  ['sliding windows of totals', 'sliding: 10m, every: 5m', 'n: count(), sum: sum(value)'],
  ['sliding windows of numbers', 'sliding: 10m, every: 5m', numbers],
])('what is told of a row of %s', (_, window, values, more = '') => {
  const key = '[hospital, patient]';
  const operator = `aggregate: { from: beats, key: ${key}, window: { ${window} }, values: { ${values} }${more} }`;
  /** Three in the window from minute 10 on, between those of others. */
  const minutes = [1, 2, 11, 12, 13, 24, 25, 26, 27, 70];
  const start = `window_start=${new Date(begin + (window.startsWith('session') ? 11 : 10) * minuteMs).toISOString()}`;

  it.each([
    ['a message each', minutes.map((minute) => [minute])],
    [
      'some at once',
      [
        [1, 2, 11],
        [12, 13, 24, 25],
        [26, 27, 70],
      ],
    ],
    ['all at once', [minutes]],
  ])('is of its own window: %s', async (_, messages) => {
    const lab = openLab({ topology: topologyOf(operator), operators: [aggregate] });
    await runMessages(lab, messages);
    const report = await why(lab, [start]);
    expect(report.result.row.n).toBe(3);
    expect(report.began?.time).toBe(new Date(begin + 11 * minuteMs).toISOString());
    const [, step] = report.steps;
    const read = step?.conditions.flatMap((condition) => Object.values(condition.values)) ?? [];
    for (const value of read) expect([13, 'at 13']).toContain(value);
    const groups = step?.state.find(({ state }) => state === 'groups' || state === 'keys');
    expect(groups).toMatchObject({ changes: 3, key: { hospital: 'H1', patient: '•••' } });
    const told = JSON.stringify(report.steps.slice(1));
    for (const minute of [1, 2, 24, 25, 26, 27]) {
      expect(told).not.toContain(`"at ${minute}"`);
      expect(told).not.toContain(`"value":${minute},`);
    }
    // Of windows, and of panes and sessions in them.
    for (const [start] of told.matchAll(/(?<="start":")[^"]*/g)) {
      expect(Date.parse(start)).toBeGreaterThanOrEqual(begin + 10 * minuteMs);
      expect(Date.parse(start)).toBeLessThan(begin + 20 * minuteMs);
    }
    const isKept = messages.length === minutes.length && !more;
    if (isKept) expect(groups?.before).not.toBeNull();
    const lines = describeReport(report, { all: false }).map((line) => line.trim());
    if (messages.length === 1) expect(lines).toContain(`state ${groups?.state}[hospital H1, patient •••]`);
  });

  it('names the key by its fields, as it is where it is revealed', async () => {
    const lab = openLab({ topology: topologyOf(operator), operators: [aggregate] });
    await runMessages(lab, [minutes]);
    const text = describeReport(await why(lab, [start], { reveal: true }), { all: false }).join('\n');
    expect(text).toMatch(/state (groups|keys)\[hospital H1, patient P1]/);
    expect(text).not.toContain('\0');
  });
});

it('why an event is late: with what is kept of all windows', async () => {
  const window = 'tumbling: 10m, lateness: 1m';
  const operator = `aggregate: { from: beats, key: hospital, window: { ${window} }, values: { ${numbers} } }`;
  const topology = topologyOf(operator).replace('from: result', 'from: result.late');
  const lab = openLab({ topology, operators: [aggregate] });
  await runMessages(lab, [[1], [24], [25], [2]]);
  const step = (await why(lab, ['value=2'])).steps.find(({ port }) => port === 'late');
  const closed = new Date(begin + 25 * minuteMs - 10_000).toISOString();
  expect(step?.state).toMatchObject([{ state: 'progress', before: { closed, panes: 1 } }]);
});

describe('that more messages can be named is said', () => {
  async function ask(window: number, minutes: readonly number[], { key = 'hospital', messagesMax = 20 }) {
    const operator = `aggregate: { from: tallies, key: ${key}, window: { tumbling: 10m }, values: { ${numbers} } }`;
    const topology = topologyOf(operator).replace('operators:', 'operators:\n  tallies: { tallied: { from: beats } }');
    const lab = openLab({ topology, operators: [aggregate] });
    await runMessages(
      lab,
      minutes.map((minute) => [minute]),
    );
    const start = new Date(begin + window * minuteMs).toISOString();
    const report = await why(lab, [`window_start=${start}`], { messagesMax });
    const line = describeReport(report, { all: false }).find((one) => one.includes('Earlier ones mattered'));
    return { named: report.messages.length, line };
  }

  it('where there are more', async () => {
    expect(await ask(0, [1, 2, 3, 70], { messagesMax: 3 })).toEqual({
      named: 3,
      line: expect.stringContaining('--messages N names more'),
    });
  });

  it.each([4, 5])('not where all are: asked for %i', async (messagesMax) => {
    expect(await ask(0, [1, 2, 3, 70], { messagesMax })).toEqual({ named: 4, line: undefined });
  });

  it('not where those before the beginning stand in the state', async () => {
    // The tally is of all three, the window of the last alone.
    expect(await ask(60, [1, 2, 61, 90], { key: 'id' })).toEqual({
      named: 2,
      line: expect.stringMatching(/what they did is in the state\.$/),
    });
  });
});

describe('of a window with more events than are asked for, which came in one message', () => {
  const operator = `aggregate: { from: beats, key: hospital, window: { tumbling: 10m }, values: { ${numbers} } }`;

  it.each([
    ['at times of their own', (at: number) => at * 0.3],
    ['at one time', () => 1],
  ])('%s, all are told as part of it', async (_, minuteOf) => {
    const lab = openLab({ topology: topologyOf(operator), operators: [aggregate] });
    await runMessages(lab, [Array.from({ length: 25 }, (_, at) => minuteOf(at)), [25]]);
    const report = await why(lab, ['n=25'], { messagesMax: 5 });
    expect(report).toMatchObject({ more: false, names_more: false, replay: { verified: true, shortened: false } });
    expect(report.messages.filter(({ role }) => role === 'cause')).toHaveLength(25);
    expect(report.messages.filter(({ listed }) => listed)).toHaveLength(5);
    const lines = describeReport(report, { all: false });
    expect(lines).toContain('  and 21 more that are part of it: --all shows them');
    expect(lines.filter((line) => line.endsWith(': is part of it'))).toHaveLength(4);
  });

  it('no function of many events is said to give what it would give for one', async () => {
    const lab = openLab({ topology: topologyOf(operator), operators: [aggregate] });
    await runMessages(lab, [[3, 2], [25]]);
    const lines = describeReport(await why(lab, ['n=2']), { all: false }).map((line) => line.trim());
    expect(lines).toContain('values.most: max(value)  the newest event has value 2');
    expect(lines.join('\n')).not.toContain('progress');
  });
});

it('why a row is there that came with the correction of another key: nothing of that one', async () => {
  const window = 'tumbling: 10m, lateness: 15m';
  const operator = `aggregate: { from: beats, key: hospital, window: { ${window} }, values: { ${numbers} } }`;
  const lab = openLab({
    topology: topologyOf(operator).replace('disorder: 10s', 'disorder: 0s'),
    operators: [aggregate],
  });
  const process = await lab.start();
  for (const [hospital, minute] of [
    ['A', 1],
    ['C', 11],
    ['A', 2],
    ['B', 10.5],
    ['C', 25],
  ] as const) {
    const event = { id: `${hospital} ${minute}`, hospital, value: minute, patient: null };
    const events = [{ event, time: begin + minute * minuteMs }];
    await lab.drive(process.source('beats').append({ origin: 'H1', events }));
  }
  await lab.settle(process);
  const report = await why(lab, ['hospital=B']);
  expect(report.began).toMatchObject({ message: '4/0' });
  expect(report.steps.flatMap(({ state }) => state.map(({ key }) => key))).toEqual(['B']);
});
