/** Why a row of totals is there that are given with every change: of all that changed them, whether or not it gave a row itself. */
import { expect, it } from 'vitest';
import { aggregate } from '../operators/aggregate/aggregate.ts';
import { memoryLog } from '../runtime/bus/memory/log.ts';
import { openPast } from '../runtime/execution/replay/past.ts';
import { explainRow } from '../runtime/execution/why/explain.ts';
import { findResult, parseResult } from '../runtime/execution/why/find-result.ts';
import { reportOf } from '../runtime/execution/why/report.ts';
import { openLab } from '../runtime/testing/engine-lab.ts';
import { topologyNames } from '../runtime/topology/names.ts';

const yaml = `version: 1
name: lab
sources:
  beats: { pulses: {} }
operators:
  known: { aggregate: { from: beats, key: hospital, of: id, window: { global: true, early: change }, values: { n: count() } } }
sinks:
  rows: { collect: { from: known } }
`;

it('names the newest event of each thing', async () => {
  const lab = openLab({ topology: yaml, operators: [aggregate] });
  const process = await lab.start();
  for (const [at, id] of ['a', 'b', 'c'].entries()) {
    const event = { id, hospital: 'H1', value: at, patient: null };
    await lab.drive(process.source('beats').append({ origin: 'H1', events: [{ event, time: 1_000 + at }] }));
  }
  await lab.settle(process);
  const { topology } = lab;
  const names = topologyNames('lab');
  const log = memoryLog({ clock: lab.clock, storage: lab.storage });
  const work = async () => {
    const past = await openPast({ log, topology, names, objects: await log.objects(names.checkpointBucket) });
    const { row } = await findResult(log, topology, parseResult(topology, 'rows', ['n=3']));
    return reportOf(await explainRow({ past, topology }, row), { past, topology, reveal: false });
  };
  const report = await lab.drive(work());
  expect(report.replay.verified).toBe(true);
  expect(report.messages.map(({ place, role }) => `${place} ${role}`)).toEqual(['1/0 cause', '2/0 cause', '3/0 cause']);
});
