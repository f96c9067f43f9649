/** Why a row is there that is given with every change, or when something has changed: of all of its key that changed it, whether or not it gave a row itself. */
import { expect, it } from 'vitest';
import { aggregate } from '../operators/aggregate/aggregate.ts';
import { top } from '../operators/top/top.ts';
import { memoryLog } from '../runtime/bus/memory/log.ts';
import { openPast } from '../runtime/execution/replay/past.ts';
import { explainRow } from '../runtime/execution/why/explain.ts';
import { findResult, parseResult } from '../runtime/execution/why/find-result.ts';
import { reportOf } from '../runtime/execution/why/report.ts';
import { openLab } from '../runtime/testing/engine-lab.ts';
import { topologyNames } from '../runtime/topology/names.ts';

const pulses = [
  { id: 'a', hospital: 'H1', value: 3 },
  { id: 'b', hospital: 'H2', value: 9 },
  { id: 'c', hospital: 'H1', value: 5 },
  { id: 'd', hospital: 'H1', value: 1 },
];

/** The verdict and the messages of the row that is asked for; all pulses come within one second, and time moves on behind them. */
async function explained(operator: string, asked: readonly string[]) {
  const topology = `version: 1
name: lab
sources:
  beats: { pulses: {} }
operators:
  known: ${operator}
sinks:
  rows: { collect: { from: known } }
`;
  const lab = openLab({ topology, operators: [aggregate, top] });
  const process = await lab.start();
  const sent = [...pulses, { id: 'later', hospital: 'H3', value: 0 }];
  for (const [at, pulse] of sent.entries()) {
    const time = pulse.id === 'later' ? 60_000 : 1_000 + at;
    const events = [{ event: { ...pulse, patient: null }, time }];
    await lab.drive(process.source('beats').append({ origin: 'H1', events }));
  }
  await lab.settle(process);
  const names = topologyNames('lab');
  const log = memoryLog({ clock: lab.clock, storage: lab.storage });
  const work = async () => {
    const past = await openPast({
      log,
      topology: lab.topology,
      names,
      objects: await log.objects(names.checkpointBucket),
    });
    const { row } = await findResult(log, lab.topology, parseResult(lab.topology, 'rows', asked));
    const report = await explainRow({ past, topology: lab.topology }, row);
    return reportOf(report, { past, topology: lab.topology, reveal: false });
  };
  const { replay, messages } = await lab.drive(work());
  return { verified: replay.verified, messages: messages.map(({ place, role }) => `${place} ${role}`) };
}

it('names the newest event of each thing', async () => {
  const operator =
    '{ aggregate: { from: beats, key: hospital, of: id, window: { global: true, early: change }, values: { n: count() } } }';
  expect(await explained(operator, ['n=3'])).toEqual({
    verified: true,
    messages: ['1/0 cause', '3/0 cause', '4/0 cause'],
  });
});

it.each(['', 'forget: 1h, '])('names what a ranking took in, with %j', async (extra) => {
  const operator = `{ top: { from: beats, key: hospital, by: value, rows: 2, ${extra}every: 10s } }`;
  expect(await explained(operator, ['hospital=H1', 'rank=2'])).toEqual({
    verified: true,
    messages: ['1/0 cause', '3/0 cause', '4/0 cause', '5/0 time'],
  });
});
