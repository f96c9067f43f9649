/** Why an alert is there that time let go: the messages are named that what began it was made of, though they came before the alert had begun. */
import { describe, expect, it } from 'vitest';
import { aggregate } from '../operators/aggregate/aggregate.ts';
import { alert } from '../operators/alert/alert.ts';
import { join } from '../operators/join/join.ts';
import { memoryLog } from '../runtime/bus/memory/log.ts';
import { openPast } from '../runtime/execution/replay/past.ts';
import { explainRow } from '../runtime/execution/why/explain.ts';
import { findResult, parseResult } from '../runtime/execution/why/find-result.ts';
import { whyLimits } from '../runtime/execution/why/limits.ts';
import { reportOf, type WhyReport } from '../runtime/execution/why/report.ts';
import { openLab } from '../runtime/testing/engine-lab.ts';
import { topologyNames } from '../runtime/topology/names.ts';

const names = topologyNames('lab');
const minuteMs = 60_000;
const begin = Date.UTC(2023, 10, 14, 8);

/** Of a hospital, what it says at a minute; by the source `beats` where no other is named. */
type Said = readonly [hospital: string, minute: number, source?: string];

/** Why an alert of H1 is raised, when each of these is a message of its own, and then nobody speaks for an hour. */
async function why(operators: string, said: readonly Said[], messagesMax = 20): Promise<WhyReport> {
  const text = `version: 1
name: lab
sources:
  beats: { pulses: {}, idle: 1m }
  others: { pulses: {}, idle: 1m }
operators:
${operators}
sinks:
  rows: { collect: { from: result } }
`;
  const lab = openLab({ topology: text, operators: [aggregate, alert, join] });
  const process = await lab.start();
  for (const [hospital, minute, source = 'beats'] of said) {
    const event = { id: `${hospital} ${minute}`, hospital, value: minute, patient: null };
    const events = [{ event, time: begin + minute * minuteMs }];
    await lab.drive(process.source(source).append({ origin: hospital, events }));
  }
  await lab.clock.advance(60 * minuteMs);
  await lab.settle(process);
  const log = memoryLog({ clock: lab.clock, storage: lab.storage });
  const { topology } = lab;
  const work = async () => {
    const past = await openPast({ log, topology, names, objects: await log.objects(names.checkpointBucket) });
    const { row } = await findResult(log, topology, parseResult(topology, 'rows', ['hospital=H1', 'state=raised']));
    return reportOf(await explainRow({ past, topology, messagesMax }, row), { past, topology, reveal: false });
  };
  return lab.drive(work());
}

const causes = ({ messages }: WhyReport) => messages.filter(({ role }) => role === 'cause').map(({ place }) => place);

const windows =
  '  windows: { aggregate: { from: beats, key: hospital, window: { tumbling: 10m }, values: { n: count() } } }';
const held = `${windows}
  result: { alert: { from: windows, key: hospital, raise: n >= 2, hold: 15m } }`;
const two: readonly Said[] = [
  ['H1', 1],
  ['H2', 2],
  ['H1', 3],
];
/** More than is looked at first. */
const later = Array.from({ length: whyLimits.walkMessages[0] + 50 }, (_, at): Said => ['H2', 4 + at / 100]);

describe('why an alert is there, of which nothing more was said once it had begun', () => {
  it('names the messages of the window that began it, beside the silence that let it go', async () => {
    const report = await why(held, two);
    expect(causes(report)).toEqual(['1/0', '3/0']);
    expect(report.messages.filter(({ listed }) => listed).map(({ kind }) => kind)).toEqual([
      'message',
      'message',
      'silence',
    ]);
    expect(report).toMatchObject({ more: false, began_earlier: false, replay: { before: 1, verified: true } });
    // The alert had begun when time came to the end of the window.
    expect(report.began).toMatchObject({ time: new Date(begin + 10 * minuteMs - 1).toISOString() });
    expect(Number(report.began?.message)).toBeGreaterThan(3);
  });

  it('names the newest of them where fewer are asked for, and says that there are more', async () => {
    const report = await why(held, two, 2);
    expect(causes(report)).toEqual(['3/0']);
    expect(report).toMatchObject({ more: true, names_more: true, replay: { verified: true, shortened: false } });
  });

  it('names them through an alert that another alert began', async () => {
    const operators = `${held.replace('result:', 'first:')}
  result: { alert: { from: first, key: hospital, raise: state == "raised", hold: 5m } }`;
    const report = await why(operators, two);
    expect(causes(report)).toEqual(['1/0', '3/0']);
    expect(report.replay.verified).toBe(true);
  });

  it('names them where it was raised at once, by a window that was joined with what had come later', async () => {
    const operators = `${windows}
  with_others: { join: { left: windows, right: others, on: hospital, keep: latest } }
  result: { alert: { from: with_others, key: hospital, raise: n >= 2 } }`;
    const report = await why(operators, [...two, ['H1', 8, 'others']]);
    expect(causes(report)).toEqual(['1/0', '3/0', '4/0']);
    expect(report.replay.verified).toBe(true);
  });

  it('looks back as far as one of them, however much others have said since', async () => {
    const report = await why(held, [...two, ...later]);
    expect(causes(report)).toEqual(['1/0', '3/0']);
    expect(report.replay.verified).toBe(true);
  });

  it('says that earlier ones mattered where one of them suffices, and the others lie further back', async () => {
    const report = await why(held, [...two, ...later, ['H1', 9]]);
    expect(causes(report)).toHaveLength(1);
    expect(report).toMatchObject({ more: true, began_earlier: false, replay: { verified: true } });
  });
});
