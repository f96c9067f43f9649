/** Why a row of a window or of a pattern is there: every event of it is named, however it is kept, and replayed alone they give it again. */
import { describe, expect, it } from 'vitest';
import { aggregate } from '../operators/aggregate/aggregate.ts';
import { pattern } from '../operators/pattern/pattern.ts';
import { memoryLog } from '../runtime/bus/memory/log.ts';
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
  const report = await why(lab, 'hospital=H1', 'n=3');
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

/** A message for each minute, of one hospital. */
async function runMinutes(lab: Lab, minutes: readonly number[]): Promise<void> {
  const process = await lab.start();
  for (const minute of minutes) {
    const event = { id: `at ${minute}`, hospital: 'H1', value: minute, patient: null };
    const events = [{ event, time: begin + minute * minuteMs }];
    await lab.drive(process.source('beats').append({ origin: 'H1', events }));
  }
  await lab.settle(process);
}

async function why(lab: Lab, ...conditions: string[]): Promise<WhyReport> {
  const log = memoryLog({ clock: lab.clock, storage: lab.storage });
  const { topology } = lab;
  const work = async () => {
    const past = await openPast({ log, topology, names, objects: await log.objects(names.checkpointBucket) });
    const { row, matched } = await findResult(log, topology, parseResult(topology, 'rows', conditions));
    expect(matched).toBe(1);
    return reportOf(await explainRow({ past, topology }, row), { past, topology, reveal: false });
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

it('why a session is taken back: each event of the longer one, whose values it has', async () => {
  const operator = `aggregate: { from: beats, key: hospital, window: { session: 3m, lateness: 30m }, values: { ${numbers} } }`;
  const lab = openLab({ topology: topologyOf(operator), operators: [aggregate, pattern] });
  // The sixth joins the sessions of the first two and of the two behind.
  await runMinutes(lab, [1, 2, 7, 8, 20, 4.5, 21, 40]);
  const taken = new Date(begin + minuteMs).toISOString();
  const report = await why(lab, 'withdrawn=true', `window_start=${taken}`);
  expect(report.replay).toMatchObject({ verified: true });
  const parts = report.messages.filter(({ role }) => role === 'cause').map(({ place }) => place);
  expect(parts).toEqual(expect.arrayContaining(['1/0', '2/0', '3/0', '4/0', '6/0']));
});
